"""The review desk, the figures by way and the other ways over HTTP, without script; the plots behind them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account, invite
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.http_api import create_app
from shiming.entrypoints.pages.review.plots import WIDTH, on_axis, plain_figures, plots_of
from shiming.entrypoints.pages.review.words import measure_words, number
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing import store
from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.model.decision import CheckOutcome, CheckResult
from shiming.identity_proofing.model.figures import Interval
from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import Route
from tests.browser.review_cases import a_waiting_session, figures_of_a_quarter
from tests.identity_proofing.proofing_builders import a_policy, evidence_with
from tests.infrastructure.http_peers import serving

PAGE = {"accept": "text/html", "accept-language": "en"}
STAFF = {"clerk": Role.CLERK, "supervisor": Role.SUPERVISOR, "auditor": Role.AUDITOR}


@dataclass
class Site:
    """A served installation and its staff's sessions."""

    platform: Platform
    http: httpx.Client
    sessions: dict[str, SignedIn]

    def get(self, path: str, who: str = "clerk", **headers: str) -> httpx.Response:
        cookie = f"shiming_session={self.sessions[who].token}"
        return self.http.get(path, headers={**PAGE, "cookie": cookie, **headers})

    def post(self, path: str, who: str = "clerk", **fields: str) -> httpx.Response:
        session = self.sessions[who]
        cookies = f"shiming_session={session.token}; shiming_csrf={session.csrf_token}"
        body = {**fields, "csrf_token": session.csrf_token}
        return self.http.post(path, data=body, headers={**PAGE, "cookie": cookies})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("reviews") / "data"
    folder.mkdir(mode=0o700)
    platform = Platform(sandbox_settings(folder))
    with serving(create_app(platform)) as address, httpx.Client(base_url=address, trust_env=False) as http:
        yield Site(platform, http, {name: _signed_in(platform, name) for name in STAFF})
    platform.engine.dispose()


def _signed_in(platform: Platform, name: str) -> SignedIn:
    with platform.begin() as connection:
        wanted = NewAccount(name, f"person of {name}", frozenset({STAFF[name]}), "cn-mobile")
        account = create_account(platform.accounts, connection, wanted, by=Actor())
        token = invite(platform.accounts, connection, account, by=Actor())
    found = enrol_password(platform.accounts, platform.engine, token=token, password="a long sentence here")
    assert isinstance(found, SignedIn)
    return found


def test_the_queue_shows_who_waits_and_narrows(site: Site) -> None:
    plain = a_waiting_session(site.platform)
    assisted = a_waiting_session(site.platform, Route.ASSISTED)
    everybody = site.get("/desk/reviews").text
    assert plain in everybody
    assert assisted in everybody
    only = site.get("/desk/reviews?route=assisted").text
    assert assisted in only
    assert plain not in only
    first = site.get("/desk/reviews?limit=1").text
    assert "cursor=" in first
    listed = site.get("/v1/proofing-reviews?limit=100", accept="application/json").json()["items"]
    assert {plain, assisted} <= {each["session"] for each in listed}
    assert site.get("/desk/reviews", "auditor").status_code == 403


def test_no_picture_is_in_the_page_and_one_comes_marked_when_asked_for(site: Site) -> None:
    session = a_waiting_session(site.platform)
    page = site.get(f"/desk/reviews/{session}")
    assert page.status_code == 200
    assert 'src="/desk' not in page.text
    path = f"/desk/reviews/{session}/pictures"
    picture = site.post(f"{path}/document", purpose="assisted_review")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/jpeg", "no-store")
    with Image.open(io.BytesIO(picture.content)) as shown:
        assert shown.size[0] > 100
    frame = site.post(f"{path}/frame_2", purpose="assisted_review")
    assert frame.headers["content-type"] == "image/jpeg"
    assert site.post(f"{path}/document").status_code == 404  # no purpose
    assert site.post(f"{path}/identity", purpose="assisted_review").status_code == 404
    assert site.get(f"{path}/document").status_code in {404, 405}


