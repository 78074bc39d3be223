import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey
from sqlalchemy.engine import Engine

from shiming.accounts.base64url import to_base64url
from shiming.accounts.connectors import access_tokens
from shiming.accounts.model import Client, Principal, PrincipalKind
from shiming.accounts.use_cases import clients as use_cases
from shiming.accounts.use_cases.gatekeeper import Credentials, Gatekeeper, NotAuthenticated
from shiming.accounts.use_cases.token_keys import TokenKeys
from shiming.accounts.use_cases.tokens import (
    ASSERTION_TYPE,
    TokenIssued,
    TokenRefused,
    TokenRequest,
    issue_token,
)
from shiming.infrastructure.database import unit_of_work
from shiming.vocabulary.errors import BadInput
from tests.accounts.account_builders import BY, NOW, Desk, a_desk

INVALID = NotAuthenticated("TOKEN_INVALID")
URL = "http://localhost:8000"


def who(desk: Desk, token: str) -> Principal | NotAuthenticated | None:
    return desk.gatekeeper.authenticate(Credentials(bearer=token))


def test_a_client_gets_a_token_and_is_known_by_it(database: Engine) -> None:
    desk = a_desk(database)
    client, secret = desk.client("sessions.create", "receipts.read", operator="cn-mobile")
    token = desk.token(client, secret, "receipts.read")
    found = who(desk, token)
    assert isinstance(found, Principal)
    assert (found.reference, found.kind, found.operator) == (
        client.reference,
        PrincipalKind.CLIENT,
        "cn-mobile",
    )
    assert found.scopes == {"receipts.read"}
    assert secret not in desk.everything_stored()
    header = jwt.decode(token, OKPKey.import_key(desk.token_keys.key_set()["keys"][0]), ["Ed25519"])  # type: ignore[index] # a list
    assert (header.header["typ"], header.claims["aud"], header.claims["exp"]) == (
        "at+jwt",
        URL,
        int(NOW.timestamp()) + 600,
    )
    assert desk.leaf_kinds()[-1] == "token.issued"
    desk.clock.forward(minutes=10)
    assert who(desk, token) == INVALID


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "MCH-0000"}, "invalid_client"),
        ({"client_id": "\x00"}, "invalid_client"),
        ({"scope": "keys.rotate"}, "invalid_scope"),
        ({"scope": "receipts.read sessions.create"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"ways": 2}, "invalid_request"),
    ],
)
def test_requests_that_are_refused(
    sqlite_desk: tuple[Desk, Client, str], changes: dict[str, Any], error: str
) -> None:
    desk, client, secret = sqlite_desk
    fields = {"grant_type": "client_credentials", "client_id": client.reference, "client_secret": secret}
    found = issue_token(desk.tools, desk.engine, desk.token_keys, TokenRequest(**{**fields, **changes}))
    assert isinstance(found, TokenRefused)
    assert found.error == error


