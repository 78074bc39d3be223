"""Whatever is sent in place of a credential, the answer is no - never an exception."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.accounts.base64url import from_base64url, to_base64url
from shiming.accounts.connectors.access_tokens import (
    claimed_client,
    public_key_set,
    read_assertion,
    read_token,
)
from shiming.accounts.connectors.passkeys import (
    RelyingParty,
    challenge_of,
    credential_of,
    verify_enrolment,
    verify_sign_in,
)
from tests.accounts.virtual_authenticator import VirtualAuthenticator, b64

PARTY = RelyingParty("localhost", "Shiming", ("http://localhost:8000",))
NOW = datetime(2026, 5, 1, tzinfo=UTC)
CHALLENGE = b"c" * 32
OPTIONS = {"user": {"id": "QUFB"}, "challenge": b64(CHALLENGE)}
CREATED = VirtualAuthenticator(attestation="packed").create(OPTIONS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.text(max_size=20) | st.binary(max_size=60).map(to_base64url)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(PARTS, max_size=4).map(".".join))
def test_tokens(token: str) -> None:
    assert read_token(token, issuer="us", public_key=lambda _: "AAAA", now=NOW) is None
    assert read_assertion(token, client="MCH", public_keys='{"keys": []}', audiences=("us",), now=NOW) is None
    claimed_client(token)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.text(max_size=60) | JSON.map(repr))
def test_key_sets(text: str) -> None:
    assert public_key_set(text) is None


@settings(deadline=None)  # a loaded machine is no failure
@given(st.dictionaries(st.sampled_from(["id", "rawId", "type", "response"]), JSON))
def test_passkey_answers(answer: dict[str, Any]) -> None:
    challenge_of(answer)
    credential_of(answer)
    assert verify_enrolment(PARTY, answer, challenge=CHALLENGE) is None
    assert verify_sign_in(PARTY, answer, challenge=CHALLENGE, public_key=b"") is None


@settings(deadline=None)  # a loaded machine is no failure
@given(st.sampled_from(["clientDataJSON", "attestationObject"]), st.integers(0, 200), st.binary(max_size=9))
def test_damaged_enrolments(part: str, place: int, damage: bytes) -> None:
    whole = from_base64url(CREATED["response"][part])
    damaged = whole[:place] + damage + whole[place + len(damage) + 1 :]
    answer = {**CREATED, "response": {**CREATED["response"], part: to_base64url(damaged)}}
    found = verify_enrolment(PARTY, answer, challenge=CHALLENGE)
    if part == "clientDataJSON" and damaged != whole:  # the attestation signs all of it
        assert found is None


@settings(deadline=None)  # a loaded machine is no failure
@given(st.binary())
def test_base64url_is_read_back(content: bytes) -> None:
    assert from_base64url(to_base64url(content)) == content
