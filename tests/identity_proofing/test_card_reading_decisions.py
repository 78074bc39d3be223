"""What a reading of the chip is good for, by the rules of the pack; what portrait decoders keep to."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.connectors.sdt_reader.bridge import NoDecoder
from shiming.identity_proofing.connectors.sdt_reader.reader import PHOTO_BYTES
from shiming.identity_proofing.model.card_reading import UNDECODED, CardReading
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.decision import Retry
from shiming.identity_proofing.model.evidence import CardReadingEvidence, Evidence, PortraitAnswer
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.identity_proofing.ports import PortraitDecoder
from shiming.identity_proofing.rules.card_reading import compare_with_photo, record_card_reading
from shiming.identity_proofing.rules.recorded_evidence import evidence_from_json, evidence_to_json
from shiming.identity_proofing.sandbox_reader.decoder import SandboxPortraits
from shiming.jurisdictions.model import Channel, Policy
from tests.identity_proofing.proofing_builders import (
    NOW,
    ON,
    a_document,
    a_policy,
    a_side,
    changed,
    evidence_with,
)

NUMBER = "11010519491231002X"
READING = CardReading(
    reader="aa" * 16,
    read_at=NOW,
    block_hash="sha256:" + "0" * 64,
    decoder=UNDECODED,
    document_type="resident_id",
    name="王小明",
    sex="female",
    birth_date=date(1949, 12, 31),
    address="北京市",
    number=NUMBER,
    valid_from=date(2020, 1, 1),
    valid_to=None,
)


def a_reading(**changes: Any) -> CardReadingEvidence:
    return replace(record_card_reading(READING, ON, device="DEV-1", portrait_present=False), **changes)


def outcome(evidence: Evidence, policy: Policy | None = None) -> tuple[str, set[str]]:
    found = decide_proofing(evidence, policy or a_policy())
    return found.outcome, {reason.code for reason in found.reasons}


WITHOUT_PORTRAIT = a_document(front=a_side(portrait_present=False))


def test_a_reading_makes_up_for_what_a_picture_does_not_show() -> None:
    unread = a_document(
        front=a_side(number_checksum=None, fields_read=()), back=None, days_to_expiry=None, age_years=None
    )
    assert outcome(evidence_with(document=unread))[0] == "Retry"
    assert outcome(evidence_with(document=unread, card_reading=a_reading())) == ("Verified", set())


def test_where_a_reader_is_a_must_a_picture_is_not_enough() -> None:
    strict = changed(a_policy(), "card_reader", required_channels=(Channel.SHOP,))
    found = decide_proofing(evidence_with(), strict)
    assert isinstance(found.decision, Retry)
    assert found.decision.what == "card_reading"
    assert outcome(evidence_with(card_reading=a_reading()), strict)[0] == "Verified"


def test_a_reading_alone_is_enough_only_where_no_copy_is_kept() -> None:
    alone = evidence_with(document=None, card_reading=a_reading(portrait_present=True))
    assert outcome(alone) == ("Retry", {"NO_DOCUMENT"})
    assert outcome(alone, changed(a_policy(), "card_reader", photo_kept=False)) == ("Verified", set())


@pytest.mark.parametrize(
    ("portrait", "expected"),
    [
        (PortraitAnswer.MATCH, ("Verified", set())),
        (PortraitAnswer.NOT_COMPARED, ("NeedsReview", {"PORTRAIT_UNDECODED"})),
    ],
)
def test_without_a_portrait_of_the_card_the_authority_s_stands_in_or_people_look(
    portrait: PortraitAnswer, expected: tuple[str, set[str]]
) -> None:
    policy = changed(a_policy(), "card_reader", photo_kept=False)
    plain = evidence_with(document=None, card_reading=a_reading(), face_clip_document=None)
    assert plain.authority is not None
    evidence = replace(plain, authority=replace(plain.authority, portrait=portrait))
    assert outcome(evidence, policy) == expected
    without_reading = replace(evidence, card_reading=None)
    assert outcome(without_reading, policy)[0] == "Retry"


def test_no_portrait_anywhere_never_verifies_where_a_copy_is_kept() -> None:
    evidence = evidence_with(document=WITHOUT_PORTRAIT, card_reading=a_reading(), face_clip_document=None)
    assert outcome(evidence)[0] == "Retry"
    found, codes = outcome(replace(evidence, attempts={EvidenceKind.DOCUMENT: 99}))
    assert found == "NeedsReview"
    assert codes == {"PORTRAIT_NOT_FOUND"}  # the authority's stands in for the face, not for the copy


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"days_to_expiry": -1, "long_term": False}, ("NotVerified", {"DOCUMENT_EXPIRED"})),
        ({"document_type": "passport"}, ("NotVerified", {"DOCUMENT_NOT_ACCEPTED"})),
        ({"age_years": 15}, ("NotVerified", {"GUARDIAN_REQUIRED"})),
        ({"cross_checks": {"sex": False}}, ("NeedsReview", {"FORGED_OR_ALTERED"})),
    ],
)
def test_what_the_chip_says_goes_before_the_picture(
    changes: dict[str, Any], expected: tuple[str, set[str]]
) -> None:
    assert outcome(evidence_with(card_reading=a_reading(**changes))) == expected


def test_a_receipt_s_evidence_comes_back_as_it_was_and_older_ones_have_no_reading() -> None:
    evidence = evidence_with(card_reading=a_reading())
    written = evidence_to_json(evidence)
    assert evidence_from_json(written) == evidence
    del written["card_reading"]
    assert evidence_from_json(written).card_reading is None
    assert not {NUMBER, "王小明", "1949-12-31"} & set(map(str, evidence_to_json(evidence).values()))


@pytest.mark.parametrize(
    ("number", "agrees"),
    [(NUMBER.lower(), True), ("440308199901101512", False), ("440308199901101513", None), (None, None)],
)
def test_chip_and_picture_are_compared_by_number(number: str | None, agrees: bool | None) -> None:
    card = ClaimedIdentity("resident_id", NUMBER, "王小明")
    found = compare_with_photo(card, ClaimedIdentity("resident_id", number, "壬小朋"))
    assert found.agrees is agrees


DECODERS = [NoDecoder(), SandboxPortraits(Path(__file__).parents[2] / "specimens" / "population")]


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda each: each.name)
class TestEveryDecoder:
    """The contract of the port: a vendor's library is held to it as well."""

    @given(st.binary(max_size=PHOTO_BYTES))
    def test_no_block_raises(self, decoder: PortraitDecoder, photo: bytes) -> None:
        found = decoder.decode(photo)
        assert found is None or found.startswith(b"\xff\xd8")

    def test_it_says_its_name(self, decoder: PortraitDecoder) -> None:
        assert decoder.name
        assert decoder.decode(bytes(PHOTO_BYTES)) is None  # no portrait at all


def test_a_reading_shows_itself_masked() -> None:
    assert NUMBER not in repr(READING)
    assert "王小明" not in repr(READING)
