import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.model.challenge import ChallengeOrigin
from shiming.identity_proofing.model.evidence import Evidence, FaceVotes
from shiming.identity_proofing.receipts.explaining import explain_receipt
from shiming.identity_proofing.receipts.issuing import issue_receipt, receipt_hash
from shiming.identity_proofing.receipts.replaying import replay_receipt
from shiming.identity_proofing.receipts.verifying import ReceiptGenuine, ReceiptRefused, verify_receipt
from shiming.identity_proofing.rules.recorded_evidence import evidence_from_json, evidence_to_json
from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.infrastructure.signing import Ed25519Signer
from shiming.vocabulary.errors import BadInput
from tests.identity_proofing.proofing_builders import (
    NOW,
    a_challenge,
    a_clip,
    a_digits_reading,
    a_document,
    a_policy,
    attack_signs,
    changed,
    evidence_with,
)

SIGNER, OTHER = Ed25519Signer.from_seed(bytes(32)), Ed25519Signer.from_seed(bytes([1]) * 32)


def a_receipt(evidence: Evidence | None = None) -> dict[str, Any]:
    found = evidence or evidence_with()
    decided = decide_proofing(found, a_policy())
    return issue_receipt(
        decided, found, a_policy(), subject="P-1", issued_at=NOW, program="shiming test", signer=SIGNER
    )


def test_a_receipt_is_genuine_for_anybody_and_trusted_for_who_knows_the_key() -> None:
    receipt = a_receipt()
    assert verify_receipt(receipt) == ReceiptGenuine(SIGNER.key_id, trusted=False)
    assert verify_receipt(receipt, SIGNER.public_key) == ReceiptGenuine(SIGNER.key_id, trusted=True)
    assert verify_receipt(receipt, OTHER.public_key) == ReceiptRefused("RECEIPT_KEY_UNTRUSTED")


def test_a_receipt_survives_being_written_and_read() -> None:
    receipt = a_receipt()
    for text in (canonical_bytes(receipt), json.dumps(receipt, indent=1, ensure_ascii=False).encode()):
        read = parse_object(text)
        assert isinstance(verify_receipt(read), ReceiptGenuine)
        assert receipt_hash(read) == receipt_hash(receipt)


@settings(max_examples=200)
@given(st.data())
def test_one_altered_byte_is_found(data: st.DataObject) -> None:
    text = bytearray(canonical_bytes(a_receipt()))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    text[place] = other
    try:
        read = parse_object(bytes(text))
    except BadInput:
        return
    refused = verify_receipt(read)
    assert isinstance(refused, ReceiptRefused)
    assert refused.text.zh


def test_each_refusal_has_its_reason() -> None:
    receipt = a_receipt()
    assert verify_receipt({}) == ReceiptRefused("RECEIPT_FORM")
    assert verify_receipt(receipt | {"version": 2}) == ReceiptRefused("RECEIPT_FORM")
    assert verify_receipt(receipt | {"signature": None}) == ReceiptRefused("RECEIPT_UNSIGNED")
    renamed = receipt | {"signature": receipt["signature"] | {"key_id": "ed25519:00"}}
    assert verify_receipt(renamed) == ReceiptRefused("RECEIPT_KEY_NAME")
    assert verify_receipt(receipt | {"subject": "P-2"}) == ReceiptRefused("RECEIPT_ALTERED")
    assert verify_receipt(receipt | {"subject": float("nan")}) == ReceiptRefused("RECEIPT_ALTERED")
    signed_by_other = receipt["signature"] | {"public_key": OTHER.public_key, "key_id": OTHER.key_id}
    assert verify_receipt(receipt | {"signature": signed_by_other}) == ReceiptRefused("RECEIPT_ALTERED")


