"""The routes of accounts over real HTTP, with the real gatekeeper at the door."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.engine import Engine

from shiming.accounts.asking import HttpGatekeeper
from shiming.accounts.connectors.openid_provider import OpenIdProvider
from shiming.accounts.model import Account, Role
from shiming.accounts.use_cases.tools import AccountSettings
from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.http.rate_limits import RateLimits
from tests.accounts.account_builders import PASSWORD, Desk, a_desk
from tests.accounts.virtual_authenticator import VirtualAuthenticator
from tests.infrastructure.http_peers import client, serving

CSRF = "x-csrf-token"


@dataclass
class AccountsHttp:
    """A served installation; it is its own platform."""

    desk: Desk
    data_folder: Path
    address: str = ""

    def __post_init__(self) -> None:
        self.engine = self.desk.engine
        self.accounts = self.desk.tools
        self.token_keys = self.desk.token_keys
        self.clock = self.desk.clock
        secure = self.desk.tools.settings.cookies_secure
        self.gatekeeper = HttpGatekeeper(self.desk.gatekeeper, cookies_secure=secure)

    def browser(self, token: str | None = None) -> httpx.Client:
        return client(self.address, token)

    @contextlib.contextmanager
    def signed_in(self, account: Account) -> Iterator[httpx.Client]:
        """A browser in which somebody enrolled, with a passkey where the role asks for one."""
        with self.browser() as browser:
            body = {"token": self.desk.invitation(account), "password": PASSWORD}
            session = self.done(browser.post("/v1/enrolments", json=body))
            browser.headers[CSRF] = session["csrf_token"]
            if session["must_enrol_passkey"]:
                options = self.done(browser.post("/v1/me/passkeys/options"))
                credential = VirtualAuthenticator().create(options)
                answer = browser.post("/v1/me/passkeys", json={"credential": credential, "name": "key"})
                browser.headers[CSRF] = self.done(answer, 201)["csrf_token"]
            yield browser

    def administrator(self, name: str = "chen", operator: str | None = None) -> Account:
        return self.desk.account(name, Role.ADMINISTRATOR, operator=operator)

    def done(self, answer: httpx.Response, status: int = 200) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextlib.contextmanager
def accounts_served(
    engine: Engine,
    folder: Path,
    settings: AccountSettings | None = None,
    provider: OpenIdProvider | None = None,
) -> Iterator[AccountsHttp]:
    folder.mkdir(mode=0o700, exist_ok=True)
    http = AccountsHttp(a_desk(engine, settings, provider), folder)
    limits = RateLimits(per_address=None, per_caller_and_route=None)
    app = create_app(http, routers=("shiming.accounts.api",), limits=limits)
    with serving(app) as http.address:
        yield http


def code_of(answer: httpx.Response, status: int) -> str:
    """The code of a problem with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])
