from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.encryption import new_data_key
from shiming.infrastructure.framed_encryption import (
    FRAME_BYTES,
    TAG_BYTES,
    ObjectContext,
    decrypt_frames,
    encrypt_frames,
)
from shiming.vocabulary.errors import Unavailable

CONTEXT = ObjectContext("EVD-1", "CMCC", "p1.someone")
KEY = new_data_key()
HEAD = 20
FRAME = FRAME_BYTES + TAG_BYTES
SIZES = [1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 5]


def encrypted(content: bytes, key: bytes = KEY, context: ObjectContext = CONTEXT) -> bytes:
    return b"".join(encrypt_frames([content], key, context))


def decrypted(ciphertext: bytes, key: bytes = KEY, context: ObjectContext = CONTEXT) -> bytes:
    return b"".join(decrypt_frames([ciphertext], key, context))


def frames_of(ciphertext: bytes) -> list[bytes]:
    body = ciphertext[HEAD:]
    return [body[start : start + FRAME] for start in range(0, len(body), FRAME)]


def refused(ciphertext: bytes, context: ObjectContext = CONTEXT, key: bytes = KEY) -> bool:
    with pytest.raises(Unavailable) as refusal:
        decrypted(ciphertext, key, context)
    return refusal.value.code == "EVIDENCE_UNDECRYPTABLE"


@pytest.mark.parametrize("size", [0, *SIZES])
def test_content_of_every_length_comes_back(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    ciphertext = encrypted(content)
    assert decrypted(ciphertext) == content
    assert len(ciphertext) == HEAD + size + TAG_BYTES * max(1, -(-size // FRAME_BYTES))
    assert encrypted(content)[HEAD:] != ciphertext[HEAD:]


@given(st.lists(st.binary(max_size=90_000), max_size=5), st.integers(1, 70_000))
def test_how_a_stream_is_cut_does_not_matter(pieces: list[bytes], size: int) -> None:
    ciphertext = b"".join(encrypt_frames(pieces, KEY, CONTEXT))
    cut = [ciphertext[start : start + size] for start in range(0, len(ciphertext), size)]
    assert b"".join(decrypt_frames(cut, KEY, CONTEXT)) == b"".join(pieces)


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    ciphertext = bytearray(encrypted(b"portrait" * 20_000))
    place = data.draw(st.integers(0, len(ciphertext) - 1))
    ciphertext[place] ^= data.draw(st.integers(1, 255))
    assert refused(bytes(ciphertext))


@pytest.mark.parametrize("size", SIZES)
def test_a_stream_cut_anywhere_is_refused(size: int) -> None:
    ciphertext = encrypted(b"x" * size)
    frame_ends = range(HEAD, len(ciphertext), FRAME)
    for length in {0, 3, HEAD - 1, HEAD, HEAD + 5, len(ciphertext) - 1, *frame_ends} - {len(ciphertext)}:
        assert refused(ciphertext[:length]), length


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "swapped": lambda f: [f[1], f[0], *f[2:]],
    "dropped first": lambda f: f[1:],
    "dropped middle": lambda f: [f[0], *f[2:]],
    "dropped last": lambda f: f[:-1],
    "repeated": lambda f: [f[0], f[0], *f[1:]],
    "last twice": lambda f: [*f, f[-1]],
    "added": lambda f: [*f, b"x" * 40],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("tail", [0, 9])  # a last frame that is full, and one that is not
def test_frames_out_of_place_are_refused(change: str, tail: int) -> None:
    ciphertext = encrypted(b"".join(bytes([n]) * FRAME_BYTES for n in range(4)) + b"t" * tail)
    changed = CHANGES[change](frames_of(ciphertext))
    assert refused(ciphertext[:HEAD] + b"".join(changed))


def test_a_frame_of_another_object_of_the_same_key_and_context_is_refused() -> None:
    one, other = encrypted(b"a" * 3 * FRAME_BYTES), encrypted(b"b" * 3 * FRAME_BYTES)
    mixed = [frames_of(one)[0], frames_of(other)[1], frames_of(one)[2]]
    assert refused(one[:HEAD] + b"".join(mixed))


@pytest.mark.parametrize(
    "context",
    [
        ObjectContext("EVD-2", "CMCC", "p1.someone"),
        ObjectContext("EVD-1", "CUCC", "p1.someone"),
        ObjectContext("EVD-1", "CMCC", "p1.other"),
    ],
)
def test_another_place_operator_or_person_does_not_open_it(context: ObjectContext) -> None:
    assert refused(encrypted(b"portrait"), context)


def test_another_key_does_not_open_it() -> None:
    assert refused(encrypted(b"portrait"), key=new_data_key())


def test_nothing_is_read_ahead_of_what_was_asked_for() -> None:
    read = 0

    def source() -> Iterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * FRAME_BYTES

    stream = encrypt_frames(source(), KEY, CONTEXT)
    for _ in range(3):
        next(stream)
    assert read <= 4
