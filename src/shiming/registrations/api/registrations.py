"""Registrations over HTTP: give a number to the person of a verified session, see and end a line.

POST /v1/registrations                     one transaction; the hot path
GET  /v1/registrations?subject=            what one person holds, by pseudonym
GET  /v1/registrations/{line}
GET  /v1/registrations/{line}/receipt      signed; names nobody
POST /v1/registrations/{line}/termination  with If-Match

A line of another operator is not found, for those who belong to one.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.idempotency import Kept, Repeated
from shiming.privacy.model import LeafRef
from shiming.registrations.api.registration_schemas import (
    NewRegistration,
    Registration,
    Registrations,
    Termination,
)
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import (
    RegisterLine,
    RegistrationPolicy,
    RegistrationRefused,
    ReviewRequired,
)
from shiming.registrations.permissions.registration import (
    MayListByPerson,
    MayReadReceipt,
    MayReadRegistration,
    MayRegisterLine,
)
from shiming.registrations.use_cases import lines
from shiming.registrations.use_cases.drafting import ClientKey, Wanted
from shiming.registrations.use_cases.hot_path import Registrar
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text


@contextlib.asynccontextmanager
async def _until_the_server_stops(app: FastAPI) -> AsyncIterator[None]:
    """Close the hot path's connections, or finish what its thread has queued, when the server stops."""
    try:
        yield
    finally:
        await app.state.platform.registrar.close()


router = APIRouter(prefix="/v1/registrations", tags=["registrations"], lifespan=_until_the_server_stops)

_LIST = "registrations"
_SUBJECT = r"^[\x21-\x7E]{1,80}$"


class RegistrationPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    registrar: Registrar


LineId = Annotated[
    str, Path(description="Reference of the line.", max_length=40, examples=["REG-0082-0C20-A1G7-D"])
]
Registering = Annotated[Asking, asked(MayRegisterLine)]
Reading = Annotated[Asking, asked(MayReadRegistration)]
_EXAMPLES_OF_REFUSAL = problem_responses(409)


