"""Whether enough different members of staff compared the person with the document by eye, and agree.

The route for whoever cannot or will not use the camera's way; it leads to the same level.
"""

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.rules.reviewing import people_who_looked, reviews_that_count, staff_needed
from shiming.jurisdictions.model import CheckName, Policy


def check_assisted_review(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the staff's findings.

    (1) somebody looked  (2) nobody denied  (3) as many as the policy asks for, each a different person; on
    the route of a referee whoever named them may not be among those
    """
    rules, reviews = policy.assisted_review, evidence.reviews
    needed, counted = staff_needed(evidence.route, policy), reviews_that_count(evidence, policy)
    staff = people_who_looked(counted) if rules.different_people.value else counted
    findings: list[Finding] = []
    if not reviews:
        findings.append(absent("REVIEW_ABSENT", needed.citation))
    elif not all(review.same_person and review.document_genuine for review in reviews):
        findings.append(failed("REVIEW_REFUSED", needed.citation))
    elif len(staff) < needed.value:
        findings.append(unclear("REVIEW_SAME_STAFF", rules.different_people.citation))
    return conclude(
        CheckName.ASSISTED_REVIEW.value,
        findings,
        measurements={"reviews": len(reviews), "staff": len(staff)},
        thresholds={"staff_min": needed},
    )