def test_a_client_without_a_secret_is_nobody(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    with unit_of_work(sqlite_engine) as connection:
        wanted = use_cases.NewClient("till", frozenset({"sessions.create"}))
        client = use_cases.create_client(desk.tools, connection, wanted, by=BY)
    for secret in ("", "None", "null"):
        request = TokenRequest("client_credentials", client_id=client.reference, client_secret=secret)
        found = issue_token(desk.tools, sqlite_engine, desk.token_keys, request)
        assert isinstance(found, TokenRefused)
    assert desk.leaf_kinds() == ["client.created"] + ["token.refused"] * 3


def test_a_disabled_client_is_out_within_half_a_minute(database: Engine) -> None:
    desk = a_desk(database)
    client, secret = desk.client()
    token = desk.token(client, secret)
    assert isinstance(who(desk, token), Principal)
    with unit_of_work(database) as connection:
        use_cases.disable_client(desk.tools, connection, client, by=BY)
    assert isinstance(who(desk, token), Principal), "the answer of a moment ago still holds"
    desk.clock.forward(seconds=30)
    assert who(desk, token) == INVALID
    found = issue_token(
        desk.tools,
        database,
        desk.token_keys,
        TokenRequest("client_credentials", client_id=client.reference, client_secret=secret),
    )
    assert isinstance(found, TokenRefused)


def test_other_scopes_make_older_tokens_worthless(database: Engine) -> None:
    desk = a_desk(database)
    client, secret = desk.client("sessions.create", "receipts.read")
    old = desk.token(client, secret)
    desk.clock.forward(seconds=5)
    with unit_of_work(database) as connection:
        changed = use_cases.change_scopes(desk.tools, connection, client, {"receipts.read"}, by=BY)
        with pytest.raises(BadInput) as refused:
            use_cases.change_scopes(desk.tools, connection, client, {"receipts.read"}, by=BY)
    assert refused.value.code == "VERSION_CHANGED"
    assert who(desk, old) == INVALID
    found = who(desk, desk.token(changed, secret))
    assert isinstance(found, Principal)
    assert found.scopes == {"receipts.read"}


def test_a_new_secret_replaces_the_old(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    client, old = desk.client()
    with unit_of_work(sqlite_engine) as connection:
        new = use_cases.new_client_secret(desk.tools, connection, client, by=BY)
    desk.token(client, new)
    with pytest.raises(AssertionError):
        desk.token(client, old)


def forged(desk: Desk, key: Any, alg: str, **changes: Any) -> str:
    present = desk.token_keys.present()
    now = int(desk.clock.now().timestamp())
    claims = {
        "iss": URL,
        "aud": URL,
        "sub": "x",
        "client_id": changes.pop("client", "MCH-X"),
        "scope": "sessions.create",
        "iat": now,
        "exp": now + 600,
        "jti": "j",
    }
    header = {"alg": alg, "typ": "at+jwt", "kid": present.key_id, **changes.pop("header", {})}
    return jwt.encode(header, {**claims, **changes}, key, algorithms=[alg])


FORGERIES: dict[str, Callable[[Desk, Any, str], str]] = {
    "another key": lambda desk, _, client: forged(
        desk, OKPKey.generate_key("Ed25519"), "Ed25519", client=client
    ),
    "the public key as a secret": lambda desk, _, client: forged(
        desk, OctKey.import_key(desk.token_keys.present().public.encode()), "HS256", client=client
    ),
    "another audience": lambda desk, key, client: forged(desk, key, "Ed25519", client=client, aud="other"),
    "another issuer": lambda desk, key, client: forged(desk, key, "Ed25519", client=client, iss="other"),
    "another kind": lambda desk, key, client: forged(
        desk, key, "Ed25519", client=client, header={"typ": "JWT"}
    ),
    "an unknown key": lambda desk, key, client: forged(
        desk, key, "Ed25519", client=client, header={"kid": "x"}
    ),
    "expired": lambda desk, key, client: forged(desk, key, "Ed25519", client=client, exp=1),
    "without expiry": lambda desk, key, client: forged(desk, key, "Ed25519", client=client, exp=None),
    "without client": lambda desk, key, _: forged(desk, key, "Ed25519", client=None),
    "an unknown client": lambda desk, key, _: forged(desk, key, "Ed25519", client="MCH-0"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_tokens_are_refused(sqlite_desk: tuple[Desk, Client, str], forgery: str) -> None:
    desk, client, _ = sqlite_desk
    seed = desk.token_keys.present().seed
    own = OKPKey.import_key(access_tokens._private_jwk(seed))
    assert isinstance(who(desk, forged(desk, own, "Ed25519", client=client.reference)), Principal)
    assert who(desk, FORGERIES[forgery](desk, own, client.reference)) == INVALID


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\ud800", "e30.e30.", "x" * 5_000, "bnVsbA.bnVsbA.x"])
def test_what_is_no_token_is_refused(sqlite_desk: tuple[Desk, Client, str], token: str) -> None:
    assert who(sqlite_desk[0], token) == INVALID


def test_a_token_without_a_signature_is_refused(sqlite_desk: tuple[Desk, Client, str]) -> None:
    desk, client, secret = sqlite_desk
    header, payload, _ = desk.token(client, secret).split(".")
    none = to_base64url(json.dumps({"alg": "none", "typ": "at+jwt"}).encode())
    for token in (f"{header}.{payload}.", f"{none}.{payload}."):
        assert who(desk, token) == INVALID


def test_another_server_of_the_installation_knows_the_token(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    client, secret = desk.client()
    token = desk.token(client, secret)
    other = Gatekeeper(desk.tools, sqlite_engine, TokenKeys(desk.tools, sqlite_engine))
    assert isinstance(other.authenticate(Credentials(bearer=token)), Principal)
    assert other.known_token(token) is not None
    other.forget_tokens()
    assert other.known_token(token) is None


def test_signing_keys_are_replaced_and_old_tokens_outlive_them(database: Engine) -> None:
    desk = a_desk(database)
    client, secret = desk.client()
    first = desk.token_keys.present().key_id
    desk.clock.forward(days=29, hours=23, minutes=55)
    token = desk.token(client, secret)
    desk.clock.forward(minutes=6)
    assert desk.token_keys.present().key_id != first
    assert TokenKeys(desk.tools, database).present().key_id == desk.token_keys.present().key_id
    assert isinstance(
        Gatekeeper(desk.tools, database, TokenKeys(desk.tools, database)).authenticate(
            Credentials(bearer=token)
        ),
        Principal,
    )
    desk.clock.forward(minutes=10)
    keys = TokenKeys(desk.tools, database).key_set()["keys"]
    assert isinstance(keys, list)
    assert len(keys) == 1


def test_the_seed_is_stored_wrapped(database: Engine) -> None:
    desk = a_desk(database)
    key = desk.token_keys.present()
    stored = desk.everything_stored()
    assert repr(key.seed)[2:-1] not in stored
    assert key.public in stored
    assert "seed" not in repr(key)


# -- assertions (private_key_jwt) ------------------------------------------------------------------


def a_signing_client(desk: Desk, key: ECKey) -> Client:
    keys = json.dumps({"keys": [key.as_dict(private=False)]})
    with unit_of_work(desk.engine) as connection:
        wanted = use_cases.NewClient("till", frozenset({"sessions.create"}), public_keys=keys)
        return use_cases.create_client(desk.tools, connection, wanted, by=BY)


def by_assertion(desk: Desk, client: Client, key: ECKey, **changes: Any) -> TokenIssued | TokenRefused:
    now = int(desk.clock.now().timestamp())
    name = client.reference
    claims = {"iss": name, "sub": name, "aud": f"{URL}/oauth/token", "exp": now + 60, "jti": "one", **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    assertion = jwt.encode({"alg": "ES256"}, claims, key)
    request = TokenRequest("client_credentials", assertion_type=ASSERTION_TYPE, assertion=assertion)
    return issue_token(desk.tools, desk.engine, desk.token_keys, request)


def test_an_assertion_is_good_once(database: Engine) -> None:
    desk = a_desk(database)
    key = ECKey.generate_key("P-256")
    client = a_signing_client(desk, key)
    assert isinstance(by_assertion(desk, client, key), TokenIssued)
    assert isinstance(by_assertion(desk, client, key), TokenRefused)
    assert isinstance(by_assertion(desk, client, key, jti="two", aud=URL), TokenIssued)


def test_assertions_that_do_not_hold(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    key = ECKey.generate_key("P-256")
    client = a_signing_client(desk, key)
    now = int(desk.clock.now().timestamp())
    for changes in (
        {"aud": "https://evil.example"},
        {"iss": "other"},
        {"sub": "other"},
        {"sub": None},
        {"exp": now - 60},
        {"exp": now + 3_600},
        {"exp": None},
        {"exp": "soon"},
        {"jti": None},
        {"jti": 7},
        {"nbf": now + 600},
    ):
        assert isinstance(by_assertion(desk, client, key, **changes), TokenRefused), changes
    assert isinstance(by_assertion(desk, client, ECKey.generate_key("P-256")), TokenRefused)
    assert isinstance(by_assertion(desk, client, key), TokenIssued)


@pytest.mark.parametrize(
    "keys",
    [
        "{}",
        '{"keys": []}',
        "null",
        "x",
        '{"keys": [7]}',
        '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
        '{"keys": [{"kty": "oct", "k": "AAAA"}]}',
    ],
)
def test_key_sets_that_are_refused(keys: str) -> None:
    assert access_tokens.public_key_set(keys) is None


def test_a_private_key_is_never_stored() -> None:
    private = json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]})
    assert access_tokens.public_key_set(private) is None


# -- speed and concurrency ---------------------------------------------------------------------------


def test_a_known_token_costs_no_signature_check(sqlite_desk: tuple[Desk, Client, str]) -> None:
    desk, client, secret = sqlite_desk
    token = desk.token(client, secret)

    def cost(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        for _ in range(100):
            work()
        return time.perf_counter() - began

    def fresh() -> object:
        desk.gatekeeper.forget_tokens()
        return who(desk, token)

    assert cost(fresh) > 3 * cost(lambda: who(desk, token))


def test_threads_share_one_gatekeeper(database: Engine) -> None:
    desk = a_desk(database)
    clients = [desk.client() for _ in range(3)]
    tokens = [(client, desk.token(client, secret)) for client, secret in clients]
    wrong: list[object] = []

    def ask() -> None:
        for client, token in tokens * 20:
            found = who(desk, token)
            if not isinstance(found, Principal) or found.reference != client.reference:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
