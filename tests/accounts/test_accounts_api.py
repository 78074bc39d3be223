import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Engine

from shiming.accounts.connectors.openid_provider import OpenIdProvider, ProviderSettings
from shiming.accounts.errors import CODES, refused
from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import link_provider
from shiming.accounts.use_cases.tokens import ASSERTION_TYPE
from shiming.accounts.use_cases.tools import AccountSettings
from shiming.infrastructure.database import unit_of_work
from tests.accounts.account_builders import BY, PASSWORD
from tests.accounts.accounts_over_http import CSRF, AccountsHttp, accounts_served, code_of
from tests.accounts.openid_peers import mock_provider, sign_in_there
from tests.accounts.virtual_authenticator import VirtualAuthenticator


@pytest.fixture
def served(database: Engine, tmp_path: Path) -> Iterator[AccountsHttp]:
    with accounts_served(database, tmp_path / "data") as http:
        yield http


@pytest.fixture
def sqlite_served(sqlite_engine: Engine, tmp_path: Path) -> Iterator[AccountsHttp]:
    with accounts_served(sqlite_engine, tmp_path / "data") as http:
        yield http


def test_a_clerk_enrols_signs_in_and_out(sqlite_served: AccountsHttp) -> None:
    account = sqlite_served.desk.account()
    with sqlite_served.signed_in(account) as browser:
        me = sqlite_served.done(browser.get("/v1/me"))
        assert (me["reference"], me["user_name"], me["roles"]) == (account.reference, "li.wei", ["clerk"])
        assert "sessions.create" in me["permissions"]
        assert browser.post("/v1/sign-out").status_code == 204
        assert code_of(browser.get("/v1/me"), 401) == "UNAUTHENTICATED"
    with sqlite_served.browser() as browser:
        body = {"user_name": " Li.Wei ", "password": PASSWORD}
        sqlite_served.done(browser.post("/v1/sign-in/password", json=body))
        assert sqlite_served.done(browser.get("/v1/me"))["reference"] == account.reference


def test_cookies_are_for_this_site_only(sqlite_served: AccountsHttp) -> None:
    account = sqlite_served.desk.account()
    with sqlite_served.browser() as browser:
        token = sqlite_served.desk.invitation(account)
        answer = browser.post("/v1/enrolments", json={"token": token, "password": PASSWORD})
    session, csrf = (header.lower() for header in answer.headers.get_list("set-cookie"))
    assert session.startswith("shiming_session=")
    assert "httponly" in session
    assert "httponly" not in csrf
    for cookie in (session, csrf):
        assert "samesite=strict" in cookie
        assert "path=/" in cookie
        assert "domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert answer.cookies["shiming_session"] not in answer.text


def test_with_tls_cookies_are_secure(sqlite_engine: Engine, tmp_path: Path) -> None:
    settings = AccountSettings(public_url="https://shiming.example")
    with accounts_served(sqlite_engine, tmp_path / "data", settings) as http, http.browser() as browser:
        token = http.desk.invitation(http.desk.account())
        answer = browser.post("/v1/enrolments", json={"token": token, "password": PASSWORD})
        for header in answer.headers.get_list("set-cookie"):
            assert header.startswith("__Host-shiming_")
            assert "secure" in header.lower()


def test_refused_sign_ins(sqlite_served: AccountsHttp) -> None:
    sqlite_served.desk.enrolled(sqlite_served.desk.account())
    body = {"user_name": "li.wei", "password": "wrong password"}
    with sqlite_served.browser() as browser:
        for _ in range(5):
            assert code_of(browser.post("/v1/sign-in/password", json=body), 401) == "SIGN_IN_FAILED"
        locked = browser.post("/v1/sign-in/password", json=body, headers={"accept-language": "zh"})
        assert code_of(locked, 429) == "SIGN_IN_LOCKED"
        assert locked.headers["retry-after"] == "30"
        assert locked.json()["title"] == "失败次数过多，暂停密码登录。"
        malformed: tuple[Any, ...] = (
            {"user_name": "x' OR 1=1", "password": "x"},
            {"user_name": "li.wei"},
            [],
            "x",
        )
        for bad in malformed:
            assert code_of(browser.post("/v1/sign-in/password", json=bad), 422) == "REQUEST_INVALID"
        body = {"token": "A" * 43, "password": PASSWORD}
        assert code_of(browser.post("/v1/enrolments", json=body), 401) == "ENROLMENT_REFUSED"


