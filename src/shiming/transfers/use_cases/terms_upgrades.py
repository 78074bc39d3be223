"""Announce new terms to every holder of an operator by a date, and know who was reached and who accepted.

A campaign walks over the lines in the order of their references, a batch in each transaction, and remembers
where it stands: it can be stopped anywhere and goes on. Each holder gets one notice, on one of their lines.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.notices import NewNotice, NoticeState
from shiming.registrations.use_cases.holding import (
    find_order_of_session,
    find_proven_person,
    list_lines_in_use,
)
from shiming.registrations.use_cases.notices import (
    find_notice,
    queue_notice,
    reach_of_campaign,
    record_reached,
)
from shiming.registrations.use_cases.terms import find_terms
from shiming.transfers.events.transfers import CAMPAIGN_CHANGED, TERMS_ACCEPTED
from shiming.transfers.model.notice_texts import NEW_TERMS
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.terms_upgrade import (
    CampaignHolder,
    CampaignState,
    CampaignStep,
    NotReached,
    Reach,
    TermsCampaign,
)
from shiming.transfers.permissions.transfers import MayAnnounceTerms, MayReadTransfer, MayTransfer
from shiming.transfers.rules.terms_upgrade import decide_announcement, decide_campaign_step
from shiming.transfers.store import campaigns as store
from shiming.transfers.use_cases.deciding import get_held, note
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside

_REFERENCE = "TCM"
#: Lines looked at in one transaction: about a tenth of a second of writing on a quiet core, so that nobody
#: waits long behind it.
BATCH_LINES = 50
_REACHED = frozenset({NoticeState.DELIVERED, NoticeState.REACHED})


@asks(MayAnnounceTerms)
def draft_campaign(
    tools: TransferTools,
    connection: Connection,
    *,
    operator: str,
    terms_version: str,
    notify_by: datetime,
    takes_effect_at: datetime,
    policy: Policy,
    now: datetime,
) -> TermsCampaign | TransferRefused:
    """Draft the announcement of a published version; the same version again returns its campaign."""
    if find_terms(connection, operator, terms_version) is None:
        raise BadInput(
            "TERMS_UNKNOWN",
            Text(zh="没有这个版本的条款。", en="There is no such version of the terms."),
            Text(zh="请先发布条款。", en="Publish the terms first."),
        )
    former = store.find_by_version(connection, operator, terms_version)
    if former is not None:
        return former
    decision = decide_announcement(
        policy.transfers, notify_by=notify_by, takes_effect_at=takes_effect_at, now=now
    )
    if isinstance(decision, TransferRefused):
        return decision
    campaign = TermsCampaign(
        campaign_id=tools.registrations.privacy.new_reference(_REFERENCE),
        operator=operator,
        terms_version=terms_version,
        notify_by=notify_by,
        takes_effect_at=takes_effect_at,
        state=CampaignState.DRAFT,
        created_at=now,
    )
    if store.add_campaign(connection, campaign):
        _tell(tools, connection, campaign, now)
    return store.find_by_version(connection, operator, terms_version) or campaign


@asks(MayAnnounceTerms)
def step_campaign(
    tools: TransferTools,
    connection: Connection,
    campaign_id: str,
    step: CampaignStep,
    *,
    policy: Policy,
    now: datetime,
) -> TermsCampaign | TransferRefused:
    """Start, finish or cancel a campaign."""
    campaign = get_campaign(connection, campaign_id, for_update=True)
    following = decide_campaign_step(campaign.state, step, policy.transfers)
    if isinstance(following, TransferRefused):
        return following
    store.change_campaign(connection, campaign_id, state=following)
    done = get_campaign(connection, campaign_id)
    _tell(tools, connection, done, now)
    return done


@inside("a schedule of the worker runs it")
def run_campaigns(
    tools: TransferTools,
    engine: Engine,
    *,
    now: datetime,
    batch: int = BATCH_LINES,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Queue the notices of all campaigns that run, and end those whose terms are in force.

    Return how many holders were told. Between two batches it stops when it is asked to.
    """
    with reading(engine) as connection:
        running = store.list_running(connection)
    queued = 0
    for campaign_id in running:
        walk = partial(_queue_some, tools, campaign_id=campaign_id, now=now, batch=batch)
        while not stopping() and (many := transact(engine, walk)) is not None:
            queued += many
    return queued


@asks(MayTransfer)
def accept_new_terms(
    tools: TransferTools,
    connection: Connection,
    campaign_id: str,
    line_id: str,
    *,
    session_id: str | None,
    now: datetime,
) -> CampaignHolder:
    """Record that the holder of a line accepted the new terms; twice is once. BadInput for who was not asked.

    `session_id`: the proof by which they did, where there was one.
    """
    campaign = get_campaign(connection, campaign_id)
    line = get_held(connection, line_id).line
    if campaign.state is CampaignState.DRAFT or line.operator != campaign.operator:
        raise _not_asked()
    holder = store.find_holder(connection, campaign_id, line.subject)
    if holder is None:
        raise _not_asked()
    if holder.accepted_at is not None:
        return holder
    store.accept(connection, campaign_id, line.subject, session_id=session_id, now=now)
    record_reached(tools.registrations.privacy, connection, holder.notice_id, now=now)
    facts: dict[str, Fact] = {
        "campaign": campaign_id,
        "line": line_id,
        "version": campaign.terms_version,
        "session": session_id,
    }
    note(tools, connection, TERMS_ACCEPTED, facts, subject=campaign_id, operator=campaign.operator, now=now)
    return CampaignHolder(holder.subject, holder.line_id, holder.notice_id, now)


