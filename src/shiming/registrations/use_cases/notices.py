"""Tell holders something, and know who was told.

A notice is queued in the transaction of what it is about, sent by a job with growing pauses, and followed by
reports of the channel. The one-time code or link of a message is drawn when it is sent; only its hash is
kept, so a message that is sent again holds a new one and the former is void.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import transact
from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.notices import (
    CODE_PLACE,
    LINK_PLACE,
    CampaignReach,
    NewNotice,
    Notice,
    NoticeState,
)
from shiming.registrations.permissions.notices import MayReadNotices, MayRecordDelivery
from shiming.registrations.ports.notices import NoticeAccepted, NoticeMessage, NoticePort
from shiming.registrations.rules.notices import decide_notice_state
from shiming.registrations.store import notices as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.use_cases.link_tokens import (
    LINK_PATH,
    RECEIPT_PATH,
    renew_link,
    renew_receipt_link,
)
from shiming.registrations.use_cases.one_time_codes import draw_code, hash_code
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import asks, inside

BATCH = 50  # a minute of a slow channel; the lease is two
ATTEMPTS_MAX = 10
FIRST_PAUSE = timedelta(seconds=30)
PAUSE_MAX = timedelta(hours=6)  # a channel that is down over a night is tried again in the morning
PENDING_PAUSE = timedelta(minutes=5)  # until the network has confirmed the line that is told


@dataclass(frozen=True, slots=True)
class NoticeTools:
    """The ledger's keys and chance, and the channel."""

    privacy: PrivacyTools
    port: NoticePort
    public_url: str = ""  # what links in messages begin with


@inside("a use case tells a holder in its own transaction")
def queue_notice(privacy: PrivacyTools, connection: Connection, new: NewNotice, *, now: datetime) -> Notice:
    """Queue a notice, once for each `dedupe_key` of an operator; return it as it stands."""
    if store.add_notice(connection, privacy.new_reference("NTC"), new, now):
        notice = store.get_by_key(connection, new.operator, new.dedupe_key)
        _note(privacy, connection, notice, now)
        return notice
    return store.get_by_key(connection, new.operator, new.dedupe_key)


@inside("a schedule of the worker runs it")
def send_due_notices(tools: NoticeTools, engine: Engine, *, now: datetime) -> int:
    """Send a batch of what is due, outside of any transaction; return how many were taken: again until 0."""
    taken = transact(engine, lambda connection: store.take_due(connection, now, BATCH))
    for notice in taken:
        _send(tools, engine, notice, now)
    return len(taken)


@asks(MayRecordDelivery)
def record_delivery(
    privacy: PrivacyTools,
    connection: Connection,
    notice_id: str,
    reported: NoticeState,
    *,
    now: datetime,
    failure: str | None = None,
) -> Notice:
    """Take a report of the channel in; late and repeated ones change nothing. BadInput for no such notice."""
    return _take_report(privacy, connection, notice_id, reported, now=now, failure=failure)


@inside("another use case knows that the person has read the notice")
def record_reached(privacy: PrivacyTools, connection: Connection, notice_id: str, *, now: datetime) -> Notice:
    """Note that the person answered to a notice."""
    return _take_report(privacy, connection, notice_id, NoticeState.REACHED, now=now)


@asks(MayReadNotices)
def find_notice(connection: Connection, notice_id: str) -> Notice | None:
    """Return a notice as it stands."""
    return store.find_notice(connection, notice_id)


@asks(MayReadNotices)
def list_notices(
    connection: Connection,
    *,
    operator: str | None,
    campaign: str | None = None,
    states: tuple[NoticeState, ...] = tuple(NoticeState),
    after: str = "",
    limit: int,
) -> tuple[Notice, ...]:
    """Return notices of an operator, by campaign and state, in the order of their references."""
    return store.list_notices(
        connection, operator=operator, campaign=campaign, states=states, after=after, limit=limit
    )


@asks(MayReadNotices)
def reach_of_campaign(connection: Connection, operator: str | None, campaign: str) -> CampaignReach:
    """Count how far the notices of a campaign came; `list_notices` names who was not reached."""
    return store.reach_of(connection, operator, campaign)


@inside("shared by the verbs about notices")
def unknown_notice() -> BadInput:
    """Return the error for a notice that is not there."""
    return BadInput(
        "NOTICE_UNKNOWN",
        Text(zh="没有这条通知。", en="There is no such notice."),
        Text(zh="请核对通知编号。", en="Compare the reference of the notice."),
    )


def _take_report(
    privacy: PrivacyTools,
    connection: Connection,
    notice_id: str,
    reported: NoticeState,
    *,
    now: datetime,
    failure: str | None = None,
) -> Notice:
    notice = store.find_notice(connection, notice_id, for_update=True)
    if notice is None:
        raise unknown_notice()
    state = decide_notice_state(notice.state, reported)
    if state is notice.state:
        return notice
    kept = failure if state is NoticeState.FAILED else None
    store.change_notice(connection, notice_id, state=state, changed_at=now, failure=kept)
    return _noted(privacy, connection, notice_id, now)