def test_a_form_of_another_site_cannot_change_anything(sqlite_served: AccountsHttp) -> None:
    with sqlite_served.signed_in(sqlite_served.desk.account()) as browser:
        token = browser.headers.pop(CSRF)
        assert code_of(browser.post("/v1/sign-out"), 403) == "CSRF_TOKEN_MISSING"
        for wrong in ("x", token[:-1], token + "A"):
            assert code_of(browser.post("/v1/sign-out", headers={CSRF: wrong}), 403) == "CSRF_TOKEN_MISSING"
        form = browser.post("/v1/sign-in/password", data={"user_name": "li.wei", "password": PASSWORD})
        assert form.status_code == 422, "a cross-site form cannot sign anybody in: it is not JSON"
        assert browser.post("/v1/sign-out", headers={CSRF: token}).status_code == 204


def test_passkeys_over_http(served: AccountsHttp) -> None:
    account, device = served.administrator(), VirtualAuthenticator()
    with served.browser() as browser:
        body = {"token": served.desk.invitation(account), "password": PASSWORD}
        session = served.done(browser.post("/v1/enrolments", json=body))
        assert session["must_enrol_passkey"]
        browser.headers[CSRF] = session["csrf_token"]
        assert served.done(browser.get("/v1/me"))["permissions"] == ["accounts.read_own"]
        assert code_of(browser.get("/v1/accounts"), 403) == "FORBIDDEN"
        created = device.create(served.done(browser.post("/v1/me/passkeys/options")))
        answer = served.done(
            browser.post("/v1/me/passkeys", json={"credential": created, "name": "钥匙"}), 201
        )
        assert answer["method"] == "passkey"
        assert browser.get("/v1/accounts").status_code == 200
    with served.browser() as browser:
        options = served.done(browser.post("/v1/sign-in/passkey/options"))
        answered = {"credential": device.get(options)}
        served.done(browser.post("/v1/sign-in/passkey", json=answered))
        assert served.done(browser.get("/v1/me"))["passkeys"][0]["name"] == "钥匙"
        assert code_of(browser.post("/v1/sign-in/passkey", json=answered), 401) == "PASSKEY_REFUSED"
        refused = browser.post("/v1/sign-in/password", json={"user_name": "chen", "password": PASSWORD})
        assert code_of(refused, 403) == "PASSKEY_REQUIRED"


def test_an_administrator_manages_accounts(served: AccountsHttp) -> None:
    wanted = {"user_name": "li.wei", "person_number": "11010519491231002X", "roles": ["clerk"]}
    with served.signed_in(served.administrator()) as browser:
        key = {"idempotency-key": "one"}
        answer = browser.post("/v1/accounts", json=wanted, headers=key)
        created = served.done(answer, 201)
        again = browser.post("/v1/accounts", json=wanted, headers=key)
        assert served.done(again, 201) == created
        assert code_of(browser.post("/v1/accounts", json=wanted), 409) == "USER_NAME_TAKEN"
        other = {**wanted, "user_name": "zhang.san"}
        reused = browser.post("/v1/accounts", json=other, headers=key)
        assert code_of(reused, 422) == "IDEMPOTENCY_KEY_REUSED"
        place = answer.headers["location"]
        shown = browser.get(place)
        assert served.done(shown)["user_name"] == "li.wei"
        change = {"roles": ["clerk", "supervisor"]}
        assert code_of(browser.patch(place, json=change), 428) == "IF_MATCH_MISSING"
        match = {"if-match": shown.headers["etag"]}
        changed = browser.patch(place, json=change, headers=match)
        assert served.done(changed)["roles"] == ["clerk", "supervisor"]
        assert code_of(browser.patch(place, json=change, headers=match), 412) == "VERSION_CHANGED"
        token = served.done(browser.post(f"{place}/invitation"), 201)["token"]
        with served.browser() as clerk:
            served.done(clerk.post("/v1/enrolments", json={"token": token, "password": PASSWORD}))
            assert served.done(browser.delete(f"{place}/sessions"))["ended"] == 1
            assert code_of(clerk.get("/v1/me"), 401) == "SESSION_OVER"
            assert served.done(browser.delete(f"{place}/sessions"))["ended"] == 0
            back = {"user_name": "li.wei", "password": PASSWORD}
            served.done(clerk.post("/v1/sign-in/password", json=back))
            served.done(browser.post(f"{place}/disable"))
            assert code_of(clerk.get("/v1/me"), 401) == "SESSION_OVER"
            assert served.done(browser.post(f"{place}/enable"))["disabled_at"] is None
            assert code_of(clerk.get("/v1/me"), 401) == "SESSION_OVER"  # signed in anew, not gone on with
            served.done(browser.post(f"{place}/disable"))
        assert code_of(browser.post(f"{place}/invitation"), 409) == "ACCOUNT_DISABLED"
        assert code_of(browser.get("/v1/accounts/ACC-0000"), 404) == "ACCOUNT_UNKNOWN"
    assert "11010519491231002X" not in served.desk.everything_stored()


