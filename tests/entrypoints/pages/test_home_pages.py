"""Pages by a link on both engines, without cameras: at home, hand-over, proxies, confirmations."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shiming.infrastructure.database import reading
from shiming.registrations.store.orders import find_order
from tests.databases import ENGINES, a_database
from tests.entrypoints.pages.counter_world import (
    ONE,
    TWO,
    Browser,
    Counter,
    KnowsEverybody,
    a_counter,
    heading,
    path_of,
    value_of,
)
from tests.entrypoints.pages.home_orders import ordered, proven, sent

PICTURE = Path(__file__).parents[3] / "specimens" / "documents"


@pytest.fixture(scope="module", params=ENGINES)
def counter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp(request.param)
    with a_database(request.param, folder / "database") as url, a_counter(folder, url) as found:
        yield found


@pytest.fixture
def clerk(counter: Counter) -> Browser:
    return counter.staff()


def test_an_order_at_home_goes_from_the_link_to_the_line(counter: Counter, clerk: Browser) -> None:
    session, link, iccid = ordered(counter, clerk)
    home = counter.browser()
    start = home.get(link)
    assert heading(start) == f"Your new line with {ONE}"
    assert start.headers["cache-control"] == "no-store"
    assert start.headers["referrer-policy"] == "no-referrer"
    assert "****" in start.text
    assert path_of(home.post(link)) == f"{link}/document"
    assert path_of(home.get(f"{link}/person")) == f"{link}/document"  # the document comes first
    assert path_of(home.get(f"{link}/activation")) == f"{link}/document"
    assert proven(counter, home, session, link) == "It is you"
    assert path_of(home.get(f"{link}/document")) == f"{link}/result"
    contract = home.get(f"{link}/contract").text
    terms = {name: value_of(contract, name) for name in ("version", "content_hash")}
    assert home.post(f"{link}/contract", terms).status_code == 422  # not ticked
    assert path_of(home.post(f"{link}/contract", {"agree": "true", **terms})) == f"{link}/activation"
    counter.clock.at += timedelta(days=3)  # the card travels; the proof is kept for it
    wrong = home.post(f"{link}/activation", {"last": "0000" if iccid[-4:] != "0000" else "1111"})
    assert (wrong.status_code, "4 more tries" in wrong.text) == (409, True)
    asked = home.post(f"{link}/activation", {"last": iccid[-4:]})
    page = home.follow(asked)
    assert heading(page) == "Is this right?"
    code = re.search(r'id="the-code">(\d+)<', page.text)
    assert code is not None
    missed = home.post(path_of(asked), {"code": "000000" if code[1] != "000000" else "111111"})
    assert (missed.status_code, "2 more tries" in missed.text) == (409, True)
    assert path_of(home.post(path_of(asked), {"code": code[1]})) == f"{link}/activation"
    line = home.get(f"{link}/activation")
    assert "Being switched on" in line.text
    assert home.get(f"{link}/receipt.pdf").content.startswith(b"%PDF")
    assert home.post(f"{link}/stop").status_code == 409  # too late: the line is registered
    with reading(counter.platform.engine) as connection:
        order = find_order(connection, session)
    assert order is not None
    assert order.delivery_until is not None
    assert order.confirmation is not None


def test_who_stops_leaves_nothing_behind(counter: Counter, clerk: Browser) -> None:
    session, link, _ = ordered(counter, clerk)
    home = counter.browser()
    home.post(link)
    counter.give(f"/session/{session}")
    assert heading(home.get(f"{link}/stop")) == "Stop here?"
    stopped = home.post(f"{link}/stop")
    assert "What you handed in is deleted." in stopped.text
    over = home.get(link)
    assert (over.status_code, heading(over)) == (410, "You stopped this")
    gone = clerk.http.get(f"/v1/proofing-sessions/{session}", headers={"accept": "application/json"}).json()
    assert gone["state"] == "abandoned"
    with reading(counter.platform.engine) as connection:
        assert find_order(connection, session) is None
        held = connection.exec_driver_sql("SELECT session_id FROM proofing_held_pieces").scalars().all()
    assert session not in held


def test_a_link_that_does_not_work_says_why(counter: Counter, clerk: Browser) -> None:
    session, link, _ = ordered(counter, clerk)
    home = counter.browser()
    for nowhere in ("/a/" + "A" * 43, link[:-9], "/u/" + "A" * 43, "/r/cut", "/v1/confirmations/" + "A" * 43):
        unknown = home.get(nowhere)
        assert (unknown.status_code, heading(unknown)) == (404, "This link does not work"), nowhere
        assert unknown.headers["cache-control"] == "no-store"
    newer = httpx.URL(sent(clerk, f"/v1/orders/{session}/applicant-link")["link"]).path
    for replaced in (home.get(link), home.get(f"{link}/result"), home.post(link), home.post(f"{link}/stop")):
        assert (replaced.status_code, heading(replaced)) == (410, "There is a newer link")
    chinese = home.http.get(link, headers={"accept": "text/html", "accept-language": "zh"})
    assert "向您下单的营业厅或网店索取新链接" in chinese.text
    program = home.http.get(link.replace("/a/", "/v1/applicant-links/"), headers={"accept": "*/*"})
    assert (program.status_code, program.json()["code"]) == (409, "APPLICANT_LINK_REFUSED")
    headers = {"x-csrf-token": clerk.csrf, "accept": "application/json"}
    assert clerk.http.delete(f"/v1/orders/{session}/applicant-link", headers=headers).json()["revoked"]
    assert heading(home.get(newer)) == "This link was taken back"
    other = counter.staff(TWO)
    refused = other.http.post(
        f"/v1/orders/{session}/applicant-link",
        headers={"x-csrf-token": other.csrf, "accept": "application/json"},
    )
    assert refused.json()["code"] == "ORDER_UNKNOWN"


def test_an_authority_that_is_away_is_asked_again_by_the_same_link(counter: Counter, clerk: Browser) -> None:
    session, link, _ = ordered(counter, clerk)
    home, reached = counter.browser(), counter.app.state.authority
    home.post(link)
    counter.app.state.authority = KnowsEverybody(answers=False)
    try:
        assert proven(counter, home, session, link) == "The authority does not answer yet"
    finally:
        counter.app.state.authority = reached
    assert heading(home.follow(home.post(f"{link}/result"))) == "It is you"


def test_a_session_that_waited_for_days_begins_with_its_applicant(counter: Counter, clerk: Browser) -> None:
    session, link, _ = ordered(counter, clerk)
    counter.clock.at += timedelta(days=2)
    home = counter.browser()
    assert path_of(home.post(link)) == f"{link}/document"
    assert home.get(f"{link}/document").status_code == 200
    assert proven(counter, home, session, link) == "It is you"


def test_the_counter_hands_the_capture_over(counter: Counter, clerk: Browser) -> None:
    session, _, _ = ordered(counter, clerk, "shop")
    here = f"/counter/{session}/hand-over"
    assert "Show the QR code" in clerk.get(here).text
    shown = clerk.follow(clerk.post(here))
    link = re.search(r"/a/[A-Za-z0-9_-]{43}", shown.text)
    assert link is not None
    phone = counter.browser()
    assert path_of(phone.post(link[0])) == f"{link[0]}/document"
    state = clerk.part(f"{here}/state")
    assert state.text.count('class="done"') == 1
    assert proven(counter, phone, session, link[0]) == "It is you"
    assert "You are done on this phone" in phone.get(f"{link[0]}/result").text
    assert clerk.part(f"{here}/state").headers["hx-redirect"] == f"/counter/{session}"
    assert clerk.http.cookies.get("shiming_hand_over") == link[0].removeprefix("/a/")
    assert counter.staff(TWO).get(here).status_code == 404


def test_a_proxy_is_proven_and_refused_in_words_without_the_letter(counter: Counter, clerk: Browser) -> None:
    session, link, _ = ordered(counter, clerk, "shop")
    here = f"/counter/{session}/representative"
    assert "The holder comes first" in clerk.get(here).text
    home = counter.browser()
    home.post(link)
    assert proven(counter, home, session, link) == "It is you"
    assert clerk.post(here, {"role": "guardian"}).status_code == 422  # no relation
    second = path_of(clerk.post(here, {"role": "proxy"}))
    assert path_of(clerk.get(second)) == f"{second}/document"
    assert clerk.get(f"{second}/document").status_code == 200
    reference = second.rsplit("/", 1)[1]
    counter.people += 1
    counter.give(f"/session/{reference}", counter.people + 50)
    acting = clerk.follow(clerk.post(f"{second}/decision"))
    assert heading(acting) == "The proxy is proven"
    refused = clerk.post(second)
    assert (refused.status_code, "letter of authority" in refused.text) == (409, True)
    picture = next(PICTURE.glob("*.jpg")).read_bytes()
    kept = clerk.http.put(
        f"/v1/orders/{session}/authority-document",
        files={"document": ("d.jpg", picture, "image/jpeg")},
        headers={"x-csrf-token": clerk.csrf, "accept": "application/json"},
    )
    paper = {"authority_document": kept.json()["authority_document"]}
    assert path_of(clerk.post(second, paper)).startswith(f"/counter/{session}")
    assert "Somebody is named already" in clerk.get(here).text


def test_the_confirmation_is_a_page_for_browsers_and_json_for_programs(
    counter: Counter, clerk: Browser
) -> None:
    session, _, _ = ordered(counter, clerk, "shop")
    link = httpx.URL(sent(clerk, f"/v1/orders/{session}/confirmation-code", {})["link"]).path
    customer = counter.browser()
    page = customer.get(link)
    told = customer.http.get(link, headers={"accept": "application/json"}).json()
    assert heading(page) == "Is this right?"
    assert told["code"] in page.text
    assert told["number"] in page.text
    chinese = customer.http.get(link, headers={"accept": "text/html", "accept-language": "zh"})
    assert heading(chinese) == "请核对"
    assert heading(customer.post(f"{link}/wrong")) == "Nothing is opened without your yes"
    assert heading(customer.post(f"{link}/yes")) == "Confirmed. Thank you."
    for again in (customer.get(link), customer.post(f"{link}/yes")):
        assert (again.status_code, heading(again)) == (410, "This link has been used already")
