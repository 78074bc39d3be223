import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.encryption import (
    InMemoryKeys,
    KeyUse,
    ObjectContext,
    WrappedKey,
    decrypt,
    encrypt,
    new_data_key,
    subject_pseudonym,
)
from shiming.vocabulary.errors import Unavailable

CONTEXT = ObjectContext("EVD-1", "p1.someone")
KEYS = InMemoryKeys(
    {
        KeyUse.KEY_ENCRYPTION: {"kek1": b"k" * 32},
        KeyUse.PSEUDONYM: {"p1": b"p" * 32, "p2": b"q" * 32},
        KeyUse.LEDGER: {"l1": b"l" * 32},
    }
)


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_what_is_encrypted_comes_back(content: bytes, data_key: bytes) -> None:
    ciphertext = encrypt(content, data_key, CONTEXT)
    assert decrypt(ciphertext, data_key, CONTEXT) == content
    assert encrypt(content, data_key, CONTEXT) != ciphertext


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    data_key = new_data_key()
    ciphertext = bytearray(encrypt(b"portrait", data_key, CONTEXT))
    place = data.draw(st.integers(0, len(ciphertext) - 1))
    ciphertext[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unavailable) as refused:
        decrypt(bytes(ciphertext), data_key, CONTEXT)
    assert refused.value.code == "EVIDENCE_UNDECRYPTABLE"


@given(st.integers(0, 31))
def test_a_cut_ciphertext_is_refused(length: int) -> None:
    data_key = new_data_key()
    with pytest.raises(Unavailable):
        decrypt(encrypt(b"x", data_key, CONTEXT)[:length], data_key, CONTEXT)


@pytest.mark.parametrize(
    "context", [ObjectContext("EVD-2", "p1.someone"), ObjectContext("EVD-1", "p1.other")]
)
def test_another_place_or_person_does_not_open_it(context: ObjectContext) -> None:
    data_key = new_data_key()
    with pytest.raises(Unavailable):
        decrypt(encrypt(b"portrait", data_key, CONTEXT), data_key, context)


def test_data_keys_are_wrapped_and_an_altered_or_foreign_one_is_refused() -> None:
    data_key = new_data_key()
    wrapped = KEYS.wrap(data_key)
    assert KEYS.unwrap(wrapped) == data_key
    assert data_key not in wrapped.wrapped
    for bad in (wrapped.wrapped[:-1] + b"\x00\x00", wrapped.wrapped[::-1], b""):
        with pytest.raises(Unavailable) as refused:
            KEYS.unwrap(WrappedKey("kek1", bad))
        assert refused.value.code == "EVIDENCE_UNDECRYPTABLE"
    with pytest.raises(Unavailable) as refused:
        KEYS.unwrap(WrappedKey("kek9", wrapped.wrapped))
    assert refused.value.code == "KEY_UNKNOWN"


def test_keys_do_not_show_themselves() -> None:
    assert "kkkk" not in repr(KEYS)
    assert "b'" not in repr(KEYS.wrap(new_data_key()))


@pytest.mark.parametrize(
    "typed", ["11010519491231002X", "11010519491231002x", "110105 19491231 002X", "１１０１０５19491231002X"]
)
def test_a_person_has_one_pseudonym_however_the_number_is_written(typed: str) -> None:
    one = subject_pseudonym(KEYS, "cn_resident_number", "11010519491231002X")
    assert subject_pseudonym(KEYS, "cn_resident_number", typed) == one
    assert one.startswith("p2.")  # the present key
    assert typed not in one


def test_pseudonyms_differ_by_number_kind_and_key_and_older_ones_can_be_found() -> None:
    number = "E12345678"
    names = {
        subject_pseudonym(KEYS, "passport", number),
        subject_pseudonym(KEYS, "permit", number),
        subject_pseudonym(KEYS, "passport", "E12345679"),
        subject_pseudonym(KEYS, "passport", number, key_id="p1"),
    }
    assert len(names) == 4
