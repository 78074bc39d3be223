"""Decide whether somebody may act for the holder of an order (Order 25 art. 6; Civil Code arts 17, 19)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shiming.jurisdictions.model import Policy, ProxyAllowed
from shiming.registrations.errors.representation import RepresentationRefusal as Code
from shiming.registrations.model.orders import Representative, RepresentativeRole
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.model.representation import RepresentationFacts
from shiming.vocabulary.refusals import Refusal


def decide_representation(
    facts: RepresentationFacts, policy: Policy, *, now: datetime, sandbox: bool = False
) -> tuple[Refusal, ...]:
    """Return every reason why the order cannot be registered with this representative, or without one."""
    behalf = facts.representative
    if behalf is None:
        return _nobody_acts(facts, policy)
    if behalf.role is RepresentativeRole.HANDLER:
        return ()  # of an organisation: its own rules
    #  (1) the law lets this one act for that one
    #  (2) they are proven in person, freshly, here, in a session that serves no other order
    #  (3) they are somebody else, of age, and their document is recorded
    #  (4) what entitles them is kept
    #  (5) a proxy acts for few
    return (
        *_role(facts, behalf, policy),
        *_proof(facts, behalf, policy, sandbox=sandbox, now=now),
        *_person(facts, policy),
        *_entitlement(facts, behalf, policy),
        *_limit(facts, behalf, policy),
    )


def needs_guardian(category: str | None, policy: Policy) -> bool:
    """Say whether a person of this category acts through a guardian."""
    documents = policy.documents.get(category) if category else None
    return documents is not None and documents.guardian_required.value


def _nobody_acts(facts: RepresentationFacts, policy: Policy) -> tuple[Refusal, ...]:
    if facts.category is None or not needs_guardian(facts.category, policy):
        return ()
    citation = policy.documents[facts.category].guardian_required.citation
    return (Refusal(Code.REPRESENTATIVE_REQUIRED, citation),)


def _role(facts: RepresentationFacts, behalf: Representative, policy: Policy) -> Iterator[Refusal]:
    allowed = policy.proxies.allowed
    guarded = needs_guardian(facts.category, policy)
    if allowed.value is ProxyAllowed.NOBODY or (allowed.value is ProxyAllowed.MINORS_ONLY and not guarded):
        yield Refusal(Code.REPRESENTATION_NOT_ALLOWED, allowed.citation)
    if facts.category is None or facts.category not in policy.documents:
        return
    citation = policy.documents[facts.category].guardian_required.citation
    if guarded and behalf.role is not RepresentativeRole.GUARDIAN:
        yield Refusal(Code.GUARDIAN_REQUIRED_AS_REPRESENTATIVE, citation)
    if not guarded and behalf.role is RepresentativeRole.GUARDIAN:
        yield Refusal(Code.GUARDIAN_NOT_NEEDED, citation)


def _proof(
    facts: RepresentationFacts, behalf: Representative, policy: Policy, *, sandbox: bool, now: datetime
) -> Iterator[Refusal]:
    both = policy.proxies.both_proven
    if not both.value and behalf.role is not RepresentativeRole.GUARDIAN:
        return
    session = facts.session
    if session is None:
        yield Refusal(Code.REPRESENTATIVE_UNKNOWN, both.citation)
        return
    if session.outcome != VERIFIED or session.subject is None or session.decided_at is None:
        yield Refusal(Code.REPRESENTATIVE_NOT_PROVEN, both.citation)
    if not _is_fresh(session, policy, now):
        yield Refusal(Code.REPRESENTATIVE_PROOF_TOO_OLD, policy.time_limits.session_minutes.citation)
    if session.operator not in {None, facts.operator}:
        yield Refusal(Code.REPRESENTATIVE_OF_OTHER_OPERATOR, both.citation)
    if session.challenge_origin not in {None, DRAWN} and not sandbox:
        yield Refusal(Code.REPRESENTATIVE_REHEARSED, policy.time_limits.session_minutes.citation)
    if session.consumed_by not in {None, facts.order}:
        yield Refusal(Code.REPRESENTATIVE_SESSION_USED, both.citation)


def _is_fresh(session: ProvenSession, policy: Policy, now: datetime) -> bool:
    age_max = timedelta(minutes=policy.time_limits.session_minutes.value)
    return session.decided_at is None or session.decided_at <= now <= session.decided_at + age_max


def _person(facts: RepresentationFacts, policy: Policy) -> Iterator[Refusal]:
    session, citation = facts.session, policy.proxies.both_proven.citation
    if facts.holder is None:
        yield Refusal(Code.PRINCIPAL_NOT_PROVEN, citation)
    if session is None or session.subject is None:
        return
    if session.subject == facts.holder:
        yield Refusal(Code.REPRESENTATIVE_IS_HOLDER, citation)
    if needs_guardian(facts.session_category, policy):
        yield Refusal(Code.REPRESENTATIVE_NOT_OF_AGE, policy.handover.age_years.citation)
    if not facts.identity_recorded:
        yield Refusal(Code.REPRESENTATIVE_NOT_RECORDED, citation)


def _entitlement(facts: RepresentationFacts, behalf: Representative, policy: Policy) -> Iterator[Refusal]:
    guardian = behalf.role is RepresentativeRole.GUARDIAN
    required = policy.proxies.authority_document_required
    if (guardian or required.value) and not facts.authority_recorded:
        yield Refusal(Code.AUTHORITY_DOCUMENT_MISSING, required.citation)
    if guardian and behalf.relation is None:
        yield Refusal(Code.GUARDIAN_RELATION_MISSING, required.citation)


def _limit(facts: RepresentationFacts, behalf: Representative, policy: Policy) -> Iterator[Refusal]:
    most = policy.proxies.principals_per_proxy_max
    if behalf.role is RepresentativeRole.PROXY and facts.principals >= most.value:
        yield Refusal(Code.PROXY_LIMIT_REACHED, most.citation)