def test_roles_that_are_refused(sqlite_served: AccountsHttp) -> None:
    first = sqlite_served.administrator()
    with sqlite_served.signed_in(first) as browser:
        wanted = {"user_name": "wang.wu", "person_number": "E-77", "roles": ["auditor"]}
        auditor = browser.post("/v1/accounts", json=wanted).headers["location"]
        second = {**wanted, "user_name": "wang.wu.2", "roles": ["clerk"]}
        assert code_of(browser.post("/v1/accounts", json=second), 409) == "ROLES_AUDITOR_ALONE"
        own = f"/v1/accounts/{first.reference}"
        match = {"if-match": browser.get(own).headers["etag"]}
        found = browser.patch(own, json={"roles": ["clerk"]}, headers=match)
        assert code_of(found, 409) == "ROLES_OWN"
        assert set(found.json()["details"]["all"]) == {"ROLES_OWN", "ROLES_LAST_ADMINISTRATOR"}
        assert code_of(browser.post(f"{own}/disable"), 409) == "ROLES_OWN"
        assert code_of(browser.post(f"{own}/credential-reset", json={}), 409) == "ROLES_OWN"
        match = {"if-match": browser.get(auditor).headers["etag"]}
        both = {"roles": ["auditor", "clerk"]}
        assert code_of(browser.patch(auditor, json=both, headers=match), 409) == "ROLES_AUDITOR_ALONE"
        link = {"issuer": "https://id.example", "subject": "1"}
        assert browser.put(f"{auditor}/provider-link", json=link).status_code == 204
        reset = browser.post(f"{auditor}/credential-reset", json={"passkeys": True})
        assert sqlite_served.done(reset, 201)["token"]


def test_who_belongs_to_an_operator_manages_only_its_accounts(served: AccountsHttp) -> None:
    ours = served.desk.account("our.clerk", operator="cn-mobile")
    theirs = served.desk.account("their.clerk", operator="cn-unicom")
    with served.signed_in(served.administrator("mobile.admin", "cn-mobile")) as browser:
        listed = served.done(browser.get("/v1/accounts"))["items"]
        assert {item["user_name"] for item in listed} == {"our.clerk", "mobile.admin"}
        assert browser.get(f"/v1/accounts/{ours.reference}").status_code == 200
        for path in (f"/v1/accounts/{theirs.reference}", "/v1/accounts?operator=cn-unicom"):
            assert code_of(browser.get(path), 403) == "FORBIDDEN"
        wanted = {"user_name": "new.one", "person_number": "E-99", "roles": ["clerk"]}
        assert code_of(browser.post("/v1/accounts", json=wanted), 403) == "FORBIDDEN", "of the platform"
        assert browser.post("/v1/accounts", json={**wanted, "operator": "cn-mobile"}).status_code == 201


