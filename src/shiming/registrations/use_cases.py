"""The verbs of registration. Each runs inside the caller's transaction: all of it happens, or nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.signing import Signer
from shiming.privacy.model import EvidenceKind, EvidenceRef, RetentionEvents
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import list_metadata, start_retention_clocks
from shiming.registrations import store
from shiming.registrations.errors import Refusal, RefusalCode
from shiming.registrations.model import (
    CapReached,
    Line,
    LineRegistered,
    LineStatus,
    NumberRefused,
    RegisterLine,
    RegistrationPolicy,
    RegistrationRefused,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.ports import ProvenSessions
from shiming.registrations.receipts import make_receipt
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.number_free import decide_number_free
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.vocabulary.errors import Text, Unavailable
from shiming.vocabulary.msisdn import Msisdn

schema = store.schema


@dataclass(frozen=True, slots=True)
class RegistrationTools:
    """The vault and ledger, the proofing sessions, the key of receipts; `sandbox` allows rehearsals."""

    privacy: PrivacyTools
    sessions: ProvenSessions
    signer: Signer
    sandbox: bool = False


def register_line(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> LineRegistered | RegistrationRefused:
    """Give a number to the person of a verified session; the same session and number again is the same act.

    (1) the session proves a person, freshly, for this operator, and is not used up
    (2) what the law wants recorded of the holder is in the vault
    (3) the number is of the plan and free
    (4) the person is under the cap
    (5) the line is active, the session is used up, the ledger says so: one transaction
    """
    former = store.find_by_session(connection, command.session_id)
    if former is not None:
        return _repeat(connection, former, command, policy)
    session = decide_session_usable(
        tools.sessions.get(connection, command.session_id),
        operator=command.operator,
        policy=policy,
        sandbox=tools.sandbox,
        now=now,
    )
    evidence = list_metadata(connection, case_reference=command.session_id)
    refusals = (
        *(session.refusals if isinstance(session, SessionNotUsable) else ()),
        *_identity_missing(session, evidence, policy),
        *_number_refused(connection, command, policy),
        *_cap_reached(connection, session, command, policy),
    )
    if refusals or isinstance(session, SessionNotUsable):
        return _refuse(tools, connection, command, refusals, now=now)
    return _activate(tools, connection, command, session, evidence, policy=policy, now=now)


def terminate_line(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    why: str,
    policy: RegistrationPolicy,
    now: datetime,
) -> Line | None:
    """End a line: the number and the cap slot are free, the retention clocks start. Twice is once."""
    line = store.find_line(connection, line_id)
    if line is None or line.status is LineStatus.TERMINATED:
        return line
    store.terminate(connection, line_id, now=now, why=why)
    store.give_cap_slot_back(connection, line)
    start_retention_clocks(
        connection,
        case_reference=line.session_id,
        retention=policy.retention,
        events=RetentionEvents(service_ended_at=now),
    )
    facts: dict[str, Fact] = {"line": line_id, "operator": line.operator, "subject": line.subject, "why": why}
    record(connection, tools.privacy.keys, kind="line.terminated", facts=facts, now=now)
    return store.find_line(connection, line_id)


def show_line(connection: Connection, number: Msisdn) -> Line | None:
    """Return the line that uses a number, or the last one that did."""
    return store.find_latest(connection, number)


def _repeat(
    connection: Connection, former: Line, command: RegisterLine, policy: RegistrationPolicy
) -> LineRegistered | RegistrationRefused:
    if former.number == command.number and former.operator == command.operator:
        return LineRegistered(store.get_receipt(connection, former.line_id), repeated=True)
    return RegistrationRefused((Refusal(RefusalCode.SESSION_CONSUMED, policy.session_citation),))


def _identity_missing(
    session: SessionUsable | SessionNotUsable, evidence: tuple[EvidenceRef, ...], policy: RegistrationPolicy
) -> tuple[Refusal, ...]:
    if isinstance(session, SessionNotUsable) or not policy.identity_record_required:
        return ()
    recorded = any(
        ref.kind is EvidenceKind.IDENTITY_RECORD and ref.subject == session.subject and ref.erased_at is None
        for ref in evidence
    )
    return () if recorded else (Refusal(RefusalCode.IDENTITY_NOT_RECORDED, policy.identity_citation),)


def _number_refused(
    connection: Connection, command: RegisterLine, policy: RegistrationPolicy
) -> tuple[Refusal, ...]:
    holder = store.find_in_use(connection, command.number)
    number = decide_number_free(command.number, holder.line_id if holder else None, policy)
    return (number.refusal,) if isinstance(number, NumberRefused) else ()


def _cap_reached(
    connection: Connection,
    session: SessionUsable | SessionNotUsable,
    command: RegisterLine,
    policy: RegistrationPolicy,
) -> tuple[Refusal, ...]:
    if isinstance(session, SessionNotUsable):
        return ()
    holdings = store.list_holdings(
        connection,
        subject=session.subject,
        cap_scope=policy.cap_scope_of(command.operator),
        product_class=policy.line_cap.product_class.value,
    )
    cap = decide_line_cap(holdings, policy.line_cap)
    return (Refusal(RefusalCode.CAP_REACHED, cap.citation),) if isinstance(cap, CapReached) else ()


def _refuse(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    refusals: tuple[Refusal, ...],
    *,
    now: datetime,
) -> RegistrationRefused:
    """Record the refusal of a session that exists; what was typed for no session is no record."""
    codes = [refusal.code.value for refusal in refusals]
    if RefusalCode.SESSION_UNKNOWN not in codes:
        facts: dict[str, Fact] = {
            "session": command.session_id,
            "operator": command.operator,
            "codes": ",".join(codes),
        }
        record(connection, tools.privacy.keys, kind="registration.refused", facts=facts, now=now)
    return RegistrationRefused(refusals)


def _activate(
    tools: RegistrationTools,
    connection: Connection,
    command: RegisterLine,
    session: SessionUsable,
    evidence: tuple[EvidenceRef, ...],
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> LineRegistered | RegistrationRefused:
    cap = policy.line_cap
    line = Line(
        line_id=tools.privacy.new_reference("REG"),
        number=command.number,
        operator=command.operator,
        product_class=cap.product_class.value,
        cap_scope=policy.cap_scope_of(command.operator),
        subject=session.subject,
        session_id=command.session_id,
        status=LineStatus.ACTIVE,
        registered_at=now,
    )
    active = store.take_cap_slot(
        connection,
        subject=line.subject,
        cap_scope=line.cap_scope,
        product_class=line.product_class,
        cap=cap.lines_per_identity_max.value,
    )
    if active is None:  # another registration was faster, or the counter disagrees with the rows
        refusal = Refusal(RefusalCode.CAP_REACHED, cap.lines_per_identity_max.citation)
        return _refuse(tools, connection, command, (refusal,), now=now)
    if not tools.sessions.consume(connection, line.session_id, by=line.line_id):
        raise _session_busy()
    facts: dict[str, Fact] = {
        "line": line.line_id,
        "operator": line.operator,
        "product_class": line.product_class,
        "subject": line.subject,
        "session": line.session_id,
        "decision_receipt": session.receipt_hash,
        "rehearsal": session.rehearsal,
        "active": active,
        "pack": policy.pack_hash,
    }
    leaf = record(connection, tools.privacy.keys, kind="line.registered", facts=facts, now=now)
    receipt = make_receipt(
        line, session, active=active, evidence=evidence, policy=policy, leaf=leaf, signer=tools.signer
    )
    store.insert_line(connection, line, receipt)
    return LineRegistered(receipt)


def _session_busy() -> Unavailable:
    """Return the error that rolls the transaction back; a repeat then finds what the other one did."""
    return Unavailable(
        "SESSION_IN_USE",
        Text(zh="该会话正在登记另一个号码。", en="Another registration is using this session now."),
        Text(zh="请稍后重试。", en="Try again in a moment."),
    )
