"""The pages of a trusted referee at the counter: the choice, the proof, the naming, then people who look."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing import store
from shiming.identity_proofing.model.session import SessionState
from shiming.infrastructure.database import reading
from tests.browser.review_cases import a_waiting_session
from tests.infrastructure.http_peers import serving


class Site:
    """A served installation, and a clerk and a supervisor who are signed in."""

    def __init__(self, platform: Platform, http: httpx.Client) -> None:
        self.platform, self.http = platform, http
        self.sessions = {role.value: self._signed_in(role) for role in (Role.CLERK, Role.SUPERVISOR)}

    def _signed_in(self, role: Role) -> SignedIn:
        with self.platform.begin() as connection:
            wanted = NewAccount(role.value, f"person of {role.value}", frozenset({role}), "cn-mobile")
            account = create_account(self.platform.accounts, connection, wanted, by=Actor())
            token = invite(self.platform.accounts, connection, account, by=Actor())
        accounts, engine = self.platform.accounts, self.platform.engine
        found = enrol_password(accounts, engine, token=token, password="a long sentence here")
        assert isinstance(found, SignedIn)
        return found

    def ask(self, path: str, who: str = "clerk", **fields: str) -> httpx.Response:
        """POST with fields, GET without any."""
        session = self.sessions[who]
        cookies = f"shiming_session={session.token}; shiming_csrf={session.csrf_token}"
        headers = {"accept": "text/html", "accept-language": "en", "cookie": cookies}
        if not fields:
            return self.http.get(path, headers=headers)
        return self.http.post(path, data={**fields, "csrf_token": session.csrf_token}, headers=headers)

    def proven(self, session: str, subject: str) -> None:
        """Write down that a session ended Verified."""
        self.came_to(session, subject, {"outcome": "Verified", "level": "real_person"}, SessionState.DECIDED)

    def came_to(self, session: str, subject: str, decision: dict[str, Any], state: SessionState) -> None:
        """Write down what a session came to."""
        now = self.platform.clock.now()
        receipt = {
            "subject": subject,
            "decision": {"reasons": [], "level": None, **decision},
            "challenge": {"origin": "drawn"},
        }
        with self.platform.begin() as connection:
            store.save_decision(connection, session, receipt, now)
            opened = store.get_session(connection, session)
            store.save_session(connection, replace(opened, state=state))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("referee") / "data"
    folder.mkdir(mode=0o700)
    platform = Platform(sandbox_settings(folder))
    with serving(create_app(platform)) as address, httpx.Client(base_url=address, trust_env=False) as http:
        yield Site(platform, http)
    platform.engine.dispose()


def test_the_choice_leads_to_the_referee_and_then_to_somebody_else_who_looks(site: Site) -> None:
    applicant = a_waiting_session(site.platform)
    base = f"/counter/{applicant}"
    assert "I bring a trusted referee" in site.ask(f"{base}/other-way").text
    assert site.ask(f"{base}/other-way", way="referee").headers["location"] == f"{base}/referee"
    assert "The referee comes first." in site.ask(f"/desk/reviews/{applicant}").text
    needed = site.ask(f"{base}/referee")
    assert needed.status_code == 200
    assert "One referee vouches for 3 people at most" in needed.text
    second = site.ask(f"{base}/referee", go="on").headers["location"]
    assert site.ask(second).headers["location"] == f"{second}/document"
    assert "Trusted referee" in site.ask(f"{second}/document").text
    early = site.ask(second, vouch="yes")
    assert early.status_code == 409
    assert "They cannot vouch" in early.text
    site.proven(second.rsplit("/", 1)[1], "P-somebody")
    assert "They vouch: go on" in site.ask(second).text
    assert site.ask(second, vouch="yes").headers["location"] == f"{base}/referee?said=referee_named"
    assert "The referee is named." in site.ask(f"{base}/referee").text
    with reading(site.platform.engine) as connection:
        evidence = store.find_evidence(connection, applicant)
    assert evidence is not None
    assert evidence.referee is not None
    assert "You named the referee" in site.ask(f"/desk/reviews/{applicant}").text
    assert "0 of 1 people" in site.ask(f"/desk/reviews/{applicant}", "supervisor").text


def test_a_referee_of_the_referee_is_not_offered(site: Site) -> None:
    applicant = a_waiting_session(site.platform)
    assert "No referee is awaited here." in site.ask(f"/counter/{applicant}/referee").text
    site.ask(f"/counter/{applicant}/other-way", way="referee")
    second = site.ask(f"/counter/{applicant}/referee", go="on").headers["location"]
    assert "I bring a trusted referee" not in site.ask(f"{second}/other-way").text
    assert site.ask(f"{second}/other-way", way="referee").status_code == 409


@pytest.mark.parametrize(
    ("by_whom", "offered", "never"),
    [
        ("authority_queue", "Ask the authority again", "Have people look at it"),
        ("staff", "Have people look at it", "Ask the authority again"),
    ],
)
def test_an_undecided_referee_goes_to_whoever_can_settle_it(
    site: Site, by_whom: str, offered: str, never: str
) -> None:
    applicant = a_waiting_session(site.platform)
    site.ask(f"/counter/{applicant}/other-way", way="referee")
    second = site.ask(f"/counter/{applicant}/referee", go="on").headers["location"]
    session = second.rsplit("/", 1)[1]
    site.came_to(
        session, "P-somebody", {"outcome": "NeedsReview", "by_whom": by_whom}, SessionState.AUTHORITY
    )
    shown = site.ask(second).text
    assert "People must look at it" in shown
    assert offered in shown
    assert never not in shown
    assert (f"/desk/reviews/{session}" in shown) is (by_whom == "staff")