def test_lists_are_walked_by_cursor(served: AccountsHttp) -> None:
    for number in range(5):
        served.desk.account(f"clerk{number}")
    with served.signed_in(served.administrator()) as browser:
        names, cursor = [], ""
        while cursor is not None:
            page = served.done(
                browser.get("/v1/accounts", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
            )
            names += [item["user_name"] for item in page["items"]]
            cursor = page["next"]
        assert sorted(names) == ["chen", *(f"clerk{number}" for number in range(5))]
        assert browser.get("/v1/accounts", params={"cursor": "x"}).status_code in {400, 422}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_nobody_else_manages_accounts_or_clients(sqlite_served: AccountsHttp, role: Role) -> None:
    with sqlite_served.signed_in(sqlite_served.desk.account("somebody", role)) as browser:
        for path in ("/v1/accounts", "/v1/clients", "/v1/accounts/ACC-0000", "/v1/clients/MCH-0000"):
            assert code_of(browser.get(path), 403) == "FORBIDDEN"
        wanted = {"user_name": "li.wei", "person_number": "E-1", "roles": ["clerk"]}
        assert code_of(browser.post("/v1/accounts", json=wanted), 403) == "FORBIDDEN"


# -- machine clients ---------------------------------------------------------------------------------


def test_a_program_gets_a_token_and_uses_it(served: AccountsHttp) -> None:
    with served.signed_in(served.administrator()) as browser:
        wanted = {"name": "till", "scopes": ["sessions.create"], "operator": "cn-mobile"}
        place = browser.post("/v1/clients", json=wanted).headers["location"]
        secret = served.done(browser.post(f"{place}/secret"), 201)
        basic = (secret["client_id"], secret["client_secret"])
        with served.browser() as program:
            form = {"grant_type": "client_credentials"}
            found = served.done(program.post("/oauth/token", data=form, auth=basic))
            assert (found["token_type"], found["expires_in"], found["scope"]) == (
                "Bearer",
                600,
                "sessions.create",
            )
            post = {**form, "client_id": basic[0], "client_secret": basic[1]}
            served.done(program.post("/oauth/token", data=post))
            both = program.post("/oauth/token", data=post, auth=basic)
            assert served.done(both, 400)["error"] == "invalid_request"
            program.headers["authorization"] = f"Bearer {found['access_token']}"
            me = served.done(program.get("/v1/me"))
            assert (me["kind"], me["operator"]) == ("client", "cn-mobile")
            assert code_of(program.get("/v1/accounts"), 403) == "FORBIDDEN"
            assert code_of(program.post("/v1/me/passkeys/options"), 403) == "FORBIDDEN"
        shown = browser.get(place)
        match = {"if-match": shown.headers["etag"]}
        changed = browser.patch(place, json={"scopes": ["receipts.read"]}, headers=match)
        assert served.done(changed)["scopes"] == ["receipts.read"]
        assert served.done(browser.post(f"{place}/disable"))["disabled_at"]
        assert served.done(browser.get("/v1/clients"))["items"][0]["name"] == "till"


def test_errors_of_the_token_endpoint(sqlite_served: AccountsHttp) -> None:
    client, secret = sqlite_served.desk.client()
    with sqlite_served.browser() as program:
        form = {"grant_type": "client_credentials"}
        wrong = program.post("/oauth/token", data=form, auth=(client.reference, "wrong"))
        assert sqlite_served.done(wrong, 401)["error"] == "invalid_client"
        assert wrong.headers["www-authenticate"].startswith("Basic")
        assert wrong.headers["cache-control"] == "no-store"
        for header in ("Basic !", "Basic " + base64.b64encode(b"\xff").decode(), "Basic"):
            answer = program.post("/oauth/token", data=form, headers={"authorization": header})
            assert sqlite_served.done(answer, 401)["error"] == "invalid_client"
        for assertion in ("", "x", "x.bnVsbA", "x.W10.x", "x.eyJzdWIiOiAiTUNIIn0.x", "x" * 9_000):
            signed = {**form, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
            answer = program.post("/oauth/token", data=signed)
            assert sqlite_served.done(answer, 401)["error"] == "invalid_client"
        auth = (client.reference, secret)
        scope = program.post("/oauth/token", data={**form, "scope": "evidence.read"}, auth=auth)
        assert sqlite_served.done(scope, 400)["error"] == "invalid_scope"
        grant = program.post("/oauth/token", data={"grant_type": "password"}, auth=auth)
        assert sqlite_served.done(grant, 400)["error"] == "unsupported_grant_type"
        empty = program.post("/oauth/token")
        assert sqlite_served.done(empty, 400)["error"] == "invalid_request"


def test_tokens_that_do_not_hold(sqlite_served: AccountsHttp) -> None:
    with sqlite_served.browser("nonsense") as program:
        answer = program.get("/v1/me")
        assert code_of(answer, 401) == "TOKEN_INVALID"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_scopes_that_a_program_may_not_have(sqlite_served: AccountsHttp) -> None:
    with sqlite_served.signed_in(sqlite_served.administrator()) as browser:
        for scope in ("evidence.read", "accounts.manage", "no.such"):
            found = browser.post("/v1/clients", json={"name": "till", "scopes": [scope]})
            assert code_of(found, 400) == "SCOPE_UNKNOWN"
        bound = {"name": "till", "scopes": ["ledger.witness"], "operator": "cn-mobile"}
        assert code_of(browser.post("/v1/clients", json=bound), 400) == "SCOPE_PLATFORM_ONLY"
        keys = {"name": "till", "scopes": ["ledger.read"], "public_keys": {"keys": []}}
        assert code_of(browser.post("/v1/clients", json=keys), 400) == "CLIENT_KEYS_INVALID"


def test_metadata_and_keys_are_public(sqlite_served: AccountsHttp) -> None:
    client, secret = sqlite_served.desk.client()
    sqlite_served.desk.token(client, secret)
    with sqlite_served.browser() as program:
        metadata = sqlite_served.done(program.get("/.well-known/oauth-authorization-server"))
        assert metadata["token_endpoint"].endswith("/oauth/token")
        (key,) = sqlite_served.done(program.get("/.well-known/jwks.json"))["keys"]
        assert "d" not in key


def test_sign_in_at_a_provider_that_is_not_configured(sqlite_served: AccountsHttp) -> None:
    with sqlite_served.browser() as browser:
        assert code_of(browser.get("/v1/sign-in/oidc"), 404) == "PROVIDER_NOT_CONFIGURED"
        refused = browser.get("/v1/sign-in/oidc/callback", params={"state": "x", "error": "access_denied"})
        assert code_of(refused, 401) == "PROVIDER_REFUSED"


def test_staff_sign_in_at_a_real_provider_over_http(sqlite_engine: Engine, tmp_path: Path) -> None:
    with mock_provider() as issuer:
        configured = ProviderSettings(issuer, "shiming", "secret")
        provider = OpenIdProvider(configured)
        settings = AccountSettings(provider=configured)
        with accounts_served(sqlite_engine, tmp_path / "data", settings, provider) as http:
            http.desk.clock.at = datetime.now(UTC)
            account = http.desk.account("chen", Role.ADMINISTRATOR)
            with unit_of_work(sqlite_engine) as connection:
                link_provider(
                    http.desk.tools, connection, account, issuer=issuer, subject="chen@example.com", by=BY
                )
            with http.browser() as browser, http.browser() as thief:
                sent = browser.get("/v1/sign-in/oidc")
                assert sent.status_code == 303
                cookie = sent.headers["set-cookie"].lower()
                assert {"httponly", "samesite=lax", "path=/v1/sign-in/oidc"} <= set(cookie.split("; "))
                back = sign_in_there(sent.headers["location"], "chen@example.com")
                found = browser.get("/v1/sign-in/oidc/callback", params=back)
                assert http.done(found)["method"] == "oidc"
                assert http.done(browser.get("/v1/me"))["reference"] == account.reference
                assert browser.get("/v1/accounts").status_code == 200, "the provider's factors count"
                sent = browser.get("/v1/sign-in/oidc")
                back = sign_in_there(sent.headers["location"], "chen@example.com")
                stolen = thief.get("/v1/sign-in/oidc/callback", params=back)
                assert code_of(stolen, 401) == "PROVIDER_REFUSED"
        provider.close()


def test_every_route_is_described(sqlite_served: AccountsHttp) -> None:
    with sqlite_served.browser() as browser:
        document = sqlite_served.done(browser.get("/openapi.json"))
    paths = {path for path in document["paths"] if not path.startswith(("/healthz", "/readyz", "/metrics"))}
    assert {"/v1/me", "/v1/accounts", "/v1/clients", "/oauth/token", "/v1/sign-in/oidc"} <= paths


def test_every_error_speaks_two_languages() -> None:
    for code in CODES:
        error = refused(code)
        assert error.text.zh
        assert error.text.en
        assert error.advice.zh
        assert error.advice.en


def test_an_unreachable_session_cookie_is_no_error(sqlite_served: AccountsHttp) -> None:
    for cookie in ("x", "x" * 5_000, "%7F=="):  # a byte that HTTP forbids is the server's to refuse
        answer = httpx.get(
            f"{sqlite_served.address}/v1/me", headers={"cookie": f"shiming_session={cookie}"}, trust_env=False
        )
        assert code_of(answer, 401) == "SESSION_OVER"