def test_a_receipt_names_rules_models_and_thresholds() -> None:
    receipt = a_receipt()
    assert receipt["pack"]["hash"] == a_policy().content_hash
    assert {use["name"] for use in receipt["models"]} == {"ocr", "face_mesh"}
    face = next(check for check in receipt["checks"] if check["check"] == "face_clip_document")
    assert face["rule"] == "checks.face_clip_document"
    assert face["thresholds"]["similarity_min"] == a_policy().thresholds.face_similarity_min.value
    assert face["measurements"]["similarity"] == 0.81


FLAWED = (
    evidence_with(),
    evidence_with(face_clip_document=FaceVotes(0.1, 0.2)),
    evidence_with(digits=None),
    evidence_with(authority=None),
    evidence_with(document=None, clip=None, challenge=None),
    evidence_with(clip=a_clip(attack_signs=attack_signs(moire=0.9, planar_score=None))),
    evidence_with(challenge=a_challenge(prompts_s=(0.5, 2.5, 4.0))),
)


@pytest.mark.parametrize("evidence", FLAWED)
def test_a_replay_says_the_same(evidence: Evidence) -> None:
    receipt = parse_object(canonical_bytes(a_receipt(evidence)))
    replayed = replay_receipt(receipt, a_policy())
    assert replayed.same
    assert replayed.same_pack
    assert replayed.outcome == replayed.recorded_outcome


def test_a_replay_under_other_rules_says_what_changes() -> None:
    stricter = changed(a_policy(), "thresholds", face_similarity_min=0.9, face_similarity_review_min=0.85)
    other = stricter.model_copy(update={"content_hash": "sha256:00"})
    replayed = replay_receipt(a_receipt(), other)
    assert not replayed.same
    assert not replayed.same_pack
    assert replayed.differences[0] == "outcome: Verified -> NeedsReview"
    assert "face_clip_document: passed -> unclear" in replayed.differences


def test_a_replay_finds_a_decision_that_the_evidence_does_not_carry() -> None:
    receipt = a_receipt(evidence_with(face_clip_document=FaceVotes(0.1, 0.2)))
    receipt["decision"] = a_receipt()["decision"]
    assert "outcome: Verified -> NotVerified" in replay_receipt(receipt, a_policy()).differences


def test_a_replay_needs_evidence_and_a_pack_that_knows_the_case() -> None:
    with pytest.raises(BadInput, match="EVIDENCE_INVALID"):
        replay_receipt({}, a_policy())
    with pytest.raises(BadInput, match="REPLAY_PACK"):
        replay_receipt(a_receipt(), a_policy().model_copy(update={"documents": {}}))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("evidence", FLAWED)
def test_every_decision_can_be_told(evidence: Evidence, language: str) -> None:
    receipt = a_receipt(evidence)
    story = "\n".join(explain_receipt(receipt, language))
    assert receipt["session"] in story
    for reason in receipt["decision"]["reasons"]:
        assert reason["text"][language] in story
        assert reason["citation"] in story


def test_a_chosen_challenge_is_told() -> None:
    chosen = a_receipt(evidence_with(challenge=a_challenge(origin=ChallengeOrigin.CHOSEN, id=None)))
    assert "人工选定" in "\n".join(explain_receipt(chosen, "zh_CN"))


def test_what_is_no_receipt_cannot_be_told() -> None:
    with pytest.raises(BadInput, match="RECEIPT_FORM"):
        explain_receipt({"pack": {}}, "en")


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-4000, 4000), st.booleans())
def test_evidence_comes_back_as_it_was(similarity: float, days: int, confirmed: bool) -> None:
    evidence = evidence_with(
        face_clip_document=FaceVotes(similarity, None),
        document=a_document(days_to_expiry=days, long_term=confirmed),
        digits=a_digits_reading(score=None),
    )
    assert evidence_from_json(json.loads(canonical_bytes(evidence_to_json(evidence)))) == evidence


def test_a_receipt_is_not_changed_by_being_looked_at() -> None:
    receipt = a_receipt(replace(evidence_with(), comparisons=()))
    before = deepcopy(receipt)
    verify_receipt(receipt), explain_receipt(receipt, "en"), replay_receipt(receipt, a_policy())
    assert receipt == before
