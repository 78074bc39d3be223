"""The portable receipt: bound to the holder's key, disclosed claim by claim, checked by who is shown it."""

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.signing import Ed25519Signer
from shiming.jurisdictions.model import DocumentPolicy
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.connectors.sd_jwt_receipt import issue, parse_holder_key
from shiming.registrations.errors.portable_receipts import NOT_GENUINE
from shiming.registrations.model.portable_receipts import (
    ALWAYS_SHOWN,
    CLOCK_SKEW_MAX,
    KEY_BINDING_AGE_MAX,
    LIFE,
    VCT,
    PortableGenuine,
    PortableIssued,
    PortableNotGenuine,
    PortableRefused,
    WhatIsAsked,
)
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.rules.portable_receipt import (
    decide_portable,
    disclosable_claims,
    is_adult,
    problem_of_claims,
    problem_of_key_binding,
    shown_claims,
)
from shiming.registrations.rules.sd_jwt_disclosures import digest_of
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.portable_receipts import (
    issue_portable_receipt,
    jwk_of,
    read_holder_key,
    verify_portable_receipt,
)
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    a_contract_desk,
    the_policy,
)

ISSUER = "https://shiming.example.org"
SIGNER = Ed25519Signer.from_seed(bytes(32))
KEYS = (jwk_of(SIGNER.public_key),)
VERIFIER, NONCE = "https://bank.example.org", "n-1234567890"
ASKED = WhatIsAsked(KEYS, ISSUER, nonce=NONCE, audience=VERIFIER)


@dataclass(frozen=True)
class Wallet:
    """A holder's key, and what it presents."""

    key: Any
    algorithm: str

    @classmethod
    def new(cls, kty: str = "EC", crv: str = "P-256") -> "Wallet":
        return cls(JWK.generate(kty=kty, crv=crv), "ES256" if kty == "EC" else "EdDSA")

    @property
    def public(self) -> dict[str, str]:
        found: dict[str, str] = self.key.export_public(as_dict=True)
        return found

    def present(
        self, sd_jwt: str, *names: str, header: Mapping[str, Any] | None = None, **binding: Any
    ) -> str:
        """Disclose these claims, with a proof of the key; None in `binding` leaves a member out."""
        token, *sent = sd_jwt.split("~")[:-1]
        chosen = [each for each in sent if claim_of(each) in names]
        bare = "~".join([token, *chosen, ""])
        said = {
            "nonce": NONCE,
            "aud": VERIFIER,
            "iat": int(NOW.timestamp()),
            "sd_hash": digest_of(bare),
            **binding,
        }
        proof = JWS(json.dumps({name: value for name, value in said.items() if value is not None}))
        head = {"alg": self.algorithm, "typ": "kb+jwt", **(header or {})}
        proof.add_signature(self.key, protected=json.dumps(head))
        return bare + str(proof.serialize(compact=True))


def claim_of(disclosure: str) -> str:
    name: str = json.loads(urlsafe_b64decode(disclosure + "=="))[1]
    return name


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.desk.sessions.add(a_session(SESSION))
    yield desk
    desk.desk.engine.dispose()


def register(desk: ContractDesk) -> str:
    outcome = desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered), outcome
    line: str = outcome.receipt["line"]["id"]
    return line


def issued(desk: ContractDesk, line: str, wallet: Wallet) -> PortableIssued | PortableRefused | None:
    return transact(
        desk.desk.engine,
        lambda connection: issue_portable_receipt(
            desk.desk.tools,
            connection,
            line,
            read_holder_key(wallet.public),
            issuer=ISSUER,
            policy=the_policy(),
            now=NOW,
        ),
    )


def a_receipt(wallet: Wallet, signer: Ed25519Signer = SIGNER, **changed: Any) -> str:
    shown = {
        name: value for name, value in (shown_claims(ISSUER, NOW) | changed).items() if value is not None
    }
    claims = {"registered_since": "2026-05-01", "age_over_18": True}
    return issue(shown, claims, holder=parse_holder_key(wallet.public), signer=signer)


def problem(presentation: str, wanted: WhatIsAsked = ASKED, *, now: datetime = NOW) -> str | None:
    found = verify_portable_receipt(presentation, wanted, now=now)
    return found.code if isinstance(found, PortableNotGenuine) else None


@pytest.mark.parametrize("kind", [("EC", "P-256"), ("OKP", "Ed25519")])
def test_a_holder_discloses_what_they_like_and_proves_their_key(
    desk: ContractDesk, kind: tuple[str, str]
) -> None:
    wallet, line = Wallet.new(*kind), register(desk)
    made = issued(desk, line, wallet)
    assert isinstance(made, PortableIssued)
    assert made.expires_at == NOW.replace(hour=0) + LIFE
    keys = (jwk_of(desk.desk.tools.signer.public_key),)
    found = verify_portable_receipt(
        wallet.present(made.sd_jwt, "registered_since"), replace(ASKED, issuer_keys=keys), now=NOW
    )
    assert isinstance(found, PortableGenuine)
    assert found.holder_bound
    assert {name: value for name, value in found.claims.items() if name not in ALWAYS_SHOWN} == {
        "registered_since": "2026-05-01"
    }
    assert set(found.claims) >= ALWAYS_SHOWN
    names = {claim_of(each) for each in made.sd_jwt.split("~")[1:-1]}
    assert names == {
        "registered_since",
        "operator",
        "line_number",
        "line_kind",
        "product_class",
        "assurance_level",
    }
    assert "+8613800000000" not in repr((made, found))


