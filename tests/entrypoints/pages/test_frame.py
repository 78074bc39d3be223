"""The frame of pages: forms, the token of forms without script, preferences, assets, errors as pages."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.pages.assets import assets
from shiming.entrypoints.pages.forms import Filled, parse_form
from shiming.entrypoints.pages.preferences import local_path
from shiming.entrypoints.wiring import Platform
from shiming.vocabulary.errors import BadInput
from tests.infrastructure.http_peers import serving

PAGE = {"accept": "text/html", "accept-language": "en"}


class ToyForm(BaseModel):
    name: str = Field(max_length=5)
    count: int = 1
    kinds: list[str] = []


def filled(body: dict[str, Any]) -> Filled[ToyForm]:
    return parse_form(ToyForm, urlencode(body, doseq=True).encode(), "en")


def test_a_form_becomes_its_model() -> None:
    found = filled({"name": " Ann ", "count": "3", "kinds": ["a"], "csrf_token": "secret"})
    assert found.value == ToyForm(name="Ann", count=3, kinds=["a"])
    assert "secret" not in found.entered.values()


@pytest.mark.parametrize(
    ("body", "mistakes"),
    [
        ({"name": ""}, {"name": "Please fill this in."}),
        ({"name": "far too long"}, {"name": "This is too long."}),
        ({"name": "Ann", "count": "many"}, {"count": "Enter a whole number."}),
    ],
)
def test_mistakes_stand_beside_their_fields(body: dict[str, str], mistakes: dict[str, str]) -> None:
    found = filled(body)
    assert (found.value, found.mistakes) == (None, mistakes)
    assert "far too long" not in repr(found)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    try:
        found: Filled[ToyForm] | None = parse_form(ToyForm, body, "zh")
    except BadInput:
        found = None
    assert found is None or found.value is not None or found.mistakes


def test_a_form_of_too_many_fields_is_refused() -> None:
    with pytest.raises(BadInput, match="FORM_UNREADABLE"):
        parse_form(ToyForm, b"&".join(b"a%d=1" % index for index in range(500)), "en")


@given(st.text(max_size=40))
def test_one_is_led_to_this_site_only(path: str) -> None:
    found = local_path(path, "/start")
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert not urlsplit(found).netloc


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("frame") / "data"
    folder.mkdir(mode=0o700)
    found = Platform(sandbox_settings(folder))
    yield found
    found.engine.dispose()


@pytest.fixture(scope="module")
def address(platform: Platform) -> Iterator[str]:
    with serving(create_app(platform)) as found:
        yield found


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, trust_env=False) as found:
        yield found


def signed_in(platform: Platform, role: Role) -> SignedIn:
    with platform.begin() as connection:
        wanted = NewAccount("somebody", "person 1", frozenset({role}), "cn-mobile")
        account = create_account(platform.accounts, connection, wanted, by=Actor())
        token = invite(platform.accounts, connection, account, by=Actor())
    found = enrol_password(platform.accounts, platform.engine, token=token, password="a long sentence here")
    assert isinstance(found, SignedIn)
    return found


def test_programs_get_problems_and_people_get_pages(http: httpx.Client) -> None:
    assert http.get("/nowhere").headers["content-type"] == "application/problem+json"
    page = http.get("/nowhere", headers=PAGE)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert page.headers["cache-control"] == "no-store"


def test_a_part_of_a_page_gets_its_error_as_a_notice(http: httpx.Client) -> None:
    answer = http.get("/nowhere", headers={"hx-request": "true"})
    assert answer.headers["hx-retarget"] == "#notices"
    assert "<html" not in answer.text


@pytest.mark.parametrize("path", ["/counter", "/desk"])
def test_whoever_is_not_signed_in_is_led_there_and_back(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    assert http.get("/v1/me").status_code == 401


def test_a_form_without_script_carries_the_token_in_a_field(platform: Platform, http: httpx.Client) -> None:
    session = signed_in(platform, Role.CLERK)
    http.cookies.set("shiming_session", session.token)
    refused = http.post("/v1/sign-out", data={"anything": "1"})
    assert (refused.status_code, refused.json()["code"]) == (403, "CSRF_TOKEN_MISSING")
    planted = http.post("/v1/sign-out", data={"csrf_token": "planted"})
    assert planted.status_code == 403
    assert http.post("/v1/sign-out", data={"csrf_token": session.csrf_token}).status_code == 204


def test_the_language_that_was_chosen_counts_before_the_browser(http: httpx.Client) -> None:
    chosen = http.post("/preferences", data={"language": "zh", "back": "/nowhere?said=x"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/nowhere?said=x")
    assert 'lang="zh-Hans"' in http.get("/nowhere", headers=PAGE).text
    assert http.get("/v1/nowhere").json()["title"] == "没有这个地址。"
    assert http.post("/preferences", data={"back": "https://elsewhere.example"}).headers["location"] == "/"


def test_assets_are_kept_under_the_address_of_their_content_only(http: httpx.Client) -> None:
    url = assets().url("css/page.css")
    kept = http.get(url)
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    other = http.get(url.replace(assets().version, "0" * 16))
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store")
    assert http.get("/static/x/../../http_api.py").status_code == 404
    assert http.get("/static/x/%2e%2e/http_api.py").status_code == 404
    for path in ("/service-worker.js", "/manifest.webmanifest", "/favicon.ico"):
        assert http.get(path).headers["cache-control"] == "no-cache"