@router.post("", status_code=201, response_model=Registration, responses=_EXAMPLES_OF_REFUSAL)
async def register(
    request: Request,
    wanted: NewRegistration,
    asking: Registering,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Register a number; refused with REGISTRATION_REFUSED and every reason in `details.reasons`.

    REVIEW_REQUIRED where only an enhanced review is missing.
    """
    asking.allow(MayRegisterLine(wanted.operator))
    if key is None:
        raise _key_missing()
    platform = _platform(request)
    policy = platform.registration_policy
    regions = policy.number_regions
    command = RegisterLine.parse(
        operator=wanted.operator,
        number=wanted.number,
        session_id=wanted.session,
        region=regions[0] if len(regions) == 1 else None,
        also=policy.number_series,
    )
    client = ClientKey(asking.caller.reference, key, hash_of(request, wanted))
    outcome = await platform.registrar.register(Wanted(command, policy, platform.clock.now(), _reply, client))
    if isinstance(outcome, RegistrationRefused):
        raise _refused(outcome)
    answer = Answer(outcome.status, outcome.text, outcome.headers)
    return answer.response(repeated=isinstance(outcome, Repeated))


@router.get("", response_model=Registrations)
def list_by_person(
    request: Request,
    asking: Annotated[Asking, asked(MayListByPerson)],
    page: Annotated[PageAsked, paged(_LIST)],
    subject: Annotated[str, Query(pattern=_SUBJECT, description="Pseudonym of the person.")],
) -> dict[str, Any]:
    """List the lines of one person at the caller's operator, or at all for who belongs to none."""
    operator = asking.caller.operator
    asking.allow(MayListByPerson(operator or ""))
    with reading(_platform(request).engine) as connection:
        found = lines.list_by_person(
            connection, subject, operator=operator, after=_after(page), limit=page.size + 1
        )
    return page.listing([_shown(line) for line in found], key=lambda row: (row["registered_at"], row["id"]))


@router.get("/{line}", response_model=Registration, responses=problem_responses(404))
def read(request: Request, line: LineId, asking: Reading) -> Response:
    """Return a line."""
    found = _find(request, line, asking, MayReadRegistration)
    return Response(_text(found), headers={"etag": _version(found)}, media_type="application/json")


@router.get("/{line}/receipt", responses=problem_responses(404))
def read_receipt(
    request: Request, line: LineId, asking: Annotated[Asking, asked(MayReadReceipt)]
) -> dict[str, Any]:
    """Return the signed receipt of the registration; the same one each time."""
    _find(request, line, asking, MayReadReceipt)
    platform = _platform(request)
    with reading(platform.engine) as connection:
        found = lines.find_receipt(platform.registrations, connection, line)
    if found is None:
        raise _unknown()
    return dict(found[1])


@router.post("/{line}/termination", response_model=Registration, responses=problem_responses(404, 412, 428))
def terminate(
    request: Request,
    line: LineId,
    wanted: Termination,
    asking: Registering,
    version: Annotated[str, if_match()],
) -> Response:
    """End a line: its number and its place under the cap are free, and the retention clocks start."""
    found = _find(request, line, asking, MayRegisterLine)
    require_version(version, _version(found))
    platform = _platform(request)
    ended = transact(
        platform.engine,
        lambda connection: lines.terminate_line(
            platform.registrations,
            connection,
            found.line_id,
            why=wanted.why,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    if ended is None:
        raise _unknown()
    return Response(_text(ended), headers={"etag": _version(ended)}, media_type="application/json")


def _platform(request: Request) -> RegistrationPlatform:
    platform: RegistrationPlatform = request.app.state.platform
    return platform


def _find(
    request: Request,
    line_id: str,
    asking: Asking,
    question: type[MayReadRegistration | MayReadReceipt | MayRegisterLine],
) -> Line:
    """Return a line that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(_platform(request).engine) as connection:
        found = lines.find_line(connection, line_id)
    if found is None or not asking.may(question(found.operator)):
        raise _unknown()
    return found


def _reply(line: Line, _leaf: LeafRef) -> Kept:
    """Return the answer to a registration, as a repeat gets it too."""
    headers = {"location": f"{router.prefix}/{line.line_id}", "etag": _version(line)}
    return Kept(201, _text(line), headers)


def _text(line: Line) -> str:
    return json.dumps(_shown(line), ensure_ascii=False)


def _shown(line: Line) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "number": line.number.reveal("shown to who registers"),
        "operator": line.operator,
        "kind": line.kind.value,
        "product_class": line.product_class,
        "status": line.status.value,
        "holder": line.subject,
        "session": line.session_id,
        "registered_at": line.registered_at.isoformat(),
        "terminated_at": line.terminated_at and line.terminated_at.isoformat(),
        "terminated_why": line.terminated_why,
    }


def _version(line: Line) -> str:
    return etag(line.status.value)  # a line that has ended stays so


def _after(page: PageAsked) -> tuple[datetime, str] | None:
    match page.after:
        case None:
            return None
        case (str(at), str(line_id)):
            try:
                return datetime.fromisoformat(at), line_id
            except ValueError:
                pass
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _refused(outcome: RegistrationRefused) -> Refused:
    review = isinstance(outcome, ReviewRequired)
    return Refused(
        "REVIEW_REQUIRED" if review else "REGISTRATION_REFUSED",
        Text(zh="须先加强核查。", en="An enhanced review comes first.")
        if review
        else Text(zh="不能登记该号码。", en="This number cannot be registered for this person."),
        Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons."),
        {"reasons": [refusal.to_json() for refusal in outcome.refusals]},
    )


def _unknown() -> BadInput:
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _key_missing() -> BadInput:
    return BadInput(
        "IDEMPOTENCY_KEY_MISSING",
        Text(zh="缺少 Idempotency-Key。", en="Idempotency-Key is missing."),
        Text(
            zh="请为每次登记发送一个新的唯一值，重发时保持不变。",
            en="Send a new unique value for each registration, and the same one again when you retry.",
        ),
    )
