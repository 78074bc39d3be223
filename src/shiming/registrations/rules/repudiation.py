"""Decide whether the principal of a proxy can still say "not mine" without giving a reason."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.repudiation import RepudiationRefusal as Code
from shiming.registrations.model.orders import RepresentativeRole
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.model.repudiation import Repudiation, RepudiationFacts, RepudiationState
from shiming.registrations.rules.holder_clocks import is_fresh
from shiming.vocabulary.refusals import Refusal

#: Wrong codes before the code is void: eight digits leave one guess in twenty million.
CODE_ATTEMPTS_MAX = 5


def decide_repudiation(
    facts: RepudiationFacts, policy: Policy, *, now: datetime, sandbox: bool = False
) -> tuple[Refusal, ...]:
    """Return every reason why the line cannot be repudiated now; none: it is.

    (1) a proxy acted, the line lives, and it was not repudiated before; (2) within the days of the policy;
    (3) it is the principal who speaks: by a fresh proof, or by the code of the notice.
    """
    return (
        *_line(facts, policy, now),
        *_proof(facts, policy, sandbox=sandbox, now=now),
        *_code(facts, policy),
    )


def decide_repudiation_decision(repudiation: Repudiation, policy: Policy) -> tuple[Refusal, ...]:
    """Return why a dispute cannot be decided; none: it is open."""
    if repudiation.state is RepudiationState.OPEN:
        return ()
    return (Refusal(Code.REPUDIATION_DECIDED, policy.proxies.repudiation_days.citation),)


def _line(facts: RepudiationFacts, policy: Policy, now: datetime) -> Iterator[Refusal]:
    days = policy.proxies.repudiation_days
    if facts.role is not RepresentativeRole.PROXY:
        yield Refusal(Code.REPUDIATION_NOT_BY_PROXY, policy.proxies.allowed.citation)
    if facts.former is not None:
        yield Refusal(Code.REPUDIATED_ALREADY, days.citation)
    elif facts.line_ended:
        yield Refusal(Code.REPUDIATION_LINE_TERMINATED, days.citation)
    if now > facts.registered_at + timedelta(days=days.value):
        yield Refusal(Code.REPUDIATION_LATE, days.citation)


def _proof(facts: RepudiationFacts, policy: Policy, *, sandbox: bool, now: datetime) -> Iterator[Refusal]:
    if not facts.session_named:
        return
    session, citation = facts.session, policy.time_limits.session_minutes.citation
    if session is None or not _is_proven(session):
        yield Refusal(Code.PRINCIPAL_PROOF_NOT_VERIFIED, citation)
    if session is None:
        return
    if not is_fresh(session, policy, now):
        yield Refusal(Code.PRINCIPAL_PROOF_TOO_OLD, citation)
    if session.operator not in {None, facts.operator}:
        yield Refusal(Code.PRINCIPAL_PROOF_OF_OTHER_OPERATOR, citation)
    if session.challenge_origin not in {None, DRAWN} and not sandbox:
        yield Refusal(Code.PRINCIPAL_PROOF_REHEARSED, citation)
    if session.consumed_by is not None:
        yield Refusal(Code.PRINCIPAL_PROOF_USED, citation)
    if session.subject is not None and session.subject != facts.holder:
        yield Refusal(Code.NOT_THE_PRINCIPAL, policy.proxies.both_proven.citation)


def _is_proven(session: ProvenSession) -> bool:
    return session.outcome == VERIFIED and session.subject is not None and session.decided_at is not None


def _code(facts: RepudiationFacts, policy: Policy) -> Iterator[Refusal]:
    if facts.code is None:
        return
    citation = policy.proxies.repudiation_days.citation
    if facts.code.attempts >= CODE_ATTEMPTS_MAX:
        yield Refusal(Code.REPUDIATION_CODE_USED_UP, citation)
    elif not facts.code.right:
        yield Refusal(Code.REPUDIATION_CODE_WRONG, citation)