def test_each_one_is_noted_by_its_hash_alone(desk: ContractDesk) -> None:
    line = register(desk)
    for _ in range(2):
        assert isinstance(issued(desk, line, Wallet.new()), PortableIssued)
    with reading(desk.desk.engine) as connection:
        facts = (
            connection.execute(sa.select(outbox.c.facts).where(outbox.c.type == "receipt.issued"))
            .scalars()
            .all()
        )
    assert len(set(facts)) == 2
    assert all('"form": "sd_jwt"' in each and "13800000000" not in each for each in facts)
    assert isinstance(verify_ledger(desk.desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_none_is_made_of_a_line_that_ended_or_of_none(desk: ContractDesk) -> None:
    line = register(desk)
    desk.desk.terminate(line)
    refused = issued(desk, line, Wallet.new())
    assert isinstance(refused, PortableRefused)
    assert [each.code.value for each in refused.refusals] == ["PORTABLE_LINE_ENDED"]
    assert issued(desk, "REG-none", Wallet.new()) is None
    with reading(desk.desk.engine) as connection:
        found = find_line(connection, line)
    assert found is not None
    both = decide_portable(found, rehearsal=True, citation="order25:11")
    assert [each.code.value for each in both] == ["PORTABLE_LINE_ENDED", "PORTABLE_REHEARSAL"]
    assert disclosable_claims(found, level=None, adult=False)["age_over_18"] is False


def test_without_a_question_about_the_key_none_is_needed() -> None:
    bare = a_receipt(Wallet.new())
    found = verify_portable_receipt(f" {bare}\n", WhatIsAsked(KEYS), now=NOW)
    assert isinstance(found, PortableGenuine)
    assert not found.holder_bound
    assert problem(bare) == "KEY_BINDING_MISSING"


def test_a_proof_of_the_key_that_is_not_for_this_is_refused() -> None:
    wallet, thief = Wallet.new(), Wallet.new()
    receipt = a_receipt(wallet)
    assert problem(wallet.present(receipt, "age_over_18")) is None
    shown = wallet.present(receipt)
    more = "~".join([shown.split("~")[0], receipt.split("~")[1], shown.split("~")[-1]])
    cases = {
        "another key": (thief.present(receipt), "KEY_BINDING_WRONG"),
        "another verifier": (wallet.present(receipt, aud="https://other.example.org"), "KEY_BINDING_WRONG"),
        "another question": (wallet.present(receipt, nonce="n-0"), "KEY_BINDING_WRONG"),
        "no question": (wallet.present(receipt, nonce=None), "KEY_BINDING_WRONG"),
        "other disclosures": (more, "KEY_BINDING_WRONG"),
        "no hash": (wallet.present(receipt, sd_hash=None), "KEY_BINDING_WRONG"),
        "another type": (wallet.present(receipt, header={"typ": "JWT"}), "KEY_BINDING_WRONG"),
        "of another receipt": (
            receipt + wallet.present(a_receipt(wallet)).split("~")[-1],
            "KEY_BINDING_WRONG",
        ),
        "too old": (wallet.present(receipt, iat=int(NOW.timestamp()) - 301), "KEY_BINDING_OLD"),
        "of the future": (wallet.present(receipt, iat=int(NOW.timestamp()) + 61), "KEY_BINDING_OLD"),
        "of no time": (wallet.present(receipt, iat=None), "KEY_BINDING_OLD"),
        "of a time that is none": (wallet.present(receipt, iat=True), "KEY_BINDING_OLD"),
    }
    assert {name: problem(sent) for name, (sent, _) in cases.items()} == {
        name: code for name, (_, code) in cases.items()
    }


@pytest.mark.parametrize(("nonce", "audience"), [("", ""), (NONCE, None), (None, VERIFIER), (NONCE, "")])
def test_half_a_question_is_never_answered_with_a_bound_holder(
    nonce: str | None, audience: str | None
) -> None:
    wallet = Wallet.new()
    asked = replace(ASKED, nonce=nonce, audience=audience)
    assert problem(wallet.present(a_receipt(wallet)), asked) == "KEY_BINDING_WRONG"


def test_an_unbound_receipt_proves_no_holder() -> None:
    shown = shown_claims(ISSUER, NOW)
    unbound = issue(shown, {}, holder=None, signer=SIGNER)
    assert problem(unbound + Wallet.new().present(unbound).split("~")[-1]) == "KEY_BINDING_MISSING"
    odd = issue(shown | {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}}, {}, holder=None, signer=SIGNER)
    assert problem(odd + Wallet.new().present(odd).split("~")[-1]) == "KEY_BINDING_MISSING"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"vct": "urn:example:other"}, "PORTABLE_KIND"),
        ({"iss": "https://other.example.org"}, "PORTABLE_ISSUER"),
        ({"status": {"status_list": {"idx": 0, "uri": "x"}}}, "PORTABLE_STATUS"),
        ({"exp": int(NOW.timestamp()) - 60}, "PORTABLE_EXPIRED"),
        ({"exp": int(NOW.timestamp()) - 59}, None),
        ({"exp": None}, "PORTABLE_EXPIRED"),
        ({"exp": "never"}, "PORTABLE_EXPIRED"),
        ({"iat": int(NOW.timestamp()) + 61}, "PORTABLE_NOT_YET"),
        ({"iat": None}, None),
        ({"iat": "now"}, "PORTABLE_NOT_YET"),
        ({"nbf": int(NOW.timestamp()) + 61}, "PORTABLE_NOT_YET"),
        ({"nbf": int(NOW.timestamp())}, None),
    ],
)
def test_what_is_not_what_was_asked_for(changed: dict[str, Any], code: str | None) -> None:
    wallet = Wallet.new()
    assert problem(wallet.present(a_receipt(wallet, **changed))) == code


