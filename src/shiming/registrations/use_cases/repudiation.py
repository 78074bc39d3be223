"""The principal of a proxy says "not mine": the line stops, its evidence is sealed, people decide.

The place under the cap and the number stay taken until the decision.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.pinning import pin_case, unpin_cases
from shiming.privacy.use_cases.vault import attach_line
from shiming.registrations.errors.repudiation import RepudiationRefusal
from shiming.registrations.events.repudiation import LINE_REPUDIATED, REPUDIATION_DECIDED
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.notice_texts import PROXY_REGISTERED
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.model.repudiation import (
    CodeGiven,
    LineRepudiated,
    Means,
    Repudiation,
    RepudiationFacts,
    RepudiationRefused,
    RepudiationState,
)
from shiming.registrations.model.stops import StopRefused
from shiming.registrations.permissions.repudiation import MayDecideRepudiation, MayTakeRepudiation
from shiming.registrations.rules.repudiation import decide_repudiation, decide_repudiation_decision
from shiming.registrations.store import holder_clocks as line_proofs
from shiming.registrations.store import notices
from shiming.registrations.store import representation as proofs
from shiming.registrations.store import repudiations as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.lines import terminate_line
from shiming.registrations.use_cases.notices import record_reached
from shiming.registrations.use_cases.one_time_codes import is_code
from shiming.registrations.use_cases.stops import lift_stop, set_stop
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

_FACT_LENGTH_MAX = 200  # of the ledger
_NOT_MINE = "repudiated"


@dataclass(frozen=True, slots=True)
class Spoken:
    """How the principal shows who they are: by a fresh session, or by the code of the notice. One of them."""

    session_id: str | None = None
    code: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.session_id is None) == (self.code is None):
            raise BadInput(
                "REPUDIATION_BY_WHAT",
                Text(zh="请提供会话编号或验证码之一。", en="Give a session or the code of the notice."),
                Text(zh="二者任选其一。", en="Give one of them, not both."),
            )


@asks(MayTakeRepudiation)
def repudiate_line(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    spoken: Spoken,
    *,
    policy: Policy,
    now: datetime,
) -> LineRepudiated | RepudiationRefused:
    """Stop a line that its holder says is not theirs, and seal its evidence.

    Raises BadInput for a line that is not there. A wrong code counts: commit the refusal too.
    """
    line = _get_line(connection, line_id)
    facts = _facts(connection, line, spoken)
    if facts.former is not None and _is_same(connection, facts.former, spoken):
        return LineRepudiated(facts.former, repeated=True)
    refusals = decide_repudiation(facts, policy, now=now, sandbox=tools.sandbox)
    if refusals:
        _count_wrong_code(connection, line, facts)
        return _refused(tools, connection, line, refusals, now)
    if spoken.session_id is not None and not proofs.use_session(connection, spoken.session_id, line_id):
        citation = policy.time_limits.session_minutes.citation
        used = (Refusal(RepudiationRefusal.PRINCIPAL_PROOF_USED, citation),)
        return _refused(tools, connection, line, used, now)
    new = Repudiation(
        repudiation_id=tools.privacy.new_reference("RPD"),
        line_id=line_id,
        operator=line.operator,
        subject=line.subject,
        means=Means.SESSION if spoken.session_id is not None else Means.CODE,
        state=RepudiationState.OPEN,
        stated_at=now,
    )
    if not store.add_repudiation(connection, new):
        citation = policy.proxies.repudiation_days.citation
        already = (Refusal(RepudiationRefusal.REPUDIATED_ALREADY, citation),)
        return _refused(tools, connection, line, already, now)
    if spoken.session_id is not None:
        line_proofs.add_proof(connection, spoken.session_id, line_id, line.operator, now)
        attach_line(connection, case_reference=spoken.session_id, line_id=line_id)
    stopped = set_stop(
        tools,
        connection,
        line_id,
        reason=StopReason.DISPUTE,
        actor=StopActor.HOLDER,
        reference=new.repudiation_id,
        now=now,
        policy=policy,
    )
    if isinstance(stopped, StopRefused):
        message = "the pack does not let a holder stop a line in dispute"
        raise LookupError(message)  # noqa: TRY004 - a fault of the pack, not of a type
    return _seal(tools, connection, line, new, now)


@asks(MayDecideRepudiation)
def decide_dispute(
    tools: RegistrationTools,
    connection: Connection,
    repudiation_id: str,
    *,
    upheld: bool,
    by: str,
    policy: Policy,
    registration_policy: RegistrationPolicy,
    now: datetime,
) -> Repudiation | RepudiationRefused:
    """Decide a dispute: upheld, the line ends and its place is free; rejected, it works again."""
    found = store.find_repudiation(connection, repudiation_id, for_update=True)
    if found is None:
        raise repudiation_unknown()
    refusals = decide_repudiation_decision(found, policy)
    if refusals:
        return RepudiationRefused(refusals)
    state = RepudiationState.UPHELD if upheld else RepudiationState.REJECTED
    store.decide(connection, repudiation_id, state, by=by, now=now)
    unpin_cases(connection, pinned_for=repudiation_id)
    if upheld:
        terminate_line(tools, connection, found.line_id, why=_NOT_MINE, policy=registration_policy, now=now)
    else:
        lift_stop(
            tools,
            connection,
            found.line_id,
            reason=StopReason.DISPUTE,
            actor=StopActor.COMPLIANCE,
            reference=repudiation_id,
            now=now,
            policy=policy,
            account=by,
        )
    facts: dict[str, Fact] = {"line": found.line_id, "repudiation": repudiation_id, "state": state.value}
    keys, operator = tools.privacy.keys, found.operator
    record(connection, keys, kind=REPUDIATION_DECIDED, facts={**facts, "by": by}, now=now, operator=operator)
    emit(connection, Event(REPUDIATION_DECIDED, found.line_id, operator, now, facts))
    decided = store.find_repudiation(connection, repudiation_id)
    return decided or found


@asks(MayTakeRepudiation)
def find_repudiation(connection: Connection, repudiation_id: str) -> Repudiation | None:
    """Return a dispute."""
    return store.find_repudiation(connection, repudiation_id)


@asks(MayTakeRepudiation)
def list_repudiations(
    connection: Connection, *, operator: str | None, open_only: bool = False, after: str = "", limit: int
) -> tuple[Repudiation, ...]:
    """Return disputes of an operator in the order of their references."""
    return store.list_repudiations(
        connection, operator=operator, open_only=open_only, after=after, limit=limit
    )


@inside("shared by the verbs about disputes")
def repudiation_unknown() -> BadInput:
    """Return the error for a dispute that is not there."""
    return BadInput(
        "REPUDIATION_UNKNOWN",
        Text(zh="没有这项异议。", en="There is no such dispute."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _get_line(connection: Connection, line_id: str) -> Line:
    line = find_line(connection, line_id)
    if line is None:
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return line


def _facts(connection: Connection, line: Line, spoken: Spoken) -> RepudiationFacts:
    order = find_order(connection, line.session_id)
    found = proofs.find_proof(connection, spoken.session_id) if spoken.session_id else None
    return RepudiationFacts(
        operator=line.operator,
        line_id=line.line_id,
        holder=line.subject,
        line_ended=line.status is LineStatus.TERMINATED,
        registered_at=line.registered_at,
        role=order.representative.role if order and order.representative else None,
        former=store.find_of_line(connection, line.line_id),
        session=found[0] if found else None,
        session_named=spoken.session_id is not None,
        code=_code(connection, line, spoken.code),
    )


def _code(connection: Connection, line: Line, code: str | None) -> CodeGiven | None:
    """Compare a code; the notice is held, so that guesses come one after another."""
    if code is None:
        return None
    sent = notices.find_about(connection, line.line_id, PROXY_REGISTERED.template)
    held = sent and notices.find_notice(connection, sent.notice_id, for_update=True)
    if not held or held.code_hash is None or held.subject != line.subject:
        return CodeGiven(right=False, attempts=0)
    return CodeGiven(is_code(code, held.code_hash), held.code_attempts)


def _count_wrong_code(connection: Connection, line: Line, facts: RepudiationFacts) -> None:
    if facts.code is None or facts.code.right:
        return
    sent = notices.find_about(connection, line.line_id, PROXY_REGISTERED.template)
    if sent is not None:
        notices.change_notice(connection, sent.notice_id, code_attempts=sent.code_attempts + 1)


def _is_same(connection: Connection, former: Repudiation, spoken: Spoken) -> bool:
    return spoken.session_id is not None and spoken.session_id in line_proofs.proofs_of(
        connection, former.line_id
    )


def _seal(
    tools: RegistrationTools, connection: Connection, line: Line, new: Repudiation, now: datetime
) -> LineRepudiated:
    """Pin the evidence of all cases of the line, and write its references down, as a hash in the ledger."""
    order = find_order(connection, line.session_id)
    behalf = order.representative.session_id if order and order.representative else None
    cases = [line.session_id, behalf, *line_proofs.proofs_of(connection, line.line_id)]
    evidence: list[str] = []
    for case in filter(None, cases):
        pinned = pin_case(connection, case_reference=case, pinned_for=new.repudiation_id, now=now)
        evidence += [ref.evidence_id for ref in pinned]
    if new.means is Means.CODE:
        sent = notices.find_about(connection, line.line_id, PROXY_REGISTERED.template)
        if sent is not None:
            record_reached(tools.privacy, connection, sent.notice_id, now=now)
    facts: dict[str, Fact] = {
        "line": line.line_id,
        "repudiation": new.repudiation_id,
        "means": new.means.value,
        "representative_session": behalf,
        "evidence_count": len(evidence),
        "evidence_hash": hashlib.sha256("\n".join(sorted(evidence)).encode()).hexdigest(),
    }
    keys, operator = tools.privacy.keys, line.operator
    record(connection, keys, kind=LINE_REPUDIATED, facts=facts, now=now, operator=operator)
    emit(connection, Event(LINE_REPUDIATED, line.line_id, operator, now, facts))
    return LineRepudiated(new, tuple(evidence))


def _refused(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    refusals: tuple[Refusal, ...],
    now: datetime,
) -> RepudiationRefused:
    codes = ",".join(refusal.code.value for refusal in refusals)
    facts: dict[str, Fact] = {"line": line.line_id, "codes": codes[:_FACT_LENGTH_MAX]}
    kind = "line.repudiation_refused"
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=line.operator)
    return RepudiationRefused(refusals)
