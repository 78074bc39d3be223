"""Whether everything was read that the law wants registered, and agrees with what was declared."""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import Evidence, FieldComparison
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.card_reading import BETWEEN
from shiming.jurisdictions.model import CheckName, Policy

_AGAIN = EvidenceKind.DOCUMENT
#: Where a document bears a registered field under other names.
_BORNE_AS = {"number": ("number", "document_number"), "name": ("name", "surname", "given_names")}


def check_fields_agree(evidence: Evidence, policy: Policy) -> CheckResult:
    """Compare attributes.

    (1) every field that is to be registered was read, from the chip where there is a reading of it
    (2) declared fields are those of the document, and the picture shows the card whose chip was read
    (3) names are compared by similarity, everything else exactly
    """
    check, document = CheckName.FIELDS_AGREE.value, evidence.document
    rules = policy.documents[evidence.subject]
    sides = [side for side in (document.front, document.back) if side] if document else []
    sources = [evidence.card_reading] if evidence.card_reading else sides
    if not sources:
        return conclude(check, [absent("NO_DOCUMENT", rules.accepted.citation, _AGAIN)])
    read = {name for source in sources for name in source.fields_read}
    read.add("document_type")
    missing = [f for f in rules.required_fields.value if not read & set(_BORNE_AS.get(f, (f,)))]
    findings: list[Finding] = []
    if missing:
        findings.append(unclear("DOCUMENT_UNREADABLE", rules.required_fields.citation, _AGAIN))
    for comparison in evidence.comparisons:
        findings.extend(_disagreement(comparison, policy))
    return conclude(
        check,
        findings,
        measurements={
            "fields_missing": ",".join(missing),
            **{
                f"{c.field}:{c.between}": c.similarity if c.agrees is None else c.agrees
                for c in evidence.comparisons
            },
        },
        thresholds={"name_similarity_min": policy.thresholds.name_similarity_min},
    )


def _disagreement(comparison: FieldComparison, policy: Policy) -> Iterator[Finding]:
    limit = policy.thresholds.name_similarity_min
    if comparison.agrees is None and comparison.similarity is None:
        yield unclear("DOCUMENT_UNREADABLE", limit.citation, _AGAIN)
    elif comparison.agrees is False and comparison.between == BETWEEN:
        yield unclear("CARD_AND_PHOTO_DIFFER", limit.citation, _AGAIN)
    elif comparison.agrees is False or (
        comparison.similarity is not None and comparison.similarity < limit.value
    ):
        yield failed("DATA_MISMATCH", limit.citation)
