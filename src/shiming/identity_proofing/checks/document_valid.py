"""Whether the document is in force on the day, read surely, and one for a person of this age."""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.card_reading import DocumentFacts
from shiming.jurisdictions.model import CheckName, Policy

_AGAIN = EvidenceKind.DOCUMENT
_TWO_SIDES = 2


def check_document_valid(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the document's validity on the day of the session.

    (1) the number is read and its check character fits  (2) it has not expired and was issued already
    (3) where its validity was not read, the authority has confirmed it  (4) the age fits the category
    """
    check, facts = CheckName.DOCUMENT_VALID.value, DocumentFacts.of(evidence)
    document = evidence.document
    rules = policy.documents[evidence.subject]
    if facts is None:
        return conclude(check, [absent("NO_DOCUMENT", rules.accepted.citation, _AGAIN)])
    findings = [
        *_check_characters(evidence, policy),
        *_dates(facts, evidence, policy),
        *_age(facts, policy, evidence.subject),
    ]
    return conclude(
        check,
        findings,
        measurements={
            "number_checksum": _number_checksum(evidence),
            "mrz_check_digits": document.front.mrz_check_digits if document else None,
            "days_to_expiry": facts.days_to_expiry,
            "long_term": facts.long_term,
            "both_sides": document is not None and document.back is not None,
            "validity_confirmed_by_authority": _confirmed(evidence),
        },
    )


def _number_checksum(evidence: Evidence) -> bool | None:
    if evidence.card_reading is not None:
        return evidence.card_reading.number_checksum
    return evidence.document.front.number_checksum if evidence.document else None


def _check_characters(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    document, reading, subject = evidence.document, evidence.card_reading, evidence.subject
    if document is None or (reading and reading.number_checksum is not False):
        return  # the chip says the number; what a picture shows of it is compared elsewhere
    sides = [side for side in (document.front, document.back) if side]
    proven = [side.number_checksum for side in sides] + [side.mrz_check_digits for side in sides]
    if False in proven or True not in proven:
        yield unclear("DOCUMENT_UNREADABLE", policy.documents[subject].required_fields.citation, _AGAIN)


def _dates(facts: DocumentFacts, evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    required, document = policy.documents[evidence.subject].sides_required, evidence.document
    if facts.days_to_expiry is not None and facts.days_to_expiry < 0:
        yield failed("DOCUMENT_EXPIRED", policy.documents[evidence.subject].accepted.citation)
    if facts.portrait_age_years is not None and facts.portrait_age_years < 0:
        yield failed("DOCUMENT_NOT_YET_VALID", policy.documents[evidence.subject].accepted.citation)
    known = facts.long_term or facts.days_to_expiry is not None or _confirmed(evidence)
    if document is None or known:  # a chip always says its dates
        return
    both_needed = len(required.value.get(document.document_type, ())) >= _TWO_SIDES
    given = document.back is not None or not both_needed
    yield unclear("VALIDITY_UNKNOWN", required.citation, _AGAIN if given else None)


def _age(facts: DocumentFacts, policy: Policy, subject: str) -> Iterator[Finding]:
    rules, age = policy.documents[subject], facts.age_years
    if age is None:
        return
    if rules.age_years_min is not None and age < rules.age_years_min.value:
        yield failed("GUARDIAN_REQUIRED", rules.age_years_min.citation)
    if rules.age_years_below is not None and age >= rules.age_years_below.value:
        yield failed("SUBJECT_CATEGORY_WRONG", rules.age_years_below.citation)


def _confirmed(evidence: Evidence) -> bool:
    return evidence.authority is not None and evidence.authority.validity_confirmed
