"""Who may vouch for an applicant (NIST SP 800-63A: trusted referees and applicant references)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shiming.identity_proofing.model.challenge import ChallengeOrigin
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.model.session import Session
from shiming.jurisdictions.model import Channel, Policy, RefereePolicy, Route

VERIFIED = "Verified"


@dataclass(frozen=True, slots=True)
class Voucher:
    """The proof of somebody who is to vouch, and for how many they did in the period that counts."""

    session: str
    category: str
    route: Route
    operator: str | None
    outcome: str | None
    subject: str | None
    proven_at: datetime | None
    challenge_origin: str | None
    used_for: str | None
    applicants: int


@dataclass(frozen=True, slots=True)
class Applicant:
    """The session of who is vouched for. `subject` is known once its document was decided on."""

    session: Session
    operator: str | None
    subject: str | None
    evidence: Evidence | None


def route_offered(policy: Policy, channel: Channel, route: Route) -> bool:
    """Say whether a route of the pack is open in a channel: a referee comes in person."""
    if route is not Route.REFEREE:
        return True
    return policy.referee is not None and channel in policy.referee.channels.value


def refuse_referee(
    voucher: Voucher, applicant: Applicant, policy: Policy, *, now: datetime, sandbox: bool = False
) -> str | None:
    """Return the code of why this person cannot vouch for that one; None when they can.

    (1) the session is open, on this route, where the pack foresees it, and nobody found against the applicant
    (2) the referee is proven, for real, freshly, at this operator, by themselves, and not used up
    (3) they are somebody else  (4) they vouch for few
    """
    return next(_refusals(voucher, applicant, policy, now=now, sandbox=sandbox), None)


def _refusals(
    voucher: Voucher, applicant: Applicant, policy: Policy, *, now: datetime, sandbox: bool
) -> Iterator[str]:
    rules, session = policy.referee, applicant.session
    if session.state.is_final:
        yield "SESSION_CLOSED"
    if now >= session.expires_at:
        yield "SESSION_EXPIRED"
    on_route = session.route is Route.REFEREE and route_offered(policy, session.channel, session.route)
    if rules is None or not on_route:
        yield "REFEREE_NOT_FORESEEN"
        return
    found = applicant.evidence.reviews if applicant.evidence else ()
    if any(not (each.same_person and each.document_genuine) for each in found):
        yield "REFEREE_AFTER_REVIEW"
    yield from _proof(voucher, applicant, rules, now=now, sandbox=sandbox)
    if voucher.session == session.id or (voucher.subject and voucher.subject == applicant.subject):
        yield "REFEREE_IS_APPLICANT"
    if voucher.applicants >= rules.applicants_max.value:
        yield "REFEREE_LIMIT_REACHED"


def _proof(
    voucher: Voucher, applicant: Applicant, rules: RefereePolicy, *, now: datetime, sandbox: bool
) -> Iterator[str]:
    if voucher.operator != applicant.operator:
        yield "REFEREE_NOT_PROVEN"  # of another operator: nothing is said of it
    if voucher.outcome != VERIFIED or voucher.subject is None or voucher.proven_at is None:
        yield "REFEREE_NOT_PROVEN"
        return
    if voucher.challenge_origin not in {None, ChallengeOrigin.DRAWN.value} and not sandbox:
        yield "REFEREE_REHEARSED"
    if not timedelta() <= now - voucher.proven_at <= timedelta(hours=rules.proof_hours.value):
        yield "REFEREE_PROOF_TOO_OLD"
    if voucher.category not in rules.categories.value or voucher.route is Route.REFEREE:
        yield "REFEREE_NOT_ALLOWED"
    if voucher.used_for not in {None, applicant.session.id}:
        yield "REFEREE_SESSION_USED"