def test_a_finding_needs_a_reason_that_fits(site: Site) -> None:
    session = a_waiting_session(site.platform, Route.ASSISTED)
    path = f"/desk/reviews/{session}/finding"
    assert site.post(path, same_person="yes", document_genuine="yes").status_code == 422
    wrong = site.post(path, same_person="yes", document_genuine="yes", ground="other_person")
    assert wrong.status_code == 422
    assert "Choose a reason" in wrong.text
    with reading(site.platform.engine) as connection:
        evidence = store.find_evidence(connection, session)
        assert evidence is not None
        assert evidence.reviews == ()


def test_two_people_are_needed_and_neither_sees_what_the_other_found(site: Site) -> None:
    session = a_waiting_session(site.platform, Route.ASSISTED)
    path = f"/desk/reviews/{session}"
    found = {"same_person": "yes", "document_genuine": "yes", "ground": "changed_with_time"}
    for _ in range(2):
        assert site.post(f"{path}/finding", **found).headers["location"] == f"{path}?said=answered"
    assert "Your answer is taken." in site.get(path).text
    other = site.get(path, "supervisor").text
    assert "Your answer is taken." not in other
    assert "1 of 2 people" in other
    assert 'value="changed_with_time" selected' not in other
    assert site.post(f"{path}/finding", "supervisor", **found).headers["location"] == f"{path}?said=decided"


def test_another_way_is_taken_at_once_and_leads_on(site: Site) -> None:
    session = a_waiting_session(site.platform)
    path = f"/counter/{session}/other-way"
    assert site.get(path).status_code == 200
    tapped = site.post(path, way="digits_tapped", language="eng")
    assert tapped.headers["location"] == f"/counter/{session}/live?language=eng"
    people = site.post(path, way="assisted")
    assert people.headers["location"] == f"/desk/reviews/{session}?said=people_look"
    assert site.post(path).status_code == 422
    assert site.post(path, way="unheard_of").status_code == 422


def test_figures_on_the_page_are_those_of_the_api(site: Site) -> None:
    assert "Too few" in site.get("/desk/routes", "supervisor").text
    figures_of_a_quarter(site.platform)
    shown = site.get("/v1/proofing-figures", "supervisor", accept="application/json").json()
    page = site.get("/desk/routes?days=90", "supervisor").text
    routes = {each["route"]: each for each in shown["routes"]}
    assert routes["no_blink"]["ended"] == 27
    assert "27 sessions ended: 24 verified, 3 refused" in page
    assert not routes["head_still"]["enough"]
    assert routes["assisted"]["parity"] == "lower"
    assert "lower than the other ways" in page
    assert site.get("/desk/routes").status_code == 403


# -- plots ------------------------------------------------------------------------------------------


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 20))
def test_a_mark_keeps_its_side_of_a_limit(value: float, least: float, room: float) -> None:
    check = CheckResult(
        "x", CheckOutcome.PASSED, (), {"score": value}, {"score_min": least, "score_review_min": least - room}
    )
    (plot,) = plots_of(check)
    assert plot.x is not None
    by_kind = {limit.kind: limit.x for limit in plot.limits}
    assert (plot.x <= by_kind["min"]) if value <= least else (plot.x >= by_kind["min"])
    assert by_kind["review_min"] <= by_kind["min"]
    assert all(0 <= x <= WIDTH for x in (plot.x, plot.fine_from, plot.fine_to, *by_kind.values()))


def test_every_figure_of_every_check_has_a_name_and_a_place() -> None:
    for check in decide_proofing(evidence_with(), a_policy()).checks:
        named = [plot.name for plot in plots_of(check)] + [name for name, _ in plain_figures(check)]
        measured = check.measurements or {}
        given_ = [name for name, value in measured.items() if value not in {None, ""} and name != "id"]
        assert set(given_) <= set(named), check.check
        for name in named:
            assert measure_words(name).zh != name, f"{check.check}: {name} has no Chinese name"


def test_an_interval_lies_on_the_axis() -> None:
    plot = on_axis(Interval(0.5, 0.25, 1.0), 0.0, 1.0)
    assert plot.x_low < plot.x == WIDTH / 2 < plot.x_high <= WIDTH
    assert number(0.3642) == "0.364"
