from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy.engine import Engine

from shiming.accounts.connectors.openid_provider import OpenIdProvider, ProviderSettings
from shiming.accounts.model import Account, SignInMethod
from shiming.accounts.use_cases.accounts import disable_account, get_account, link_provider
from shiming.accounts.use_cases.password_sign_in import SignInRefused
from shiming.accounts.use_cases.provider_sign_in import (
    SentToProvider,
    begin_provider_sign_in,
    end_provider_sign_in,
)
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.accounts.use_cases.tools import AccountSettings
from shiming.infrastructure.database import open_database, unit_of_work
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.accounts.account_builders import BY, Desk, a_desk
from tests.accounts.openid_peers import LyingProvider, lying_provider, mock_provider, sign_in_there
from tests.databases import a_database

REFUSED = SignInRefused("PROVIDER_REFUSED")
UNKNOWN = SignInRefused("PROVIDER_ACCOUNT_UNKNOWN")
SECRET = "what only we and the provider know"


@contextmanager
def a_desk_at(issuer: str, engine: Engine) -> Iterator[Desk]:
    settings = ProviderSettings(issuer, "shiming", SECRET)
    provider = OpenIdProvider(settings)
    desk = a_desk(engine, AccountSettings(provider=settings), provider)
    desk.clock.at = datetime.now(UTC)  # the provider is a process with a clock of its own
    yield desk
    provider.close()


def link(desk: Desk, account: Account, issuer: str, subject: str) -> None:
    with unit_of_work(desk.engine) as connection:
        link_provider(desk.tools, connection, account, issuer=issuer, subject=subject, by=BY)


def end(desk: Desk, sent: SentToProvider, back: dict[str, str], **changes: Any) -> SignedIn | SignInRefused:
    fields: dict[str, Any] = {**back, "browser_secret": sent.browser_secret, **changes}
    fields = {name: fields[name] for name in ("state", "code", "browser_secret")}
    return end_provider_sign_in(desk.tools, desk.engine, **fields)


@pytest.fixture(scope="module")
def mock_issuer() -> Iterator[str]:
    with mock_provider() as issuer:
        yield issuer


def test_staff_sign_in_at_a_real_provider(database: Engine, mock_issuer: str) -> None:
    with a_desk_at(mock_issuer, database) as desk:
        account = desk.account()
        sent = begin_provider_sign_in(desk.tools, database)
        assert end(desk, sent, sign_in_there(sent.location, "li@example.com")) == UNKNOWN, "not linked"
        link(desk, account, mock_issuer, "li@example.com")
        sent = begin_provider_sign_in(desk.tools, database)
        back = sign_in_there(sent.location, "li@example.com")
        found = end(desk, sent, back)
        assert isinstance(found, SignedIn)
        assert (found.account.reference, found.method) == (account.reference, SignInMethod.OIDC)
        assert end(desk, sent, back) == REFUSED, "a state is good once"
        assert desk.leaf_kinds()[-3:] == ["login.failed", "account.provider_linked", "login.succeeded"]


def test_codes_of_a_real_provider_are_good_once(sqlite_engine: Engine, mock_issuer: str) -> None:
    with a_desk_at(mock_issuer, sqlite_engine) as desk:
        link(desk, desk.account(), mock_issuer, "li@example.com")
        first = begin_provider_sign_in(desk.tools, sqlite_engine)
        back = sign_in_there(first.location, "li@example.com")
        assert isinstance(end(desk, first, back), SignedIn)
        second = begin_provider_sign_in(desk.tools, sqlite_engine)
        state = parse_qs(urlsplit(second.location).query)["state"][0]
        assert end(desk, second, {"state": state, "code": back["code"]}) == REFUSED


