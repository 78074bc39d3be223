"""Whether enough different members of staff compared the person with the document by eye, and agree.

The route for whoever cannot or will not use the camera's way; it leads to the same level.
"""

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.jurisdictions.model import CheckName, Policy


def check_assisted_review(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the staff's findings.

    (1) somebody looked  (2) nobody denied  (3) as many as the policy asks for, each a different person
    """
    rules, reviews = policy.assisted_review, evidence.reviews
    staff = (
        {review.staff for review in reviews} if rules.different_people.value else [r.staff for r in reviews]
    )
    findings: list[Finding] = []
    if not reviews:
        findings.append(absent("REVIEW_ABSENT", rules.staff_min.citation))
    elif not all(review.same_person and review.document_genuine for review in reviews):
        findings.append(failed("REVIEW_REFUSED", rules.staff_min.citation))
    elif len(staff) < rules.staff_min.value:
        findings.append(unclear("REVIEW_SAME_STAFF", rules.different_people.citation))
    return conclude(
        CheckName.ASSISTED_REVIEW.value,
        findings,
        measurements={"reviews": len(reviews), "staff": len(staff)},
        thresholds={"staff_min": rules.staff_min},
    )
