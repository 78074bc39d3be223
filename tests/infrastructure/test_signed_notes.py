"""Signed notes against the example of their public tool, then by properties."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.signed_notes import (
    NoteKey,
    NoteSigner,
    SignatureType,
    cosigned_at,
    is_signed,
    log_signer,
    parse_note,
    witness_signer,
)
from shiming.infrastructure.signing import Ed25519Signer
from shiming.vocabulary.errors import BadInput

# From the documentation of golang.org/x/mod/sumdb/note: made and verified by another program.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
)
AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TEXT = "example.com/log\n5\nTjLq\n"


def a_signer(number: int = 0, name: str = "example.com/log") -> NoteSigner:
    return NoteSigner(name, Ed25519Signer.from_seed(bytes([number] * 32)))


def test_a_note_of_another_program_verifies() -> None:
    key = NoteKey.parse(GO_KEY)
    assert (key.name, key.type, key.text) == ("PeterNeumann", SignatureType.ED25519, GO_KEY)
    note = parse_note(GO_NOTE)
    assert is_signed(note, key)
    assert str(note) == GO_NOTE
    assert not is_signed(parse_note(GO_NOTE.replace("answer", "Answer")), key)


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1))
def test_every_text_is_signed_and_read_back(text: str) -> None:
    signer = a_signer()
    note = parse_note(signer.sign(f"{text}\n"))
    assert note.text == f"{text}\n"
    assert is_signed(note, signer.key)
    assert not is_signed(note, a_signer(1).key)
    assert not is_signed(note, a_signer(0, "example.com/other").key)
    assert NoteKey.parse(signer.key.text) == signer.key


def test_witnesses_sign_beside_the_log_and_a_later_signature_replaces_the_earlier() -> None:
    log, witness, other = a_signer(), a_signer(1, "witness.example/w1"), a_signer(2, "witness.example/w2")
    note = parse_note(log.sign(TEXT))
    once = other.cosign(witness.cosign(note, AT), AT)
    assert len(once.signatures) == 3
    again = parse_note(str(witness.cosign(once, AT.replace(hour=13))))
    assert len(again.signatures) == 3
    assert is_signed(again, log.key)
    assert cosigned_at(again, witness.cosigning_key) == AT.replace(hour=13)
    assert cosigned_at(again, other.cosigning_key) == AT
    assert cosigned_at(note, witness.cosigning_key) is None
    assert not is_signed(again, witness.key)  # a cosignature is no signature of a log
    forged = parse_note(str(again).replace("\n5\n", "\n6\n"))
    assert cosigned_at(forged, witness.cosigning_key) is None


def test_a_cosignature_is_made_as_its_specification_says() -> None:
    """key ID || time || Ed25519 over `cosignature/v1`, `time SECONDS` and the text."""
    witness = a_signer(1, "witness.example/w1")
    note = witness.cosign(parse_note(a_signer().sign(TEXT)), AT)
    (found,) = [one for one in note.signatures if one.name == "witness.example/w1"]
    assert found.key_id == witness.cosigning_key.key_id
    assert int.from_bytes(found.signature[:8], "big") == int(AT.timestamp())
    message = f"cosignature/v1\ntime {int(AT.timestamp())}\n{TEXT}".encode()
    private = witness.signer
    assert isinstance(private, Ed25519Signer)
    private._private_key.public_key().verify(found.signature[8:], message)


def test_a_wrong_signature_in_the_name_of_the_key_spoils_a_right_one() -> None:
    signer = a_signer()
    note = signer.sign(TEXT)
    forged = parse_note(signer.sign("another\n1\nroot\n"))
    assert not is_signed(parse_note(f"{note}{forged.signatures[0]}"), signer.key)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno signature\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name AAAAAAAA",
        "text\n\n\u2014 na+me AAAAAAAAAAA=\n",
        "text\n\n\u2014 name AAAAAAA\n",
        "te\rxt\n\n\u2014 name AAAAAAAAAAA=\n",
        b"\xff\n\n",
        "x" * 70_000 + "\n\n\u2014 name AAAAAAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(content: str | bytes) -> None:
    with pytest.raises(BadInput, match="NOTE_FORMAT"):
        parse_note(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        "name+00000000+AAAA",
        GO_KEY.replace("c7", "c8"),
        GO_KEY.replace("+ARpc", "+AhpC"),
        "+" + GO_KEY,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="NOTE_KEY_FORMAT"):
        NoteKey.parse(text)


def test_names_come_from_the_key_where_none_is_given_and_must_fit_a_line() -> None:
    signer = Ed25519Signer.from_seed(bytes(32))
    assert log_signer(signer).name == "shiming/8eb7cca2ecabb7fb"
    assert log_signer(signer, "ledger.example/1").name == "ledger.example/1"
    assert witness_signer(signer).name == "witness/8eb7cca2ecabb7fb"
    for name in ("", "two words", "a+b", "line\nbreak"):
        with pytest.raises(BadInput, match="NOTE_KEY_NAME"):
            NoteSigner(name, signer)
