import json
import threading
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.canonical_json import (
    BYTES_MAX,
    DEPTH_MAX,
    canonical_bytes,
    content_hash,
    parse_object,
)
from shiming.infrastructure.clock import FixedClock, SystemClock
from shiming.infrastructure.signing import Ed25519Signer, key_id_of, verify_signature
from shiming.vocabulary.errors import BadInput, Unavailable

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


@given(OBJECTS)
def test_what_was_written_is_read_back(value: dict[str, Any]) -> None:
    assert parse_object(canonical_bytes(value)) == value
    assert parse_object(json.dumps(value)) == value


PLAIN_KEYS = st.text(st.characters(max_codepoint=127), max_size=5)
FLOATS = (
    st.floats(-(2.0**54), 2.0**54) | st.floats(-1e-3, 1e-3) | st.integers(-99, 99).map(float) | st.just(-0.0)
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_KEYS, inner, max_size=6),
    max_leaves=20,
)


@given(VALUES | PLAIN)
def test_the_short_cut_spells_as_the_library_does(value: Any) -> None:
    try:
        spelled = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        with pytest.raises(ValueError, match=r"."):
            canonical_bytes(value)
    else:
        assert canonical_bytes(value) == spelled


@given(OBJECTS)
def test_the_hash_does_not_depend_on_spelling(value: dict[str, Any]) -> None:
    spelled = json.dumps(dict(reversed(value.items())), indent=2, ensure_ascii=True)
    assert content_hash(parse_object(spelled)) == content_hash(value)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "1", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', '{"a": 1, "a": 1}',
        '{"a": 9007199254740993}',
        b"\xff", '{"a": "\\ud800"}', '{"a":' * (DEPTH_MAX + 1) + "1" + "}" * (DEPTH_MAX + 1),
        "[" * 100_000, " " * (BYTES_MAX + 1), '{"a": ' + "1" * 5000 + "}",
    ],
)  # fmt: skip
def test_what_is_not_one_strict_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadInput, match="JSON_INVALID"):
        parse_object(text)


@given(st.binary(), st.binary(min_size=32, max_size=32))
def test_a_signature_fits_its_message_and_key_only(message: bytes, seed: bytes) -> None:
    signer, other = Ed25519Signer.from_seed(seed), Ed25519Signer.from_seed(bytes(32 * [7]))
    signature = signer.sign(message)
    assert verify_signature(signer.public_key, signature, message)
    assert not verify_signature(signer.public_key, signature, message + b"x")
    assert verify_signature(other.public_key, signature, message) is (seed == bytes(32 * [7]))


@given(st.text(), st.text())
def test_malformed_signatures_are_simply_false(key: str, signature: str) -> None:
    assert not verify_signature(key, signature, b"")
    assert key_id_of(key + "\ud800").startswith("ed25519:")


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "key"
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(Ed25519Signer.from_file_or_new(file).key_id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(made) == {Ed25519Signer.from_file(file).key_id}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_a_missing_or_damaged_key_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x")
    for name in ("none", "short"):
        with pytest.raises(Unavailable, match="SIGNING_KEY_UNAVAILABLE"):
            Ed25519Signer.from_file(tmp_path / name)
    assert "private" not in repr(Ed25519Signer.from_seed(bytes(32)))


def test_the_system_clock_has_a_zone() -> None:
    now = SystemClock().now()
    assert now.tzinfo is not None
    assert FixedClock(now).now() == now
