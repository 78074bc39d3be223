"""Name who vouches for an applicant: a person proven in a session of their own."""

from datetime import timedelta

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.evidence import RefereeEvidence
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.rules.equal_ways import people_decide
from shiming.identity_proofing.rules.sessions import wait_for_people
from shiming.identity_proofing.rules.vouching import Applicant, Voucher, refuse_referee
from shiming.identity_proofing.use_cases.desk import Desk, step_of
from shiming.identity_proofing.use_cases.steps import Step
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.permissions import asks

REFEREE_NAMED = "proofing.referee_named"


@asks(MayReviewSession)
def name_referee(
    desk: Desk, connection: Connection, session_id: str, referee_session: str, *, named_by: str
) -> Session:
    """Take a proven person as the referee of a session; the same one again changes nothing.

    What staff found before the referee was there is asked again. The referee's proof serves this session
    alone from now on, so that their evidence belongs to the line that comes of it.
    """
    now, session = desk.tools.clock.now(), store.get_session(connection, session_id)
    policy = desk.policies(session.pack_id, desk.on)
    step = step_of(desk, connection, session_id, policy)
    applicant, voucher = _applicant(step), _voucher(step, policy, referee_session)
    sandbox = desk.tools.rehearsed is not None  # only a sandbox has a challenge that everybody is asked
    if code := refuse_referee(voucher, applicant, policy, now=now, sandbox=sandbox):
        raise refused(code)
    before = applicant.evidence.referee if applicant.evidence else None
    if before is not None and before.session == voucher.session:
        return applicant.session
    if not store.use_up_for_vouching(connection, voucher.session, session_id, now):
        raise refused("REFEREE_SESSION_USED")
    proof = store.find_decided_session(connection, voucher.session)
    if proof is None or proof.decided_at is None:  # pragma: no cover - it was read above
        raise refused("REFEREE_NOT_PROVEN")
    receipt = proof.receipt_hash or ""
    named = RefereeEvidence(
        voucher.session, voucher.category, receipt, proof.decided_at, named_at=now, named_by=named_by
    )
    step.record(referee=named, reviews=())
    _tell(step, named, applicant.operator or "")
    return _waiting(step, applicant)


def _applicant(step: Step) -> Applicant:
    decided = store.find_decided_session(step.connection, step.session_id)
    return Applicant(
        session=store.get_session(step.connection, step.session_id),
        operator=decided.operator if decided else None,
        subject=decided.subject if decided else None,
        evidence=store.find_evidence(step.connection, step.session_id),
    )


def _voucher(step: Step, policy: Policy, referee_session: str) -> Voucher:
    days = policy.referee.applicants_days.value if policy.referee else 0
    since = step.tools.clock.now() - timedelta(days=days)
    found = store.find_voucher(step.connection, referee_session, since=since, applicant=step.session_id)
    if found is None:
        raise refused("REFEREE_NOT_PROVEN")
    return found


def _waiting(step: Step, applicant: Applicant) -> Session:
    """Let the session wait for people once the document is there too."""
    session, evidence = applicant.session, applicant.evidence
    if evidence is None or evidence.document is None or not people_decide(step.policy, session):
        return session
    waiting = wait_for_people(session, step.policy, step.tools.clock.now())
    store.save_session(step.connection, waiting)
    held_pieces.keep_until(step.connection, waiting.id, waiting.expires_at)
    return waiting


def _tell(step: Step, named: RefereeEvidence, operator: str) -> None:
    facts: dict[str, str | int | bool | None] = {
        "session": step.session_id,
        "referee": named.session,
        "named_by": named.named_by,
    }
    step.tools.record(step.connection, kind=REFEREE_NAMED, facts=facts, operator=operator)
    told: dict[str, str | int | bool | None] = {"session": step.session_id, "referee": named.session}
    emit(step.connection, Event(REFEREE_NAMED, step.session_id, operator, named.named_at, told))