@inside("a job follows each acceptance of terms on an order")
def follow_acceptance(
    tools: TransferTools, connection: Connection, session_id: str, *, now: datetime
) -> None:
    """Count the acceptance of a version on an order for the campaign that announces it. Twice is once."""
    order, subject = find_order_of_session(connection, session_id), find_proven_person(connection, session_id)
    if order is None or order.terms is None or subject is None:
        return
    campaign = store.find_by_version(connection, order.operator, order.terms.version)
    holder = campaign and store.find_holder(connection, campaign.campaign_id, subject)
    if campaign is not None and isinstance(holder, CampaignHolder):
        accept_new_terms(
            tools, connection, campaign.campaign_id, holder.line_id, session_id=session_id, now=now
        )


@asks(MayReadTransfer)
def get_campaign(connection: Connection, campaign_id: str, *, for_update: bool = False) -> TermsCampaign:
    """Return a campaign; BadInput when there is none."""
    campaign = store.find_campaign(connection, campaign_id, for_update=for_update)
    if campaign is None:
        raise BadInput(
            "CAMPAIGN_UNKNOWN",
            Text(zh="没有这个通知活动。", en="There is no such campaign."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return campaign


@asks(MayReadTransfer)
def list_campaigns(
    connection: Connection, *, operator: str | None, after: str = "", limit: int
) -> tuple[TermsCampaign, ...]:
    """Return campaigns of an operator in the order of their references."""
    return store.list_campaigns(connection, operator=operator, after=after, limit=limit)


@asks(MayReadTransfer)
def reach_of(connection: Connection, campaign_id: str) -> Reach:
    """Count how far a campaign has come."""
    campaign = get_campaign(connection, campaign_id)
    holders, accepted = store.count_holders(connection, campaign_id)
    reach = reach_of_campaign(connection, campaign.operator, campaign_id)
    counted = {state.value: many for state, many in reach.states.items()}
    return Reach(campaign, holders, accepted, counted, reach.not_reached)


@asks(MayReadTransfer)
def list_not_reached(
    connection: Connection, campaign_id: str, *, after: str = "", limit: int
) -> tuple[tuple[NotReached, ...], str | None]:
    """Return who of the next `limit` holders was not reached, and where to go on; None: that was all."""
    holders = store.list_holders(connection, campaign_id, after=after, limit=limit)
    missed = tuple(each for holder in holders if (each := _missed(connection, holder)) is not None)
    return missed, holders[-1].line_id if len(holders) == limit else None


@asks(MayReadTransfer)
def walk_not_reached(engine: Engine, campaign_id: str, *, batch: int = BATCH_LINES) -> Iterator[NotReached]:
    """Give everybody who was not reached, a batch at a time, for a report of any length."""
    after: str | None = ""
    while after is not None:
        with reading(engine) as connection:
            missed, after = list_not_reached(connection, campaign_id, after=after, limit=batch)
        yield from missed


def _queue_some(
    tools: TransferTools, connection: Connection, *, campaign_id: str, now: datetime, batch: int
) -> int | None:
    """Look at the next lines; return how many holders were told, None when there is nothing more to do."""
    campaign = get_campaign(connection, campaign_id, for_update=True)
    if campaign.state is not CampaignState.RUNNING:
        return None
    if campaign.all_queued:
        if now >= campaign.takes_effect_at:
            store.change_campaign(connection, campaign_id, state=CampaignState.DONE)
            _tell(tools, connection, get_campaign(connection, campaign_id), now)
        return None
    lines = list_lines_in_use(connection, campaign.operator, after=campaign.cursor, limit=batch)
    if not lines:
        store.change_campaign(connection, campaign_id, all_queued=True)
        return 0
    store.change_campaign(connection, campaign_id, cursor=lines[-1].line_id)
    first: dict[str, Line] = {}
    for line in lines:
        if line.status is not LineStatus.PENDING:
            first.setdefault(line.subject, line)
    known = store.known_holders(connection, campaign_id, set(first))
    new = [line for subject, line in first.items() if subject not in known]
    holders = [
        CampaignHolder(line.subject, line.line_id, _notify(tools, connection, campaign, line, now))
        for line in new
    ]
    store.add_holders(connection, campaign_id, holders)
    return len(holders)


def _notify(
    tools: TransferTools, connection: Connection, campaign: TermsCampaign, line: Line, now: datetime
) -> str:
    notice = NewNotice(
        operator=campaign.operator,
        line_id=line.line_id,
        subject=line.subject,
        template=NEW_TERMS.template,
        text=NEW_TERMS.text,
        dedupe_key=f"{campaign.campaign_id}:{line.line_id}",
        about=campaign.campaign_id,
        campaign=campaign.campaign_id,
    )
    return queue_notice(tools.registrations.privacy, connection, notice, now=now).notice_id


def _missed(connection: Connection, holder: CampaignHolder) -> NotReached | None:
    notice = find_notice(connection, holder.notice_id)
    if notice is None:  # pragma: no cover - the notice is written with the holder
        return None
    if notice.state in _REACHED or holder.accepted_at is not None:
        return None
    return NotReached(holder.line_id, holder.notice_id, notice.state.value, notice.failure)


def _not_asked() -> BadInput:
    return BadInput(
        "HOLDER_NOT_IN_CAMPAIGN",
        Text(
            zh="该号码的用户不在此通知活动中。", en="The holder of this line was not asked by this campaign."
        ),
        Text(zh="请核对号码和活动。", en="Compare the line and the campaign."),
    )


def _tell(tools: TransferTools, connection: Connection, campaign: TermsCampaign, now: datetime) -> None:
    facts: dict[str, Fact] = {
        "campaign": campaign.campaign_id,
        "version": campaign.terms_version,
        "state": campaign.state.value,
    }
    subject = campaign.campaign_id
    note(tools, connection, CAMPAIGN_CHANGED, facts, subject=subject, operator=campaign.operator, now=now)
