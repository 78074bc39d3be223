"""Lines that wait for a new proof of their holder, over HTTP.

GET  /v1/holder-clocks             ?due_until=2026-12-31
POST /v1/lines/{line}/handover     a new proof: grown up, or a new document
"""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
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
from shiming.registrations.model.holder_clocks import HandoverRefused, HolderClock
from shiming.registrations.permissions.holder_clocks import MayCompleteHandover, MayReadHolderClocks
from shiming.registrations.use_cases.handovers import complete_handover
from shiming.registrations.use_cases.holder_clocks import list_clocks
from shiming.registrations.use_cases.lines import find_line
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1", tags=["holder clocks"])
_LIST = "holder-clocks"
_KEYS = 2


class HandoverWanted(Body):
    """The session in which the holder was proven anew."""

    session: str = Field(pattern=SESSION_PATTERN)


class ClockShown(BaseModel):
    """A clock of a line. The day of majority is shown to who may see it here, and nowhere else."""

    line: str
    operator: str
    clock: str
    due_on: date
    state: str


class ClockList(Listing):
    """Clocks."""

    items: list[ClockShown]


class HandoverShown(BaseModel):
    """A line after its handover."""

    line: str
    clocks: list[ClockShown]


@router.get("/holder-clocks", response_model=ClockList)
def list_holder_clocks(
    request: Request,
    asking: Annotated[Asking, asked(MayReadHolderClocks)],
    page: Annotated[PageAsked, paged(_LIST)],
    due_until: Annotated[date | None, Query(description="Only what is due until this day.")] = None,
) -> dict[str, object]:
    """List lines that wait, or will wait, for a new proof of their holder."""
    operator = asking.caller.operator
    asking.allow(MayReadHolderClocks(operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = list_clocks(
            connection, operator=operator, due_until=due_until, after=_after(page), limit=page.size + 1
        )
    return page.listing([_shown(clock) for clock in found], key=lambda each: (each.line, each.clock))


@router.post(
    "/lines/{line}/handover",
    status_code=201,
    response_model=HandoverShown,
    responses=problem_responses(404, 409),
)
def hand_over(
    request: Request,
    line: LineId,
    wanted: HandoverWanted,
    asking: Annotated[Asking, asked(MayCompleteHandover)],
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Put a line on a new proof of its holder; refused with HANDOVER_REFUSED and every reason."""
    asking.allow(MayCompleteHandover(asking.caller.operator or ""))
    platform = platform_of(request)
    with reading(platform.engine) as connection:
        found = find_line(connection, line)
    if found is None or not asking.may(MayCompleteHandover(found.operator)):
        raise line_unknown()
    policy, now, today = policy_of(platform), platform.clock.now(), platform.today()

    def work(connection: Connection) -> Answer | Refused:
        outcome = complete_handover(
            platform.registrations, connection, line, wanted.session, policy=policy, now=now, today=today
        )
        if isinstance(outcome, HandoverRefused):
            text = Text(zh="不能以此次核验补办。", en="This proof does not put the line right.")
            return refused("HANDOVER_REFUSED", text, outcome.refusals)
        return Answer.of(201, HandoverShown(line=line, clocks=[_shown(clock) for clock in outcome.clocks]))

    return answer_once(request, asking, key, wanted, work, now=now)


def _after(page: PageAsked) -> tuple[str, str] | None:
    if page.after is None:
        return None
    if len(page.after) != _KEYS:
        raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))
    return str(page.after[0]), str(page.after[1])


def _shown(clock: HolderClock) -> ClockShown:
    return ClockShown(
        line=clock.line_id,
        operator=clock.operator,
        clock=clock.kind.value,
        due_on=clock.due_on,
        state=clock.state.value,
    )
