"""What the routes about holders and those who act for them share."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Protocol

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.idempotent import Answer, hash_of
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.idempotency import Kept, Repeated, claim, give_up, keep
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import Refusal

REFERENCE_MAX = 64
OrderSession = Annotated[
    str,
    Path(
        description="Session of the holder, by which the order is known.",
        max_length=REFERENCE_MAX,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{3,63}$",
        examples=["SES-0081-0G3G-50C7-1"],
    ),
]
LineId = Annotated[
    str, Path(description="Reference of the line.", max_length=40, examples=["REG-0082-0C20-A1G7-D"])
]
SESSION_PATTERN = r"^[A-Za-z][A-Za-z0-9-]{3,63}$"


class Body(BaseModel):
    """A body with named members only."""

    model_config = ConfigDict(extra="forbid")


class HolderPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    default_pack: str

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...


def platform_of(request: Request) -> HolderPlatform:
    """Return the wired program."""
    platform: HolderPlatform = request.app.state.platform
    return platform


def policy_of(platform: HolderPlatform) -> Policy:
    """Return the rules of today."""
    return platform.policy(platform.default_pack, platform.today())


def refused(code: str, text: Text, refusals: Iterable[Refusal]) -> Refused:
    """Return the problem of a refusal, with every reason."""
    advice = Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons.")
    return Refused(code, text, advice, {"reasons": [refusal.to_json() for refusal in refusals]})


def answer_once(
    request: Request,
    asking: Asking,
    key: str | None,
    body: BaseModel,
    work: Callable[[Connection], Answer | Refused],
    *,
    now: datetime,
) -> Response:
    """Run a command once for each key of a client; what a refusal records is committed, its key is not."""
    client = asking.caller.reference

    def once(connection: Connection) -> Answer | Refused | Repeated:
        if key is None:
            return work(connection)
        found = claim(connection, client, key, hash_of(request, body), now)
        if isinstance(found, Repeated):
            return found
        outcome = work(connection)
        if isinstance(outcome, Refused):
            give_up(connection, client, key)
        else:
            keep(connection, client, key, Kept(outcome.status, outcome.text, outcome.headers))
        return outcome

    outcome = transact(platform_of(request).engine, once)
    if isinstance(outcome, Refused):
        raise outcome
    if isinstance(outcome, Repeated):
        return Answer(outcome.status, outcome.text, outcome.headers).response(repeated=True)
    return outcome.response()


def line_unknown() -> BadInput:
    """Return the problem of a line that is not there, or not the caller's to know of."""
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )
