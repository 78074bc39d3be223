"""The text of a resident card: what is read, what is dropped, what is refused by name."""

from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.identity_proofing.connectors.sdt_reader.card_text import (
    ETHNICITY,
    TEXT_BYTES,
    CardText,
    encode_card_text,
    parse_card_text,
)
from shiming.vocabulary.errors import BadInput

CARD = CardText(
    name="王小明",
    sex="female",
    birth_date=date(1949, 12, 31),
    address="北京市朝阳区建国路1号2单元",
    number="11010519491231002X",
    issuer="北京市公安局朝阳分局",
    valid_from=date(2020, 1, 1),
    valid_to=None,
)


def refusal(block: bytes) -> str:
    with pytest.raises(BadInput) as refused:
        parse_card_text(block)
    assert refused.value.text.zh
    assert "王" not in str(refused.value)
    return refused.value.code


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        replace(CARD, valid_to=date(2040, 1, 1)),
        replace(CARD, sex=None),
        replace(CARD, name="\ue863\U00020021"),  # a rare name: private use, and beyond the first plane
    ],
)
def test_what_is_on_the_card_is_read(card: CardText) -> None:
    block = encode_card_text(card)
    assert len(block) == TEXT_BYTES
    assert parse_card_text(block) == card


def test_the_ethnicity_is_never_seen() -> None:
    with_it, without = encode_card_text(CARD, ethnicity="05"), encode_card_text(CARD)
    assert with_it != without
    assert parse_card_text(with_it) == parse_card_text(without)
    assert not any("ethnic" in each.name for each in fields(CardText))
    damaged = bytearray(with_it)
    damaged[ETHNICITY] = b"\x00\xd8\x00\xd8"  # no text at all: nobody looks
    assert parse_card_text(bytes(damaged)) == CARD


def test_a_card_shows_itself_masked() -> None:
    shown = repr(CARD)
    assert CARD.name not in shown
    assert CARD.number not in shown


def damaged(where: slice, content: bytes) -> bytes:
    block = bytearray(encode_card_text(CARD))
    block[where] = content
    return bytes(block)


@pytest.mark.parametrize(
    ("code", "block"),
    [
        ("CARD_TEXT_LENGTH", encode_card_text(CARD)[:-1]),
        ("CARD_TEXT_UNREADABLE", damaged(slice(0, 2), b"\x00\xd8")),  # half of a pair
        ("CARD_TEXT_UNREADABLE", damaged(slice(2, 4), b"\x07\x00")),  # a control character
        ("CARD_TEXT_UNREADABLE", damaged(slice(36, 52), "20230229".encode("utf-16-le"))),
        ("CARD_TEXT_UNREADABLE", damaged(slice(204, 220), "20401   ".encode("utf-16-le"))),
        ("CARD_TEXT_UNREADABLE", damaged(slice(52, 122), " ".encode("utf-16-le") * 35)),
        ("CARD_NUMBER_INVALID", encode_card_text(replace(CARD, number="110105194912310021"))),
        ("CARD_TYPE_UNKNOWN", encode_card_text(CARD, reserved="I")),
        ("CARD_TYPE_UNKNOWN", encode_card_text(replace(CARD, number="81000019900101123X"))),
    ],
)
def test_what_is_no_whole_resident_card_is_refused_by_name(code: str, block: bytes) -> None:
    assert refusal(block) == code


def test_too_long_a_text_is_no_card() -> None:
    with pytest.raises(BadInput, match="CARD_TEXT_LENGTH"):
        encode_card_text(replace(CARD, name="名" * 16))


@given(st.binary(min_size=TEXT_BYTES, max_size=TEXT_BYTES))
def test_no_bytes_raise_anything_else(block: bytes) -> None:
    assert refusal(block).startswith("CARD_")
