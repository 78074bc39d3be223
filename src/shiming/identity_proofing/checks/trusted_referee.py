"""Whether somebody whom the pack allows, freshly proven and another person, vouches for the applicant.

One half of the route `referee`; the other half is staff who compare by eye. Neither is enough alone.
"""

from collections.abc import Iterator
from datetime import timedelta

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.jurisdictions.model import CheckName, Policy, RefereePolicy


def check_trusted_referee(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the referee of a session.

    (1) the pack foresees one, and one was named  (2) they are not the applicant  (3) they may vouch here
    (4) their own proof was fresh when they were named
    """
    check, rules = CheckName.TRUSTED_REFEREE.value, policy.referee
    if rules is None:
        citation = policy.channels[evidence.channel].required_checks.citation
        return conclude(check, [absent("REFEREE_ABSENT", citation)])
    return conclude(
        check,
        list(_findings(evidence, rules)),
        measurements={"other_person": evidence.referee.other_person if evidence.referee else None},
        thresholds={"proof_hours": rules.proof_hours},
    )


def _findings(evidence: Evidence, rules: RefereePolicy) -> Iterator[Finding]:
    referee = evidence.referee
    if referee is None:
        yield absent("REFEREE_ABSENT", rules.staff_min.citation)
        return
    if referee.other_person is False:
        yield failed("REFEREE_IS_APPLICANT", rules.categories.citation)
    if referee.other_person is None:
        yield unclear("REFEREE_PERSON_UNKNOWN", rules.categories.citation)
    if referee.category not in rules.categories.value or evidence.channel not in rules.channels.value:
        yield unclear("REFEREE_NOT_ALLOWED", rules.categories.citation)
    age = referee.named_at - referee.proven_at
    if not timedelta() <= age <= timedelta(hours=rules.proof_hours.value):
        yield unclear("REFEREE_PROOF_TOO_OLD", rules.proof_hours.citation)
