"""A confirmation code straight to the customer: to a line that they hold already, past the counter.

The message goes to the channel at once and is kept nowhere, unlike a notice: it names a number and a code.
"""

from sqlalchemy.engine import Connection

from shiming.registrations.model.confirmation import CodeIssued
from shiming.registrations.model.lines import Line, LineKind, LineStatus
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.ports.notices import NoticeAccepted, NoticeMessage, NoticePort
from shiming.registrations.store.lines import list_by_person
from shiming.registrations.store.orders import find_proving_session
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import asks

TEMPLATE = "confirmation_code"
_RECEIVE = frozenset({LineStatus.ACTIVE, LineStatus.ONE_WAY_STOPPED})
_HELD_MAX = 100  # lines of one person, ended ones too; the latest that receives messages is taken


@asks(MayRecordAcceptance)
def find_own_line(connection: Connection, session_id: str, operator: str) -> Line | None:
    """Return the line of the person of a session that a code can be sent to; None: they hold none here."""
    session = find_proving_session(connection, session_id)
    if session is None or session.subject is None:
        return None
    held = list_by_person(connection, session.subject, operator=operator, after=None, limit=_HELD_MAX)
    receiving = [line for line in held if line.kind is LineKind.MOBILE and line.status in _RECEIVE]
    return receiving[-1] if receiving else None


@asks(MayRecordAcceptance)
def send_code(port: NoticePort, line: Line, issued: CodeIssued) -> bool:
    """Send a code, outside of any transaction; False: it never arrives, Unavailable: it may later."""
    asked = issued.matter.sentence()
    key = f"{TEMPLATE}:{issued.matter.reference}:{issued.expires_at.isoformat()}"
    text = Text(
        zh=f"{asked.zh}如果您同意，请把确认码 {issued.code} 告诉营业员；否则请勿告诉任何人。",
        en=f"{asked.en} If you agree, read the code {issued.code} to the clerk; else tell nobody.",
    )
    message = NoticeMessage(
        notice_id=key,
        operator=line.operator,
        line_id=line.line_id,
        to=line.number,
        template=TEMPLATE,
        text=text,
        dedupe_key=key,
    )
    return isinstance(port.send(message), NoticeAccepted)
