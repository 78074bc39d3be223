"""Signing in, enrolling and one's own account, without a browser; passkeys in one: tests/browser."""

from collections.abc import Iterator

import pytest

from shiming.accounts.model import Role
from shiming.accounts.rules.permission_table import ALL_CODES
from shiming.entrypoints.pages.account.permission_words import PERMISSION_WORDS, ROLE_WORDS
from tests.databases import ENGINES, a_database
from tests.entrypoints.pages.counter_world import PASSWORD, Browser, Counter, a_counter, heading, path_of


@pytest.fixture(scope="module", params=ENGINES)
def counter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp(request.param)
    with a_database(request.param, folder / "database") as url, a_counter(folder, url) as found:
        yield found


def enrolled(counter: Counter, role: Role = Role.CLERK) -> tuple[str, Browser]:
    """Enrol a new member of staff by the page; return their name and their browser."""
    name, token = counter.invited(role=role, operator=None if role is Role.ADMINISTRATOR else "cn-one")
    browser = counter.browser()
    answer = browser.post("/enrol", {"token": token, "password": PASSWORD})
    assert path_of(answer) == "/passkey"
    browser.csrf = browser.http.cookies["shiming_csrf"]
    return name, browser


def test_a_password_leads_where_one_wanted_to_go(counter: Counter) -> None:
    name, _ = enrolled(counter)
    browser = counter.browser()
    asked = browser.get("/counter")
    assert asked.headers["location"] == "/sign-in?next=/counter"
    assert 'value="/counter"' in browser.follow(asked).text
    form = {"user_name": name, "password": PASSWORD, "next": "/counter"}
    assert browser.post("/sign-in/password", form).headers["location"] == "/counter"
    assert heading(browser.get("/counter")) == "Open a line"
    assert browser.get("/sign-in?next=/me").headers["location"] == "/me"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "me"])
def test_nobody_is_led_to_another_site(counter: Counter, elsewhere: str) -> None:
    name, _ = enrolled(counter)
    form = {"user_name": name, "password": PASSWORD, "next": elsewhere}
    assert counter.browser().post("/sign-in/password", form).headers["location"] == "/"


def test_a_wrong_password_says_so_and_shows_it_nowhere(counter: Counter) -> None:
    name, _ = enrolled(counter)
    browser = counter.browser()
    refused = browser.post("/sign-in/password", {"user_name": name, "password": "not the right one"})
    assert (refused.status_code, "Signing in failed." in refused.text) == (401, True)
    assert "not the right one" not in refused.text
    assert "shiming_session" not in browser.http.cookies
    assert browser.post("/sign-in/password", {"user_name": "x"}).status_code == 422


def test_a_token_is_good_once_and_weak_passwords_are_refused(counter: Counter) -> None:
    name, token = counter.invited()
    browser = counter.browser()
    weak = browser.post("/enrol", {"token": token, "password": "short"})
    assert (weak.status_code, "The password is too short." in weak.text) == (400, True)
    assert browser.post("/enrol", {"token": token, "password": PASSWORD}).status_code == 303
    again = counter.browser().post("/enrol", {"token": token, "password": PASSWORD})
    assert "The one-time enrolment token is not valid any more." in again.text
    assert counter.browser().post("/enrol", {"token": "short"}).status_code == 422
    assert name


def test_who_needs_a_passkey_is_led_to_it_and_nowhere_else(counter: Counter) -> None:
    name, browser = enrolled(counter, Role.ADMINISTRATOR)
    assert path_of(browser.get("/")) == "/passkey"
    page = browser.get("/passkey?next=/desk")
    assert "Your role signs in with a passkey" in page.text
    assert "Later" not in page.text
    assert browser.get("/sign-in?next=/desk").headers["location"] == "/passkey?next=/desk"
    form = {"user_name": name, "password": PASSWORD, "next": "/desk"}
    assert counter.browser().post("/sign-in/password", form).headers["location"] == "/passkey?next=/desk"


def test_ones_own_account_says_in_words_what_one_may_do(counter: Counter) -> None:
    name, browser = enrolled(counter)
    page = browser.get("/me")
    assert name in page.text
    assert "Register lines" in page.text
    assert "registrations.create" not in page.text
    assert "登记号码" in browser.get("/me", **{"accept-language": "zh"}).text


def test_another_password_ends_the_other_sessions(counter: Counter) -> None:
    name, browser = enrolled(counter)
    wrong = browser.post("/me/password", {"present": "not this one", "password": PASSWORD + "!"})
    assert "Signing in failed." in wrong.text
    other = counter.browser()
    other.post("/sign-in/password", {"user_name": name, "password": PASSWORD})
    assert browser.post("/me/password", {"present": PASSWORD}).status_code == 422
    changed = browser.post("/me/password", {"present": PASSWORD, "password": PASSWORD + "!"})
    assert "The password is changed" in browser.follow(changed).text
    assert path_of(other.get("/me")) == "/sign-in"


def test_signing_out_needs_the_token_and_leaves_a_stranger(counter: Counter) -> None:
    _, browser = enrolled(counter)
    token, browser.csrf = browser.csrf, "planted"
    assert browser.post("/sign-out").status_code == 403
    browser.csrf = token
    assert "You are signed out." in browser.follow(browser.post("/sign-out")).text
    assert path_of(browser.get("/me")) == "/sign-in"


def test_the_first_page_tells_strangers_and_staff_where_to_go(counter: Counter) -> None:
    assert heading(counter.browser().get("/")) == "Real-name registration"
    clerk, auditor = counter.staff(), counter.staff(None, Role.AUDITOR)
    assert 'class="door first" href="/counter"' in clerk.get("/").text
    assert 'href="/counter"' not in auditor.get("/").text
    stale = counter.browser()
    stale.http.cookies.set("shiming_session", "long over")
    assert heading(stale.get("/")) == "Real-name registration"


def test_every_permission_and_role_has_words() -> None:
    codes = [code for words in PERMISSION_WORDS.values() for code in words]
    assert sorted(codes) == sorted(ALL_CODES)
    assert set(ROLE_WORDS) == set(Role)