def _send(tools: NoticeTools, engine: Engine, notice: Notice, now: datetime) -> None:
    if notice.contact_evidence is not None:
        _send_to_contact(tools, engine, notice, now)
        return
    line = transact(engine, lambda connection: find_line(connection, notice.line_id or ""))
    if line is None or line.status is LineStatus.TERMINATED:
        _fail(tools, engine, notice, "LINE_GONE", now)
        return
    if line.status is LineStatus.PENDING:
        later = {"due_at": now + PENDING_PAUSE, "attempts": notice.attempts}
        transact(engine, lambda connection: store.change_notice(connection, notice.notice_id, **later))
        return
    message = _message(tools, engine, notice, line, now)
    if message is None:
        _fail(tools, engine, notice, "LINK_GONE", now)
        return
    _hand_over(tools, engine, notice, message, now)


def _send_to_contact(tools: NoticeTools, engine: Engine, notice: Notice, now: datetime) -> None:
    ready = transact(engine, lambda connection: renew_link(tools.privacy, connection, notice, now=now))
    if ready is None:
        _fail(tools, engine, notice, "LINK_GONE", now)
        return
    text = _with_link(notice.text, f"{tools.public_url}{LINK_PATH}/{ready.token}")
    key = f"{notice.dedupe_key}:{notice.attempts}"  # each sending has a link of its own: none is a repeat
    message = NoticeMessage(
        notice.notice_id, notice.operator, None, ready.contact, notice.template, text, key
    )
    _hand_over(tools, engine, notice, message, now)


def _hand_over(
    tools: NoticeTools, engine: Engine, notice: Notice, message: NoticeMessage, now: datetime
) -> None:
    try:
        answer = tools.port.send(message)
    except Unavailable as problem:
        _try_later(tools, engine, notice, problem, now)
        return
    if isinstance(answer, NoticeAccepted):
        _sent(tools, engine, notice, answer, now)
    else:
        _fail(tools, engine, notice, answer.why, now)


def _message(
    tools: NoticeTools, engine: Engine, notice: Notice, line: Line, now: datetime
) -> NoticeMessage | None:
    """Return what is sent to a line; None: the link that belongs in it works no more."""
    text, key = notice.text, notice.dedupe_key
    if LINK_PLACE in text.zh + text.en:
        token = transact(
            engine, lambda connection: renew_receipt_link(tools.privacy, connection, notice, now=now)
        )
        if token is None:
            return None
        text = _with_link(text, f"{tools.public_url}{RECEIPT_PATH}/{token}")
        key = f"{key}:{notice.attempts}"  # as in every message with a link: none is a repeat
    if CODE_PLACE in text.zh + text.en:
        code = draw_code(tools.privacy.random_bytes)
        hashed = hash_code(code, tools.privacy.random_bytes)
        transact(
            engine, lambda connection: store.change_notice(connection, notice.notice_id, code_hash=hashed)
        )
        text = Text(zh=text.zh.replace(CODE_PLACE, code), en=text.en.replace(CODE_PLACE, code))
    return NoticeMessage(
        notice.notice_id, notice.operator, line.line_id, line.number, notice.template, text, key
    )


def _with_link(text: Text, link: str) -> Text:
    return Text(zh=text.zh.replace(LINK_PLACE, link), en=text.en.replace(LINK_PLACE, link))


def _sent(tools: NoticeTools, engine: Engine, notice: Notice, answer: NoticeAccepted, now: datetime) -> None:
    def save(connection: Connection) -> None:
        store.change_notice(connection, notice.notice_id, channel_reference=answer.reference)
        _take_report(tools.privacy, connection, notice.notice_id, NoticeState.SENT, now=now)

    transact(engine, save)


def _fail(tools: NoticeTools, engine: Engine, notice: Notice, why: str, now: datetime) -> None:
    def save(connection: Connection) -> None:
        _take_report(tools.privacy, connection, notice.notice_id, NoticeState.FAILED, now=now, failure=why)

    transact(engine, save)


def _try_later(
    tools: NoticeTools, engine: Engine, notice: Notice, problem: Unavailable, now: datetime
) -> None:
    attempts = notice.attempts + 1
    if attempts >= ATTEMPTS_MAX:
        _fail(tools, engine, notice, problem.code, now)
        return
    due = now + min(FIRST_PAUSE * 2 ** (attempts - 1), PAUSE_MAX)
    transact(engine, lambda connection: store.change_notice(connection, notice.notice_id, due_at=due))


def _noted(privacy: PrivacyTools, connection: Connection, notice_id: str, now: datetime) -> Notice:
    notice = store.find_notice(connection, notice_id)
    if notice is None:  # pragma: no cover - it was held a moment ago
        raise unknown_notice()
    _note(privacy, connection, notice, now)
    return notice


def _note(privacy: PrivacyTools, connection: Connection, notice: Notice, now: datetime) -> None:
    kind = f"notice.{notice.state.value}"
    facts: dict[str, Fact] = {
        "notice": notice.notice_id,
        "line": notice.line_id,
        "template": notice.template,
        "about": notice.about,
        "campaign": notice.campaign,
        "failure": notice.failure,
    }
    record(connection, privacy.keys, kind=kind, facts=facts, now=now, operator=notice.operator)
    emit(connection, Event(kind, notice.notice_id, notice.operator, now, facts))
