"""The receipt by message: a link goes to the line itself; its holder reads the receipt without an account.

The token is drawn when the message is sent; only its hash is kept. A newer message takes the place of the
one before, and the end of the line or of its holder ends the link. A message that is asked for while the
network has not confirmed the line waits until it has.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.contracts import RECEIPT_SENT
from shiming.registrations.model.lines import Line
from shiming.registrations.model.notice_texts import RECEIPT_LINK
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.paper_receipts import PaperIssued
from shiming.registrations.model.receipt_links import (
    ReceiptByLink,
    ReceiptLink,
    ReceiptLinkRefused,
    ReceiptMessage,
)
from shiming.registrations.permissions.registration import MayReadReceipt
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.rules.receipt_links import (
    decide_message,
    decide_receipt_link,
    is_still_under_way,
    link_life,
)
from shiming.registrations.store import receipt_links as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.notices import find_notice
from shiming.registrations.store.stops import lock_line
from shiming.registrations.use_cases.link_tokens import draw_token, hash_token
from shiming.registrations.use_cases.notices import queue_notice, record_reached
from shiming.registrations.use_cases.paper_receipts import PaperWords, issue_paper_receipt
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

_TOKEN = "the link's token is the permission: 256 bits that only its bearer has"  # noqa: S105 - a reason


@asks(MayReadReceipt, MayRecordAcceptance)
def send_receipt(
    tools: RegistrationTools, connection: Connection, line_id: str, *, policy: Policy, now: datetime
) -> ReceiptMessage | ReceiptLinkRefused | None:
    """Have a link to its receipt sent to a line; None: no such line. Again within a minute is once."""
    line = lock_line(connection, line_id)
    if line is None:
        return None
    refusals = decide_message(line, policy)
    if refusals:
        return ReceiptLinkRefused(refusals)
    before = _message_of(connection, line)
    if before is not None and is_still_under_way(before, now=now):
        return before
    store.close_links(connection, line_id, now)
    unsent = hash_token(draw_token(tools.privacy))  # opens nothing: its token is known to nobody
    new = NewNotice(
        line.operator,
        line_id,
        line.subject,
        RECEIPT_LINK.template,
        RECEIPT_LINK.text,
        f"{RECEIPT_LINK.template}:{unsent}",
        about=line_id,
    )
    notice = queue_notice(tools.privacy, connection, new, now=now)
    until = now + link_life(policy)
    link = ReceiptLink(unsent, line_id, line.subject, line.operator, notice.notice_id, now, until)
    store.add_link(connection, link)
    facts: dict[str, Fact] = {"line": line_id, "notice": notice.notice_id}
    record(connection, tools.privacy.keys, kind=RECEIPT_SENT, facts=facts, now=now, operator=line.operator)
    emit(connection, Event(RECEIPT_SENT, line_id, line.operator, now, facts))
    return ReceiptMessage(line_id, notice.notice_id, notice.state, now, until)


@asks(MayReadReceipt)
def find_message(
    connection: Connection, line: Line, policy: Policy
) -> ReceiptMessage | ReceiptLinkRefused | None:
    """Return how far the latest message to a line came; None: none yet; refused: none can be sent now."""
    refusals = decide_message(line, policy)
    return ReceiptLinkRefused(refusals) if refusals else _message_of(connection, line)


@inside(_TOKEN)
def find_receipt(
    connection: Connection, token: str, *, policy: Policy, now: datetime
) -> ReceiptByLink | ReceiptLinkRefused:
    """Return whose receipt a link opens; nothing is written."""
    link = store.find_link(connection, hash_token(token))
    line = None if link is None else find_line(connection, link.line_id)
    refusals = decide_receipt_link(link, line, policy, now=now)
    if link is None or line is None or refusals:
        return ReceiptLinkRefused(refusals)
    return ReceiptByLink(line, link.expires_at, link.notice_id)


@inside(_TOKEN)
def note_read(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: Policy, now: datetime
) -> ReceiptByLink | ReceiptLinkRefused:
    """Note that the message of a link reached its reader; the first time counts.

    Messengers fetch addresses to show a preview, so that fetching the page alone is no reason to note it.
    """
    found = find_receipt(connection, token, policy=policy, now=now)
    if isinstance(found, ReceiptByLink):
        record_reached(tools.privacy, connection, found.notice_id, now=now)
    return found


@inside(_TOKEN)
def open_receipt(
    tools: RegistrationTools, connection: Connection, token: str, words: PaperWords, *, now: datetime
) -> PaperIssued | ReceiptLinkRefused:
    """Return the receipt that a link opens, on paper: noted as any other that is given out, and as read."""
    found = note_read(tools, connection, token, policy=words.policy, now=now)
    if isinstance(found, ReceiptLinkRefused):
        return found
    issued = issue_paper_receipt(tools, connection, found.line.line_id, words, now=now)
    if issued is None:  # pragma: no cover - the line was found a moment ago
        return ReceiptLinkRefused(decide_receipt_link(None, None, words.policy, now=now))
    return issued


def _message_of(connection: Connection, line: Line) -> ReceiptMessage | None:
    """Return the message that went to the present holder of a line."""
    link = store.find_open(connection, line.line_id)
    notice = find_notice(connection, link.notice_id) if link else None
    if link is None or notice is None or link.subject != line.subject:
        return None
    return ReceiptMessage(line.line_id, notice.notice_id, notice.state, link.made_at, link.expires_at)