def test_what_is_sent_to_the_provider(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, _ = lying_desk
    sent = begin_provider_sign_in(desk.tools, desk.engine)
    question = {name: values[0] for name, values in parse_qs(urlsplit(sent.location).query).items()}
    assert question["code_challenge_method"] == "S256"
    assert question["redirect_uri"] == "http://localhost:8000/v1/sign-in/oidc/callback"
    assert {"state", "nonce", "code_challenge"} <= question.keys()
    assert sent.browser_secret not in sent.location
    assert SECRET not in sent.location
    assert sent.browser_secret not in desk.everything_stored()
    assert SECRET not in repr((desk.tools, sent))


@pytest.fixture
def lying_desk(tmp_path: Path) -> Iterator[tuple[Desk, LyingProvider]]:
    with a_database("sqlite", tmp_path / "database") as url, lying_provider() as provider:
        engine = open_database(url)
        with a_desk_at(provider.issuer, engine) as desk:
            link(desk, desk.account(), provider.issuer, provider.subject)
            yield desk, provider
        engine.dispose()


def attempt(desk: Desk, provider: LyingProvider, **changes: Any) -> SignedIn | SignInRefused:
    sent = begin_provider_sign_in(desk.tools, desk.engine)
    return end(desk, sent, provider.approve(sent.location), **changes)


def test_an_honest_answer_holds_with_pkce(lying_desk: tuple[Desk, LyingProvider]) -> None:
    assert isinstance(attempt(*lying_desk), SignedIn)
    assert isinstance(attempt(*lying_desk), SignedIn)
    assert lying_desk[1].jwks_fetched == 1, "keys are kept"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["shiming", "another"]},
        {"aud": ["shiming", "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
)
def test_claims_that_do_not_hold(lying_desk: tuple[Desk, LyingProvider], claims: dict[str, Any]) -> None:
    desk, provider = lying_desk
    provider.claims = claims
    assert attempt(desk, provider) == REFUSED
    provider.claims = {"aud": ["shiming", "another"], "azp": "shiming"}
    assert isinstance(attempt(desk, provider), SignedIn)


def test_signatures_that_do_not_hold(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    provider.signing_key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    assert attempt(desk, provider) == REFUSED
    provider.header, provider.signing_key = {"alg": "HS256"}, OctKey.import_key(SECRET)
    assert attempt(desk, provider) == REFUSED
    provider.header, provider.signing_key = {"kid": "unknown"}, None
    assert attempt(desk, provider) == REFUSED


def test_a_new_key_of_the_provider_is_fetched(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    assert isinstance(attempt(desk, provider), SignedIn)
    assert desk.tools.provider is not None
    kept = desk.tools.provider._kept
    assert kept is not None
    kept.keys_at -= 31  # as if half a minute had passed
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "k2"})
    provider.header = {"kid": "k2"}
    assert isinstance(attempt(desk, provider), SignedIn)
    assert provider.jwks_fetched == 2


def test_another_browser_cannot_use_the_answer(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    for secret in (None, "", "another browser's secret"):
        assert attempt(desk, provider, browser_secret=secret) == REFUSED


def test_a_state_is_ours_and_fresh(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    assert attempt(desk, provider, state="never given out") == REFUSED
    sent = begin_provider_sign_in(desk.tools, desk.engine)
    desk.clock.forward(minutes=5)
    assert end(desk, sent, provider.approve(sent.location)) == REFUSED


def test_a_disabled_account_stays_out(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    found = attempt(desk, provider)
    assert isinstance(found, SignedIn)
    with unit_of_work(desk.engine) as connection:
        disable_account(desk.tools, connection, get_account(connection, found.account.reference), by=BY)
    assert attempt(desk, provider) == UNKNOWN


def test_an_identity_belongs_to_one_account(lying_desk: tuple[Desk, LyingProvider]) -> None:
    desk, provider = lying_desk
    with pytest.raises(BadInput) as refused:
        link(desk, desk.account("zhang.san"), provider.issuer, provider.subject)
    assert refused.value.code == "PROVIDER_LINK_TAKEN"


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "http://127.0.0.1:1"}, {"token_endpoint": "http://evil.example/"}, {"jwks_uri": "ftp://x"}],
)
def test_a_discovery_document_that_points_elsewhere(
    lying_desk: tuple[Desk, LyingProvider], metadata: dict[str, Any]
) -> None:
    desk, provider = lying_desk
    provider.metadata = metadata
    with pytest.raises((BadInput, Unavailable)) as refused:
        attempt(desk, provider)
    assert refused.value.code in {"PROVIDER_UNAVAILABLE", "PROVIDER_ADDRESS_INVALID"}


def test_a_provider_that_is_down(sqlite_engine: Engine) -> None:
    with a_desk_at("http://127.0.0.1:1", sqlite_engine) as desk, pytest.raises(Unavailable) as refused:
        begin_provider_sign_in(desk.tools, sqlite_engine)
    assert refused.value.code == "PROVIDER_UNAVAILABLE"


def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(BadInput):
        OpenIdProvider(ProviderSettings("http://id.example.com", "shiming", SECRET))


def test_no_provider_is_configured(sqlite_engine: Engine) -> None:
    with pytest.raises(BadInput) as refused:
        begin_provider_sign_in(a_desk(sqlite_engine).tools, sqlite_engine)
    assert refused.value.code == "PROVIDER_NOT_CONFIGURED"
