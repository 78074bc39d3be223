"""Whether the picture shows one genuine document, well enough to judge.

Security printing cannot be proven by a phone's camera; this looks for signs of the contrary. What looks
like a copy goes to people, who can hold the original in their hands.
"""

from collections.abc import Iterator

from shiming.identity_proofing.checks.finding import Finding, absent, conclude, failed, unclear
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import DocumentEvidence, Evidence, SideEvidence
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.rules.card_reading import photo_missing, reading_required
from shiming.identity_proofing.rules.requirements import live_evidence_wanted
from shiming.jurisdictions.model import CheckName, Policy
from shiming.recognition.measurements import DocumentKind

_AGAIN = EvidenceKind.DOCUMENT


def check_document_genuine(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the document's pictures.

    (1) a document is there, read by a reader where that is a must, and one that this category may use
    (2) each side is one card, whole, sharp and lit  (3) the portrait is on it, where
    a face is compared
    (4) its contents do not contradict each other  (5) it looks like paper and plastic, not like a copy
    """
    check, document = CheckName.DOCUMENT_GENUINE.value, evidence.document
    accepted = policy.documents[evidence.subject].accepted
    findings = list(_reading(evidence, policy))
    if document is None:
        if photo_missing(evidence, policy):
            findings.append(absent("NO_DOCUMENT", accepted.citation, _AGAIN))
        return conclude(check, findings)
    sides = [side for side in (document.front, document.back) if side]
    findings += [
        *_kind(document, policy, evidence.subject),
        *(finding for side in sides for finding in _quality(side, policy)),
        *(_portrait(document, policy) if _portrait_wanted(evidence, policy) else ()),
        *(finding for side in sides for finding in _contradictions(side, policy)),
        *(finding for side in sides for finding in _copy_signs(side, policy)),
    ]
    quality, limits = document.front, policy.document_quality
    return conclude(
        check,
        findings,
        measurements={
            "kind": quality.kind.value,
            "cards_seen": quality.cards_seen,
            "sharpness": quality.sharpness,
            "glare_share": quality.glare_share,
            "card_width_px": quality.card_width_px,
            "moire": max(side.copy_signs.moire for side in sides),
            "frame_edges": max(side.copy_signs.frame_edges for side in sides),
            "missing_colour": max(side.copy_signs.missing_colour for side in sides),
        },
        thresholds={
            "cards_max": limits.cards_max,
            "sharpness_min": limits.sharpness_min,
            "glare_share_max": limits.glare_share_max,
            "card_width_px_min": limits.card_width_px_min,
            "moire_review_min": policy.thresholds.document_moire_review_min,
            "frame_edges_review_min": policy.thresholds.document_frame_edges_review_min,
            "missing_colour_review_min": policy.thresholds.document_missing_colour_review_min,
        },
    )


def _kind(document: DocumentEvidence, policy: Policy, subject: str) -> Iterator[Finding]:
    accepted = policy.documents[subject].accepted
    if document.front.kind is DocumentKind.UNKNOWN:
        yield unclear("DOCUMENT_NOT_RECOGNISED", accepted.citation, _AGAIN)
    elif document.front.kind is DocumentKind.RESIDENT_ID_BACK:
        yield unclear("DOCUMENT_WRONG_SIDE", accepted.citation, _AGAIN)
    elif document.document_type not in accepted.value:
        yield failed("DOCUMENT_NOT_ACCEPTED", accepted.citation)
    expected = DocumentKind.RESIDENT_ID_BACK
    if (
        document.back
        and document.front.kind is DocumentKind.RESIDENT_ID_FRONT
        and document.back.kind is not expected
    ):
        yield unclear("DOCUMENT_WRONG_SIDE", accepted.citation, _AGAIN)


def _quality(side: SideEvidence, policy: Policy) -> Iterator[Finding]:
    limits = policy.document_quality
    if side.cards_seen > limits.cards_max.value:
        yield unclear("SECOND_CARD", limits.cards_max.citation, _AGAIN)
    poor = (
        (side.sharpness < limits.sharpness_min.value, limits.sharpness_min.citation),
        (side.brightness < limits.brightness_min.value, limits.brightness_min.citation),
        (side.brightness > limits.brightness_max.value, limits.brightness_max.citation),
        (side.contrast < limits.contrast_min.value, limits.contrast_min.citation),
        (side.glare_share > limits.glare_share_max.value, limits.glare_share_max.citation),
        (side.card_width_px < limits.card_width_px_min.value, limits.card_width_px_min.citation),
        (len(side.cut_edges) > limits.cut_edges_max.value, limits.cut_edges_max.citation),
    )
    yield from (unclear("DOCUMENT_QUALITY", citation, _AGAIN) for is_poor, citation in poor if is_poor)


def _reading(evidence: Evidence, policy: Policy) -> Iterator[Finding]:
    """Judge what a card reader read: a chip proves itself to the reader; what it says is looked at."""
    rules, reading = policy.card_reader, evidence.card_reading
    accepted = policy.documents[evidence.subject].accepted
    if rules is not None and reading_required(evidence, policy):
        yield absent("CARD_READING_ABSENT", rules.required_channels.citation, EvidenceKind.CARD_READING)
    if reading is None:
        return
    if reading.document_type not in accepted.value:
        yield failed("DOCUMENT_NOT_ACCEPTED", accepted.citation)
    if not all(reading.cross_checks.values()):
        yield unclear("FORGED_OR_ALTERED", accepted.citation)


def _portrait_wanted(evidence: Evidence, policy: Policy) -> bool:
    """Say whether the picture has to show the portrait.

    Not where no check looks at it (a pack without biometrics), nor where the chip has given it.
    """
    from_chip = evidence.card_reading is not None and evidence.card_reading.portrait_present
    return not from_chip and live_evidence_wanted(policy, evidence.channel, evidence.route)


def _portrait(document: DocumentEvidence, policy: Policy) -> Iterator[Finding]:
    if not document.front.portrait_present:
        yield unclear("PORTRAIT_NOT_FOUND", policy.thresholds.face_similarity_min.citation, _AGAIN)


def _contradictions(side: SideEvidence, policy: Policy) -> Iterator[Finding]:
    """Report contradictions. A misreading looks like a forgery to a program: another photo, then people."""
    if not all(side.cross_checks.values()):
        yield unclear("FORGED_OR_ALTERED", policy.document_quality.sharpness_min.citation, _AGAIN)


def _copy_signs(side: SideEvidence, policy: Policy) -> Iterator[Finding]:
    limits, signs = policy.thresholds, side.copy_signs
    strong = (
        (signs.moire, limits.document_moire_review_min),
        (signs.frame_edges, limits.document_frame_edges_review_min),
        (signs.missing_colour, limits.document_missing_colour_review_min),
    )
    yield from (
        unclear("DOCUMENT_SCREEN_SIGNS", limit.citation) for sign, limit in strong if sign >= limit.value
    )
