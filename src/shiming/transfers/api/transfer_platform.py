"""What the routes of transfers share: the wired program, whose line it is, and how a refusal is answered."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotent
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import Line
from shiming.registrations.use_cases.lines import find_line
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.permissions.transfers import MayReadTransfer, MayTransfer
from shiming.transfers.use_cases.deciding import record_refusal
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text

_T = TypeVar("_T")

LineId = Annotated[str, Path(description="Reference of the line.", max_length=40, examples=["REG-0082-0C20"])]
LineReference = Annotated[str, Field(max_length=40, description="Reference of the line.")]
SessionReference = Annotated[str, Field(max_length=64, description="Reference of the proofing session.")]
#: A reference, a code or a hash; never a name and never a number of a person.
PlainReference = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._:-]{0,63}$")]


class TransferPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    transfers: TransferTools
    default_pack: str

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...


class _Stopped(Exception):
    """Gives up the transaction of what was refused."""

    def __init__(self, refused: TransferRefused) -> None:
        super().__init__()
        self.refused = refused


def platform_of(request: Request) -> TransferPlatform:
    """Return the wired program."""
    platform: TransferPlatform = request.app.state.platform
    return platform


def rules_of(platform: TransferPlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def line_of(
    request: Request, asking: Asking, line_id: str, question: type[MayTransfer | MayReadTransfer]
) -> Line:
    """Return a line that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = find_line(connection, line_id)
    if found is None or not asking.may(question(found.operator)):
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return found


def done_once(
    request: Request,
    asking: Asking,
    key: str | None,
    wanted: BaseModel,
    *,
    work: Callable[[Connection], _T | TransferRefused],
    shown: Callable[[_T], BaseModel],
    entry: str,
    subject: str,
    operator: str,
) -> Response:
    """Run a command once for each key and answer 201; a refusal writes nothing but that it was refused."""
    platform = platform_of(request)

    def once(connection: Connection) -> Answer:
        outcome = work(connection)
        if isinstance(outcome, TransferRefused):
            raise _Stopped(outcome)
        return Answer.of(201, shown(outcome))

    try:
        return idempotent(
            platform.engine,
            asking.caller.reference,
            key,
            hash_of(request, wanted),
            once,
            now=platform.clock.now(),
        )
    except _Stopped as stopped:
        raise refused(platform, stopped.refused, entry=entry, subject=subject, operator=operator) from None


def done(
    platform: TransferPlatform,
    work: Callable[[Connection], _T | TransferRefused],
    *,
    entry: str,
    subject: str,
    operator: str,
    keep: bool = False,
) -> _T:
    """Run a step in one transaction; `keep`: what a refusal wrote stays (attempts are counted)."""

    def stopping(connection: Connection) -> _T | TransferRefused:
        outcome = work(connection)
        if isinstance(outcome, TransferRefused) and not keep:
            raise _Stopped(outcome)
        return outcome

    try:
        outcome = transact(platform.engine, stopping)
    except _Stopped as stopped:
        outcome = stopped.refused
    if isinstance(outcome, TransferRefused):
        raise refused(platform, outcome, entry=entry, subject=subject, operator=operator)
    return outcome


def refused(
    platform: TransferPlatform, outcome: TransferRefused, *, entry: str, subject: str, operator: str
) -> Refused:
    """Record a refusal and return its problem, with every reason."""
    now = platform.clock.now()
    transact(
        platform.engine,
        lambda connection: record_refusal(
            platform.transfers, connection, entry, outcome, line_id=subject, operator=operator, now=now
        ),
    )
    return problem_of(outcome)


def problem_of(outcome: TransferRefused) -> Refused:
    """Return the problem of a refusal, with every reason."""
    reasons: list[dict[str, Any]] = [refusal.to_json() for refusal in outcome.refusals]
    return Refused(
        "TRANSFER_REFUSED",
        Text(zh="不能办理该业务。", en="This cannot be done with the line."),
        Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons."),
        {"reasons": reasons},
    )