def test_another_issuers_key_is_refused_with_and_without_the_holders() -> None:
    wallet = Wallet.new()
    forged = a_receipt(wallet, Ed25519Signer.from_seed(b"1" * 32))
    assert problem(wallet.present(forged)) == "SD_JWT_SIGNATURE"
    assert problem(forged, WhatIsAsked(KEYS)) == "SD_JWT_SIGNATURE"


def test_only_public_keys_of_wallets_are_bound() -> None:
    ours = Wallet.new()
    point = ours.public
    cases = {
        "HOLDER_KEY_PRIVATE": [ours.key.export(as_dict=True), {"kty": "oct", "k": "AAAA"}],
        "HOLDER_KEY_INVALID": [
            {},
            {"kty": "EC", "crv": "P-256"},
            {**point, "x": "AAAA"},
            {**point, "x": point["y"]},
            {**point, "crv": "P-384"},
            {"kty": "OKP", "crv": "Ed25519", "x": "!"},
            {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
            {**point, "x": 5},
        ],
    }
    for code, keys in cases.items():
        for key in keys:
            with pytest.raises(BadInput) as refused:
                parse_holder_key(key)
            assert refused.value.code == code, key
    assert parse_holder_key({**point, "kid": "mine"}).jwk == {
        name: point[name] for name in ("kty", "crv", "x", "y")
    }


@given(st.integers(-(10**6), 10**6))
def test_the_age_of_a_proof_is_bounded_both_ways(age: int) -> None:
    fresh = problem_of_key_binding(NOW.timestamp() - age, now=NOW) is None
    assert fresh == (-CLOCK_SKEW_MAX.total_seconds() <= age <= KEY_BINDING_AGE_MAX.total_seconds())


@given(st.integers(0, 10**7))
def test_a_receipt_is_good_for_its_life(seconds: int) -> None:
    claims = shown_claims(ISSUER, NOW)
    at = NOW + timedelta(seconds=seconds)
    good = problem_of_claims(claims, WhatIsAsked(KEYS), now=at) is None
    assert good == (at < NOW.replace(hour=0) + LIFE + CLOCK_SKEW_MAX)
    assert claims["vct"] == VCT


def test_of_age_is_who_is_so_by_definition() -> None:
    found = {name: is_adult(category) for name, category in the_policy().documents.items()}
    assert is_adult(None) is None
    assert set(found.values()) <= {True, False, None}

    def between(at_least: int | None, below: int | None) -> DocumentPolicy:
        some = next(iter(the_policy().documents.values()))
        cited = some.guardian_required.model_dump() | {"note": None}
        kind = type(some).model_fields
        assert {"age_years_min", "age_years_below"} <= set(kind)
        changed = {
            name: None if years is None else some.guardian_required.model_copy(update={"value": years})
            for name, years in (("age_years_min", at_least), ("age_years_below", below))
        }
        assert cited["citation"]
        return some.model_copy(update=changed)

    ages = [(18, None), (21, None), (16, None), (None, 18), (None, 16), (None, 21), (None, None), (16, 18)]
    assert [is_adult(between(*each)) for each in ages] == [True, True, None, False, False, None, None, False]


def test_every_problem_has_its_words() -> None:
    assert all(text.zh and text.en for text in NOT_GENUINE.values())


def test_without_the_library_it_is_said_what_to_run() -> None:
    code = (
        "import sys\n"
        "sys.modules['sd_jwt'] = None\n"
        "from shiming.registrations.connectors.sd_jwt_receipt import parse_holder_key\n"
        "from shiming.vocabulary.errors import Unavailable\n"
        "try: parse_holder_key({'kty': 'OKP', 'crv': 'Ed25519', 'x': 'AA'})\n"
        "except Unavailable as error: print(error.code, error.advice.en)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "PORTABLE_RECEIPT_DRIVER_MISSING Run `make server`."
