"""Announcements of new terms, over HTTP.

POST /v1/transfers/terms-campaigns                         a draft for a published version
GET  /v1/transfers/terms-campaigns
GET  /v1/transfers/terms-campaigns/{campaign}              with how far it has come
POST /v1/transfers/terms-campaigns/{campaign}/steps        start, finish, cancel
POST /v1/transfers/terms-campaigns/{campaign}/acceptances
GET  /v1/transfers/terms-campaigns/{campaign}/not-reached      a page of lines
GET  /v1/transfers/terms-campaigns/{campaign}/not-reached.csv  all of them, streamed
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import idempotency_key
from shiming.infrastructure.http.page import Listing, PageAsked, paged, write_cursor
from shiming.infrastructure.http.problems import problem_responses
from shiming.transfers.api.transfer_platform import (
    LineReference,
    SessionReference,
    done,
    done_once,
    platform_of,
    rules_of,
)
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.terms_upgrade import (
    CampaignState,
    CampaignStep,
    NotReached,
    TermsCampaign,
)
from shiming.transfers.permissions.transfers import MayAnnounceTerms, MayReadTransfer, MayTransfer
from shiming.transfers.use_cases import terms_upgrades as campaigns
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Announcing = Annotated[Asking, asked(MayAnnounceTerms)]
Reading = Annotated[Asking, asked(MayReadTransfer)]
CampaignId = Annotated[str, Path(max_length=40, description="Reference of the campaign.")]
_LIST, _MISSED = "terms-campaigns", "terms-not-reached"
CSV_HEADING = "line,notice,state,failure\r\n"
Question = type[MayAnnounceTerms | MayReadTransfer | MayTransfer]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCampaign(_Wanted):
    """Which published version, by when everybody is told, and when it takes effect."""

    operator: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
    terms_version: Annotated[str, Field(max_length=40)]
    notify_by: AwareDatetime
    takes_effect_at: AwareDatetime


class CampaignStepWanted(_Wanted):
    """What is done with the campaign."""

    step: CampaignStep


class Acceptance(_Wanted):
    """Whose line, and the proof by which its holder accepted, where there was one."""

    line: LineReference
    session: SessionReference | None = None


class CampaignShown(BaseModel):
    """A campaign."""

    id: str
    operator: str
    terms_version: str
    notify_by: datetime
    takes_effect_at: datetime
    state: CampaignState
    all_queued: bool


class ReachShown(CampaignShown):
    """A campaign with how far it has come, in holders; `notices` by state."""

    holders: int
    accepted: int
    not_reached: int
    notices: dict[str, int]


class Campaigns(Listing):
    """A page of campaigns."""

    items: list[CampaignShown]


class NotReachedShown(BaseModel):
    """A holder who was not reached: the line that they were told on, and how far it came."""

    line: str
    notice: str
    state: str
    failure: str | None


class NotReachedPage(Listing):
    """A page of holders; a page may be empty and have a next one."""

    items: list[NotReachedShown]


class Accepted(BaseModel):
    """Who accepted is the holder of this line."""

    line: str
    accepted_at: datetime


@router.post(
    "/terms-campaigns", status_code=201, response_model=CampaignShown, responses=problem_responses(404, 409)
)
def draft(
    request: Request,
    wanted: NewCampaign,
    asking: Announcing,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Draft the announcement of a published version; one campaign for each version."""
    asking.allow(MayAnnounceTerms(wanted.operator))
    platform = platform_of(request)

    def work(connection: Connection) -> TermsCampaign | TransferRefused:
        return campaigns.draft_campaign(
            platform.transfers,
            connection,
            operator=wanted.operator,
            terms_version=wanted.terms_version,
            notify_by=wanted.notify_by,
            takes_effect_at=wanted.takes_effect_at,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=_shown,
        entry="terms_campaign",
        subject="",
        operator=wanted.operator,
    )


