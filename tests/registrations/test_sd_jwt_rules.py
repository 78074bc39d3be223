"""The rules of the public test cases of SD-JWT, on our own issuer and verifier.

Each case states claims (`!sd` ones as `SDObj`), what the holder discloses and what a verifier then sees, in
the way of the specifications of openwallet-foundation-labs/sd-jwt-python; the examples are our own. After
them, what RFC 9901 section 7.1 tells a verifier to refuse.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sd_jwt.common import SDJWTHasSDClaimException, SDObj
from sd_jwt.holder import SDJWTHolder

from shiming.infrastructure.signing import Ed25519Signer
from shiming.registrations.connectors.sd_jwt_receipt import (
    TYPE,
    issue,
    verify,
)
from shiming.registrations.model.portable_receipts import HolderKey
from shiming.registrations.rules.sd_jwt_disclosures import (
    DISCLOSURES_MAX,
    DisclosureProblem,
    digest_of,
    disclosed_claims,
)
from shiming.registrations.use_cases.portable_receipts import jwk_of
from tests.privacy.builders import NOW

SIGNER = Ed25519Signer.from_seed(bytes(32))
KEYS = (jwk_of(SIGNER.public_key),)
ISSUER = "https://example.org"
ADDRESS = {"street": "1 Main Road", "town": "Springfield"}


@dataclass(frozen=True)
class Case:
    """Claims, what of them is disclosed, and what a verifier sees."""

    claims: dict[Any, Any]
    disclosed: dict[str, Any]
    seen: dict[str, Any]


CASES = {
    "flat": Case({SDObj("a"): 1, SDObj("b"): 2, "c": 3}, {"a": True}, {"a": 1, "c": 3}),
    "structured": Case(
        {"address": {SDObj("street"): "1 Main Road", SDObj("town"): "Springfield"}},
        {"address": {"town": True}},
        {"address": {"town": "Springfield"}},
    ),
    "whole object": Case({SDObj("address"): ADDRESS}, {"address": True}, {"address": ADDRESS}),
    "recursive": Case(
        {SDObj("address"): {SDObj(name): value for name, value in ADDRESS.items()}},
        {"address": {"street": True}},
        {"address": {"street": "1 Main Road"}},
    ),
    "recursive, nothing inside": Case(
        {SDObj("address"): {SDObj(name): value for name, value in ADDRESS.items()}},
        {"address": {}},
        {},
    ),
    "array elements": Case(
        {"lines": [SDObj("fixed"), SDObj("mobile"), "data"]},
        {"lines": [False, True]},
        {"lines": ["mobile", "data"]},
    ),
    "array in a claim": Case(
        {SDObj("lines"): ["fixed", "mobile"]}, {"lines": True}, {"lines": ["fixed", "mobile"]}
    ),
    "array of objects": Case(
        {"lines": [SDObj({"kind": "fixed"}), SDObj({"kind": "mobile"})]},
        {"lines": [{}, False]},
        {"lines": [{"kind": "fixed"}]},
    ),
    "array of nulls": Case(
        {"lines": [None, SDObj(None), SDObj(None), None]},
        {"lines": [None, True, False, None]},
        {"lines": [None, None, None]},
    ),
    "array in an array": Case(
        {"lines": [[SDObj("a"), SDObj("b")], "c"]},
        {"lines": [[False, True]]},
        {"lines": [["b"], "c"]},
    ),
    "recursive array": Case(
        {"lines": [SDObj([SDObj("a"), SDObj("b")]), SDObj([SDObj("c")])]},
        {"lines": [[False, True], False]},
        {"lines": [["b"]]},
    ),
    "types": Case(
        {
            SDObj("n"): None,
            SDObj("t"): True,
            SDObj("i"): 42,
            SDObj("f"): 0.5,
            SDObj("s"): "文",
            SDObj("o"): {},
        },
        {"n": True, "t": True, "i": True, "f": True, "s": True, "o": True},
        {"n": None, "t": True, "i": 42, "f": 0.5, "s": "文", "o": {}},
    ),
    "nothing disclosed": Case({SDObj("a"): 1, "lines": [SDObj("x"), [SDObj("y")]]}, {}, {"lines": [[]]}),
}


def made(claims: dict[Any, Any], holder: HolderKey | None = None, *, decoys: bool = True) -> str:
    return issue({"iss": ISSUER, **claims}, {}, holder=holder, signer=SIGNER, decoys=decoys)


def presented(sd_jwt: str, disclosed: dict[str, Any]) -> str:
    holder = SDJWTHolder(sd_jwt)
    holder.create_presentation(disclosed)
    presentation: str = holder.sd_jwt_presentation
    return presentation


def seen(presentation: str) -> dict[str, Any]:
    claims = verify(presentation, KEYS, None, NOW)
    assert claims.pop("iss") == ISSUER
    return claims


def signed(payload: dict[str, Any], *disclosures: str, **header: Any) -> str:
    """Return an SD-JWT with any payload and disclosures, signed by our key."""
    head = {"alg": "EdDSA", "typ": TYPE, **header}
    parts = [base64url(json.dumps(each).encode()) for each in (head, payload)]
    signature = base64url(base64.b64decode(SIGNER.sign(".".join(parts).encode())))
    return "~".join([".".join([*parts, signature]), *disclosures, ""])


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def disclosure(*parts: Any) -> str:
    return base64url(json.dumps(parts).encode())


def refused(presentation: str) -> str:
    with pytest.raises(DisclosureProblem) as problem:
        verify(presentation, KEYS, None, NOW)
    return problem.value.code


@pytest.mark.parametrize("decoys", [True, False])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_verifier_sees_what_was_disclosed_and_nothing_else(case: Case, *, decoys: bool) -> None:
    assert seen(presented(made(case.claims, decoys=decoys), case.disclosed)) == case.seen


def test_decoys_hide_how_many_claims_there_are() -> None:
    payload = json.loads(decoded(made({SDObj("a"): 1}).split(".")[1]))
    assert len(payload["_sd"]) > 1
    assert seen(presented(made({SDObj("a"): 1}), {"a": True})) == {"a": 1}


def test_the_salt_makes_equal_claims_unlike() -> None:
    assert made({SDObj("a"): 1}, decoys=False) != made({SDObj("a"): 1}, decoys=False)


A = disclosure("salt", "a", 1)
ELEMENT = disclosure("salt", "x")
NESTED = disclosure("salt", "b", {"_sd": [digest_of(A)]})
REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "a digest twice in one object": (
        lambda: signed({"_sd": [digest_of(A)] * 2}, A),
        "SD_JWT_DIGEST_REPEATED",
    ),
    "a digest in two objects": (
        lambda: signed({"_sd": [digest_of(A)], "o": {"_sd": [digest_of(A)]}}, A),
        "SD_JWT_DIGEST_REPEATED",
    ),
    "an undisclosed digest twice": (
        lambda: signed({"_sd": ["nothing"], "o": [{"...": "nothing"}]}),
        "SD_JWT_DIGEST_REPEATED",
    ),
    "a digest again inside a disclosure": (
        lambda: signed({"_sd": [digest_of(NESTED), digest_of(A)]}, NESTED, A),
        "SD_JWT_DIGEST_REPEATED",
    ),
    "a digest twice in an array": (
        lambda: signed({"l": [{"...": digest_of(ELEMENT)}] * 2}, ELEMENT),
        "SD_JWT_DIGEST_REPEATED",
    ),
    "a disclosure that no digest refers to": (lambda: signed({"a": 1}, A), "SD_JWT_DISCLOSURE_UNSIGNED"),
    "an inner disclosure without its outer one": (
        lambda: signed({"_sd": [digest_of(NESTED)]}, A),
        "SD_JWT_DISCLOSURE_UNSIGNED",
    ),
    "the same disclosure twice": (lambda: signed({"_sd": [digest_of(A)]}, A, A), "SD_JWT_DISCLOSURE_FORM"),
    "a claim named _sd": (
        lambda: with_disclosure(disclosure("salt", "_sd", ["x"])),
        "SD_JWT_NAME_RESERVED",
    ),
    "a claim named ...": (lambda: with_disclosure(disclosure("salt", "...", "x")), "SD_JWT_NAME_RESERVED"),
    "an object with ... in the payload": (
        lambda: signed({"o": {"...": "x", "more": 1}}),
        "SD_JWT_NAME_RESERVED",
    ),
    "an element with ... and more": (lambda: signed({"l": [{"...": "x", "y": 1}]}), "SD_JWT_NAME_RESERVED"),
    "a disclosed issuer": (
        lambda: with_disclosure(disclosure("salt", "vct", "urn:other")),
        "SD_JWT_NAME_RESERVED",
    ),
    "a claim that is there already": (
        lambda: signed({"a": 2, "_sd": [digest_of(A)]}, A),
        "SD_JWT_NAME_REPEATED",
    ),
    "an element where a claim belongs": (lambda: with_disclosure(ELEMENT), "SD_JWT_DISCLOSURE_FORM"),
    "a claim where an element belongs": (
        lambda: signed({"l": [{"...": digest_of(A)}]}, A),
        "SD_JWT_DISCLOSURE_FORM",
    ),
    "four parts": (lambda: with_disclosure(disclosure("s", "a", 1, 2)), "SD_JWT_DISCLOSURE_FORM"),
    "one part": (lambda: with_disclosure(disclosure("s")), "SD_JWT_DISCLOSURE_FORM"),
    "no array": (lambda: with_disclosure(base64url(b'{"a": 1}')), "SD_JWT_DISCLOSURE_FORM"),
    "a salt that is no text": (lambda: with_disclosure(disclosure(1, "a", 1)), "SD_JWT_DISCLOSURE_FORM"),
    "a name that is no text": (lambda: with_disclosure(disclosure("s", 1, 1)), "SD_JWT_DISCLOSURE_FORM"),
    "a name twice in a value": (
        lambda: with_disclosure(base64url(b'["s", "a", {"x": 1, "x": 2}]')),
        "SD_JWT_DISCLOSURE_FORM",
    ),
    "a number that is none": (
        lambda: with_disclosure(base64url(b'["s", "a", NaN]')),
        "SD_JWT_DISCLOSURE_FORM",
    ),
    "no JSON": (lambda: with_disclosure(base64url(b"hello")), "SD_JWT_DISCLOSURE_FORM"),
    "another hash": (lambda: signed({"_sd_alg": "sha-512", "_sd": [digest_of(A)]}, A), "SD_JWT_HASH"),
    "digests that are no array": (lambda: signed({"_sd": "x"}), "SD_JWT_FORM"),
    "a digest that is no text": (lambda: signed({"_sd": [1]}), "SD_JWT_FORM"),
    "algorithm none": (lambda: signed({"a": 1}, alg="none"), "SD_JWT_ALGORITHM"),
    "another algorithm": (lambda: signed({"a": 1}, alg="HS256"), "SD_JWT_ALGORITHM"),
    "another type": (lambda: signed({"a": 1}, typ="JWT"), "SD_JWT_ALGORITHM"),
    "a critical header": (lambda: signed({"a": 1}, crit=["b64"], b64=False), "SD_JWT_ALGORITHM"),
    "no signature": (lambda: without_signature(signed({"a": 1}, alg="none")), "SD_JWT_ALGORITHM"),
    "an empty signature": (lambda: without_signature(signed({"a": 1})), "SD_JWT_SIGNATURE"),
    "many disclosures": (
        lambda: signed({}, *(disclosure("s", str(each), 1) for each in range(DISCLOSURES_MAX + 1))),
        "SD_JWT_FORM",
    ),
    "deep nesting": (lambda: signed({"a": nested(60)}), "SD_JWT_FORM"),
    "nested beyond our rules": (lambda: signed({"a": nested(30)}), "SD_JWT_FORM"),
    "a JWT": (lambda: signed({"a": 1}).rstrip("~"), "SD_JWT_FORM"),
    "nothing": (lambda: "", "SD_JWT_FORM"),
    "tildes": (lambda: "~~~", "SD_JWT_FORM"),
    "two parts": (lambda: "a.b~", "SD_JWT_FORM"),
    "other characters": (lambda: signed({"a": 1}) + "?", "SD_JWT_FORM"),
    "too long": (lambda: "a" * 70_000 + "~", "SD_JWT_FORM"),
}


def with_disclosure(sent: str) -> str:
    return signed({"_sd": [digest_of(sent)]}, sent)


def without_signature(sd_jwt: str) -> str:
    return sd_jwt.rpartition(".")[0] + ".~"


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize(("sent", "code"), REFUSED.values(), ids=REFUSED)
def test_what_a_verifier_refuses(sent: Callable[[], str], code: str) -> None:
    assert refused(sent()) == code


def test_what_is_unknown_but_harmless_is_ignored() -> None:
    assert seen(signed({"iss": ISSUER, "_sd": ["decoy"], "l": [{"...": "other"}, 1]})) == {"l": [1]}
    assert seen(with_issuer(NESTED, A)) == {"b": {"a": 1}}


def with_issuer(*disclosures: str) -> str:
    return signed({"iss": ISSUER, "_sd": [digest_of(disclosures[0])], "_sd_alg": "sha-256"}, *disclosures)


def test_another_key_and_every_changed_character_of_the_signed_part_are_refused() -> None:
    sd_jwt = made({"a": 1})
    other = (jwk_of(Ed25519Signer.from_seed(b"1" * 32).public_key),)
    with pytest.raises(DisclosureProblem, match="SD_JWT_SIGNATURE"):
        verify(sd_jwt, other, None, NOW)
    assert verify(sd_jwt, (*other, *KEYS), None, NOW)["a"] == 1
    head, payload, signature = sd_jwt.split("~")[0].split(".")
    changed = json.loads(decoded(payload)) | {"a": 2}
    forged = f"{head}.{base64url(json.dumps(changed).encode())}.{signature}~"
    assert refused(forged) == "SD_JWT_SIGNATURE"


def test_names_are_reserved_when_it_is_made() -> None:
    with pytest.raises(SDJWTHasSDClaimException):
        made({"_sd": ["x"]})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abcde"), VALUES), st.sets(st.sampled_from("abcde")))
def test_any_claims_any_choice(claims: dict[str, Any], chosen: set[str]) -> None:
    sd_jwt = made({SDObj(name): value for name, value in claims.items()})
    sent = [each for each in sd_jwt.split("~")[1:-1] if json.loads(decoded(each))[1] in chosen]
    assert seen("~".join([sd_jwt.split("~")[0], *sent, ""])) == {
        name: value for name, value in claims.items() if name in chosen
    }


@given(st.text(max_size=60), st.text(alphabet="aA0-_.~", max_size=60))
def test_noise_is_refused_and_never_a_fault(noise: str, formed: str) -> None:
    for each in (noise, formed, formed + "~"):
        with pytest.raises(DisclosureProblem):
            verify(each, KEYS, None, NOW)


@given(VALUES, st.lists(st.text(alphabet="aA0-_", max_size=8), max_size=3))
def test_any_payload_is_read_or_refused(payload: Any, disclosures: list[str]) -> None:
    try:
        found = disclosed_claims({"x": payload}, disclosures)
    except DisclosureProblem:
        return
    assert found == {"x": payload}
