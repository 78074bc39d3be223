"""Disputes of lines that a proxy registered, over HTTP.

POST /v1/lines/{line}/repudiation            "not mine", by a fresh session of the principal or by the code
GET  /v1/repudiations                        ?open=true
GET  /v1/repudiations/{repudiation}
POST /v1/repudiations/{repudiation}/decision upheld: the line ends; rejected: it works again
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, idempotency_key
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.holder_platform import (
    SESSION_PATTERN,
    Body,
    LineId,
    answer_once,
    line_unknown,
    platform_of,
    policy_of,
    refused,
)
from shiming.registrations.model.repudiation import Repudiation, RepudiationRefused
from shiming.registrations.permissions.repudiation import MayDecideRepudiation, MayTakeRepudiation
from shiming.registrations.use_cases import repudiation
from shiming.registrations.use_cases.lines import find_line
from shiming.vocabulary.errors import Text

router = APIRouter(prefix="/v1", tags=["repudiations"])
_LIST = "repudiations"
RepudiationId = Annotated[
    str, Path(description="Reference of the dispute.", max_length=40, examples=["RPD-0082-0C20-A1G7-D"])
]
Taking = Annotated[Asking, asked(MayTakeRepudiation)]
Deciding = Annotated[Asking, asked(MayDecideRepudiation)]


class RepudiationWanted(Body):
    """One of the two: a fresh session of the principal, or the code of the message that they got."""

    session: str | None = Field(default=None, pattern=SESSION_PATTERN)
    code: str | None = Field(default=None, pattern=r"^\d{4,12}$")


class DecisionWanted(Body):
    """Whether the line was not the principal's."""

    upheld: bool


class RepudiationShown(BaseModel):
    """A dispute."""

    id: str
    line: str
    operator: str
    holder: str = Field(description="Pseudonym of the principal.")
    by: str = Field(description="How the principal showed who they are: session or code.")
    state: str
    stated_at: datetime
    decided_at: datetime | None
    evidence_sealed: int | None = None


class RepudiationList(Listing):
    """Disputes."""

    items: list[RepudiationShown]


@router.post(
    "/lines/{line}/repudiation",
    status_code=201,
    response_model=RepudiationShown,
    responses=problem_responses(404, 409),
)
def repudiate(
    request: Request,
    line: LineId,
    wanted: RepudiationWanted,
    asking: Taking,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Stop a line that its holder says is not theirs; refused with REPUDIATION_REFUSED and every reason."""
    asking.allow(MayTakeRepudiation(asking.caller.operator or ""))
    platform = platform_of(request)
    with reading(platform.engine) as connection:
        found = find_line(connection, line)
    if found is None or not asking.may(MayTakeRepudiation(found.operator)):
        raise line_unknown()
    spoken = repudiation.Spoken(wanted.session, wanted.code)
    policy, now = policy_of(platform), platform.clock.now()

    def work(connection: Connection) -> Answer | Refused:
        outcome = repudiation.repudiate_line(
            platform.registrations, connection, line, spoken, policy=policy, now=now
        )
        if isinstance(outcome, RepudiationRefused):
            return _refused(outcome)
        shown = _shown(outcome.repudiation)
        shown.evidence_sealed = len(outcome.evidence)
        return Answer.of(201, shown, location=f"{router.prefix}/repudiations/{shown.id}")

    return answer_once(request, asking, key, wanted, work, now=now)


@router.get("/repudiations", response_model=RepudiationList)
def list_repudiations(
    request: Request,
    asking: Taking,
    page: Annotated[PageAsked, paged(_LIST)],
    open_only: Annotated[bool, Query(alias="open", description="Only what is not decided.")] = False,
) -> dict[str, object]:
    """List disputes of the caller's operator, or of all for who belongs to none."""
    operator = asking.caller.operator
    asking.allow(MayTakeRepudiation(operator or ""))
    after = str(page.after[0]) if page.after else ""
    with reading(platform_of(request).engine) as connection:
        found = repudiation.list_repudiations(
            connection, operator=operator, open_only=open_only, after=after, limit=page.size + 1
        )
    return page.listing([_shown(each) for each in found], key=lambda each: (each.id,))


@router.get("/repudiations/{repudiation_id}", responses=problem_responses(404))
def show_repudiation(request: Request, repudiation_id: RepudiationId, asking: Taking) -> RepudiationShown:
    """Show a dispute."""
    return _shown(_find(request, repudiation_id, asking, MayTakeRepudiation))


@router.post(
    "/repudiations/{repudiation_id}/decision",
    response_model=RepudiationShown,
    responses=problem_responses(404, 409),
)
def decide(
    request: Request,
    repudiation_id: RepudiationId,
    wanted: DecisionWanted,
    asking: Deciding,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Decide a dispute: upheld, the line ends and its place is free; rejected, the stop is lifted."""
    _find(request, repudiation_id, asking, MayDecideRepudiation)
    platform = platform_of(request)
    policy, now = policy_of(platform), platform.clock.now()

    def work(connection: Connection) -> Answer | Refused:
        outcome = repudiation.decide_dispute(
            platform.registrations,
            connection,
            repudiation_id,
            upheld=wanted.upheld,
            by=asking.caller.reference,
            policy=policy,
            registration_policy=platform.registration_policy,
            now=now,
        )
        return (
            _refused(outcome) if isinstance(outcome, RepudiationRefused) else Answer.of(200, _shown(outcome))
        )

    return answer_once(request, asking, key, wanted, work, now=now)


def _find(
    request: Request,
    repudiation_id: str,
    asking: Asking,
    question: type[MayTakeRepudiation | MayDecideRepudiation],
) -> Repudiation:
    """Return a dispute that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = repudiation.find_repudiation(connection, repudiation_id)
    if found is None or not asking.may(question(found.operator)):
        raise repudiation.repudiation_unknown()
    return found


def _refused(outcome: RepudiationRefused) -> Refused:
    text = Text(zh="不能受理该异议。", en="This line cannot be repudiated in this way.")
    return refused("REPUDIATION_REFUSED", text, outcome.refusals)


def _shown(found: Repudiation) -> RepudiationShown:
    return RepudiationShown(
        id=found.repudiation_id,
        line=found.line_id,
        operator=found.operator,
        holder=found.subject,
        by=found.means.value,
        state=found.state.value,
        stated_at=found.stated_at,
        decided_at=found.decided_at,
    )