@router.get("/terms-campaigns", response_model=Campaigns)
def list_campaigns(
    request: Request, asking: Reading, page: Annotated[PageAsked, paged(_LIST)]
) -> dict[str, Any]:
    """List campaigns of the caller's operator, or of all for who belongs to none."""
    operator = asking.caller.operator
    asking.allow(MayReadTransfer(operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = campaigns.list_campaigns(
            connection, operator=operator, after=_after(page), limit=page.size + 1
        )
    rows = [_shown(campaign).model_dump(mode="json") for campaign in found]
    return page.listing(rows, key=lambda row: (row["id"],))


@router.get("/terms-campaigns/{campaign}", responses=problem_responses(404))
def read(request: Request, campaign: CampaignId, asking: Reading) -> ReachShown:
    """Return a campaign and how far it has come."""
    found = _find(request, campaign, asking, MayReadTransfer)
    with reading(platform_of(request).engine) as connection:
        reach = campaigns.reach_of(connection, campaign)
    return ReachShown(
        **_shown(found).model_dump(),
        holders=reach.holders,
        accepted=reach.accepted,
        not_reached=reach.not_reached,
        notices=dict(reach.notices),
    )


@router.post("/terms-campaigns/{campaign}/steps", responses=problem_responses(404, 409))
def step(
    request: Request, campaign: CampaignId, wanted: CampaignStepWanted, asking: Announcing
) -> CampaignShown:
    """Start, finish or cancel a campaign."""
    found, platform = _find(request, campaign, asking, MayAnnounceTerms), platform_of(request)
    after = done(
        platform,
        lambda connection: campaigns.step_campaign(
            platform.transfers,
            connection,
            campaign,
            wanted.step,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="terms_campaign",
        subject=campaign,
        operator=found.operator,
    )
    return _shown(after)


@router.post("/terms-campaigns/{campaign}/acceptances", responses=problem_responses(404))
def accept(
    request: Request,
    campaign: CampaignId,
    wanted: Acceptance,
    asking: Annotated[Asking, asked(MayTransfer)],
) -> Accepted:
    """Record that the holder of a line accepted the new terms; twice is once."""
    _find(request, campaign, asking, MayTransfer)
    platform = platform_of(request)
    holder = transact(
        platform.engine,
        lambda connection: campaigns.accept_new_terms(
            platform.transfers,
            connection,
            campaign,
            wanted.line,
            session_id=wanted.session,
            now=platform.clock.now(),
        ),
    )
    return Accepted(line=wanted.line, accepted_at=holder.accepted_at or platform.clock.now())


@router.get(
    "/terms-campaigns/{campaign}/not-reached",
    response_model=NotReachedPage,
    responses=problem_responses(404),
)
def not_reached(
    request: Request, campaign: CampaignId, asking: Reading, page: Annotated[PageAsked, paged(_MISSED)]
) -> dict[str, Any]:
    """List who was not reached, by the lines that they were told on."""
    _find(request, campaign, asking, MayReadTransfer)
    with reading(platform_of(request).engine) as connection:
        missed, after = campaigns.list_not_reached(connection, campaign, after=_after(page), limit=page.size)
    return {
        "items": [_missed(each).model_dump() for each in missed],
        "next": None if after is None else write_cursor(_MISSED, (after,)),
    }


@router.get("/terms-campaigns/{campaign}/not-reached.csv", responses=problem_responses(404))
def not_reached_table(request: Request, campaign: CampaignId, asking: Reading) -> Response:
    """Stream everybody who was not reached as CSV: references, states, codes; nobody's name or number."""
    _find(request, campaign, asking, MayReadTransfer)
    return StreamingResponse(
        csv_lines(campaigns.walk_not_reached(platform_of(request).engine, campaign)), media_type="text/csv"
    )


def csv_lines(missed: Iterator[NotReached]) -> Iterator[str]:
    """Give the heading and one line for each; references and codes need no quotes."""
    yield CSV_HEADING
    for each in missed:
        yield f"{each.line_id},{each.notice_id},{each.state},{each.failure or ''}\r\n"


def _find(request: Request, campaign_id: str, asking: Asking, question: Question) -> TermsCampaign:
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = campaigns.get_campaign(connection, campaign_id)
    if not asking.may(question(found.operator)):
        raise BadInput(
            "CAMPAIGN_UNKNOWN",
            Text(zh="没有这个通知活动。", en="There is no such campaign."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return found


def _after(page: PageAsked) -> str:
    match page.after:
        case None:
            return ""
        case (str(after),):
            return after
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _shown(campaign: TermsCampaign) -> CampaignShown:
    return CampaignShown(
        id=campaign.campaign_id,
        operator=campaign.operator,
        terms_version=campaign.terms_version,
        notify_by=campaign.notify_by,
        takes_effect_at=campaign.takes_effect_at,
        state=campaign.state,
        all_queued=campaign.all_queued,
    )


def _missed(each: NotReached) -> NotReachedShown:
    return NotReachedShown(line=each.line_id, notice=each.notice_id, state=each.state, failure=each.failure)
