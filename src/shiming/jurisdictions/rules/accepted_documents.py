"""Decide whether a subject may show a document, and how it is taken."""

from dataclasses import dataclass

from shiming.jurisdictions.model import DocumentPolicy, Policy


@dataclass(frozen=True, slots=True)
class DocumentAccepted:
    """The document may be shown; `fields` are recorded, copies bear `watermark`."""

    sides: tuple[str, ...]
    fields: tuple[str, ...]
    watermark: tuple[str, ...]
    manual_entry_forbidden: bool
    guardian_required: bool
    citation: str


@dataclass(frozen=True, slots=True)
class DocumentRefused:
    """The document may not be shown by this subject."""

    code: str
    citation: str


@dataclass(frozen=True, slots=True)
class SubjectNotForeseen:
    """The pack has no rules for this category of subjects."""

    subject: str


def decide_accepted_document(
    subject: str, document: str, policy: Policy, *, age_years: int | None = None
) -> DocumentAccepted | DocumentRefused | SubjectNotForeseen:
    """Decide by the category of the subject, the age where it is known, and the type of document."""
    rules = policy.documents.get(subject)
    if rules is None:
        return SubjectNotForeseen(subject)
    wrong_age = _wrong_age(rules, age_years)
    if wrong_age is not None:
        return wrong_age
    if document not in rules.accepted.value:
        return DocumentRefused("DOCUMENT_NOT_ACCEPTED", rules.accepted.citation)
    return DocumentAccepted(
        sides=rules.sides_required.value[document],
        fields=rules.required_fields.value,
        watermark=rules.copy_watermark.value,
        manual_entry_forbidden=document in rules.manual_entry_forbidden.value,
        guardian_required=rules.guardian_required.value,
        citation=rules.accepted.citation,
    )


def _wrong_age(rules: DocumentPolicy, age_years: int | None) -> DocumentRefused | None:
    if age_years is None:
        return None
    if rules.age_years_min is not None and age_years < rules.age_years_min.value:
        return DocumentRefused("AGE_OUTSIDE_CATEGORY", rules.age_years_min.citation)
    if rules.age_years_below is not None and age_years >= rules.age_years_below.value:
        return DocumentRefused("AGE_OUTSIDE_CATEGORY", rules.age_years_below.citation)
    return None
