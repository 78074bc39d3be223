"""Whether the document is in force on the day, read surely, and one for a person of this age."""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import DocumentEvidence, Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import CheckName, Policy

_AGAIN = EvidenceKind.DOCUMENT
_TWO_SIDES = 2


def check_document_valid(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the document's validity on the day of the session.

    (1) the number is read and its check character fits  (2) it has not expired and was issued already
    (3) where its validity was not read, the authority has confirmed it  (4) the age fits the category
    """
    check, document = CheckName.DOCUMENT_VALID.value, evidence.document
    rules = policy.documents[evidence.subject]
    if document is None:
        return conclude(check, [absent("NO_DOCUMENT", rules.accepted.citation, _AGAIN)])
    findings = [
        *_check_characters(document, policy, evidence.subject),
        *_dates(document, evidence, policy),
        *_age(document, policy, evidence.subject),
    ]
    return conclude(
        check,
        findings,
        measurements={
            "number_checksum": document.front.number_checksum,
            "mrz_check_digits": document.front.mrz_check_digits,
            "days_to_expiry": document.days_to_expiry,
            "long_term": document.long_term,
            "both_sides": document.back is not None,
            "validity_confirmed_by_authority": _confirmed(evidence),
        },
    )


def _check_characters(document: DocumentEvidence, policy: Policy, subject: str) -> Iterator[Finding]:
    sides = [side for side in (document.front, document.back) if side]
    proven = [side.number_checksum for side in sides] + [side.mrz_check_digits for side in sides]
    if False in proven or True not in proven:
        yield unclear("DOCUMENT_UNREADABLE", policy.documents[subject].required_fields.citation, _AGAIN)


def _dates(document: DocumentEvidence, evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    required = policy.documents[evidence.subject].sides_required
    if document.days_to_expiry is not None and document.days_to_expiry < 0:
        yield failed("DOCUMENT_EXPIRED", policy.documents[evidence.subject].accepted.citation)
    if document.portrait_age_years is not None and document.portrait_age_years < 0:
        yield failed("DOCUMENT_NOT_YET_VALID", policy.documents[evidence.subject].accepted.citation)
    if document.long_term or document.days_to_expiry is not None or _confirmed(evidence):
        return
    both_needed = len(required.value.get(document.document_type, ())) >= _TWO_SIDES
    given = document.back is not None or not both_needed
    yield unclear("VALIDITY_UNKNOWN", required.citation, _AGAIN if given else None)


def _age(document: DocumentEvidence, policy: Policy, subject: str) -> Iterator[Finding]:
    rules, age = policy.documents[subject], document.age_years
    if age is None:
        return
    if rules.age_years_min is not None and age < rules.age_years_min.value:
        yield failed("GUARDIAN_REQUIRED", rules.age_years_min.citation)
    if rules.age_years_below is not None and age >= rules.age_years_below.value:
        yield failed("SUBJECT_CATEGORY_WRONG", rules.age_years_below.citation)


def _confirmed(evidence: Evidence) -> bool:
    return evidence.authority is not None and evidence.authority.validity_confirmed
