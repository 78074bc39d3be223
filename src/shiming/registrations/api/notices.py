"""Notices to holders over HTTP: how far they came, and the reports of the channel.

GET  /v1/notices                       ?campaign=, ?state=
GET  /v1/notices/{notice}
POST /v1/notices/{notice}/deliveries   the channel says that it arrived, or did not
GET  /v1/notice-campaigns/{campaign}   how many were reached
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.holder_platform import Body, platform_of
from shiming.registrations.model.notices import Notice, NoticeState
from shiming.registrations.permissions.notices import MayReadNotices, MayRecordDelivery
from shiming.registrations.use_cases import notices

router = APIRouter(prefix="/v1", tags=["notices"])
_LIST = "notices"
_CAMPAIGN = r"^[A-Za-z][A-Za-z0-9._:-]{0,79}$"
NoticeId = Annotated[
    str, Path(description="Reference of the notice.", max_length=40, examples=["NTC-0082-0C20-A1G7-D"])
]
Reading = Annotated[Asking, asked(MayReadNotices)]


class DeliveryReported(Body):
    """What the channel says."""

    state: Literal["delivered", "failed", "reached"]
    why: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9_]{1,59}$", description="Of a failure.")


class NoticeShown(BaseModel):
    """A notice; its text and the number that it goes to stay out."""

    id: str
    operator: str
    line: str | None  # none: it goes to a contact
    template: str
    state: str
    about: str | None
    campaign: str | None
    attempts: int
    why: str | None
    created_at: datetime
    changed_at: datetime


class NoticeList(Listing):
    """Notices."""

    items: list[NoticeShown]


class CampaignShown(BaseModel):
    """How far the notices of a campaign came."""

    campaign: str
    states: dict[str, int]
    not_reached: int


@router.get("/notices", response_model=NoticeList)
def list_notices(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    campaign: Annotated[str | None, Query(pattern=_CAMPAIGN)] = None,
    state: Annotated[list[NoticeState] | None, Query(description="Any of these states.")] = None,
) -> dict[str, object]:
    """List notices; `state=queued&state=sent&state=failed` names who was not reached."""
    operator = asking.caller.operator
    asking.allow(MayReadNotices(operator or ""))
    after = str(page.after[0]) if page.after else ""
    with reading(platform_of(request).engine) as connection:
        found = notices.list_notices(
            connection,
            operator=operator,
            campaign=campaign,
            states=tuple(state or NoticeState),
            after=after,
            limit=page.size + 1,
        )
    return page.listing([_shown(notice) for notice in found], key=lambda each: (each.id,))


@router.get("/notices/{notice}", responses=problem_responses(404))
def show_notice(request: Request, notice: NoticeId, asking: Reading) -> NoticeShown:
    """Show how far a notice came."""
    return _shown(_find(request, notice, asking, MayReadNotices))


@router.post("/notices/{notice}/deliveries", responses=problem_responses(404))
def record_delivery(
    request: Request,
    notice: NoticeId,
    wanted: DeliveryReported,
    asking: Annotated[Asking, asked(MayRecordDelivery)],
) -> NoticeShown:
    """Take a report of the channel in; a repeat, or one that comes late, changes nothing."""
    _find(request, notice, asking, MayRecordDelivery)
    platform = platform_of(request)
    taken = transact(
        platform.engine,
        lambda connection: notices.record_delivery(
            platform.registrations.privacy,
            connection,
            notice,
            NoticeState(wanted.state),
            now=platform.clock.now(),
            failure=wanted.why,
        ),
    )
    return _shown(taken)


@router.get("/notice-campaigns/{campaign}")
def show_campaign(
    request: Request,
    campaign: Annotated[str, Path(pattern=_CAMPAIGN, examples=["terms-2026-02"])],
    asking: Reading,
) -> CampaignShown:
    """Count how far the notices of a campaign came."""
    operator = asking.caller.operator
    asking.allow(MayReadNotices(operator or ""))
    with reading(platform_of(request).engine) as connection:
        reach = notices.reach_of_campaign(connection, operator, campaign)
    states = {state.value: count for state, count in reach.states.items()}
    return CampaignShown(campaign=campaign, states=states, not_reached=reach.not_reached)


def _find(
    request: Request,
    notice_id: str,
    asking: Asking,
    question: type[MayReadNotices | MayRecordDelivery],
) -> Notice:
    """Return a notice that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = notices.find_notice(connection, notice_id)
    if found is None or not asking.may(question(found.operator)):
        raise notices.unknown_notice()
    return found


def _shown(notice: Notice) -> NoticeShown:
    return NoticeShown(
        id=notice.notice_id,
        operator=notice.operator,
        line=notice.line_id,
        template=notice.template,
        state=notice.state.value,
        about=notice.about,
        campaign=notice.campaign,
        attempts=notice.attempts,
        why=notice.failure,
        created_at=notice.created_at,
        changed_at=notice.changed_at,
    )
