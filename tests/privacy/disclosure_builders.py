"""A policy of disclosure, people with several accounts, and requests."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from shiming.jurisdictions.model import Confidence, DisclosurePolicy, DisclosurePurpose
from shiming.privacy.model import EvidenceKind, EvidenceRef, Purpose, RetentionClass
from shiming.privacy.rules.disclosure import Actor, Disclosure, DisclosureObstacle, DisclosureRequest
from shiming.privacy.rules.disclosure_steps import decide_request

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SUBJECT = "ps1.someone"
ASKER, FIRST, SECOND, THIRD = (Actor(f"ACC-{name}", f"person-{name}") for name in "ABCD")
ASKER_AGAIN = Actor("ACC-A2", "person-A")  # another account of the same human
PROGRAM = Actor("CLT-1", "")


def a_disclosure_policy(**changes: Any) -> DisclosurePolicy:
    values = {
        "purposes": (DisclosurePurpose.LAWFUL_REQUEST, DisclosurePurpose.INSPECTION),
        "approvals_min": 2,
        "approval_hours_max": 72,
        "execution_hours_max": 24,
        "deferral_days_max": 180,
    } | changes
    cited = {"citation": "pipl:51", "confidence": Confidence.JUDGEMENT, "since": date(2021, 11, 1)}
    return DisclosurePolicy.model_validate(
        {name: {"value": value, **cited} for name, value in values.items()}
    )


def a_ref(evidence_id: str = "EVD-1", **changes: Any) -> EvidenceRef:
    ref = EvidenceRef(
        evidence_id=evidence_id,
        subject=SUBJECT,
        case_reference="SES-1",
        kind=EvidenceKind.DOCUMENT_FRONT,
        purpose=Purpose.REGISTRATION,
        retention_class=RetentionClass.DOCUMENT_IMAGES,
        bytes_stored=10,
        ciphertext_sha256="0" * 64,
        stored_at=NOW,
        retain_until=None,
    )
    return replace(ref, **changes)


def a_request(**changes: Any) -> DisclosureRequest:
    request = DisclosureRequest(
        subject=SUBJECT,
        evidence_ids=("EVD-1",),
        purpose=Purpose.LAWFUL_REQUEST,
        recipient="北京市公安局朝阳分局",
        legal_basis="反电信网络诈骗法第二十六条",
        case_reference="LAW-2026-0001",
    )
    return replace(request, **changes)


def a_disclosure(policy: DisclosurePolicy | None = None, **changes: Any) -> Disclosure:
    found = request_of(a_request(**changes), policy=policy)
    assert isinstance(found, Disclosure), found
    return found


def request_of(
    request: DisclosureRequest,
    *,
    policy: DisclosurePolicy | None = None,
    by: Actor = ASKER,
    kept: tuple[EvidenceRef, ...] = (a_ref(),),
    now: datetime = NOW,
) -> Disclosure | DisclosureObstacle:
    return decide_request(
        request,
        {ref.evidence_id: ref for ref in kept},
        policy or a_disclosure_policy(),
        disclosure_id="DSC-1",
        by=by,
        now=now,
    )
