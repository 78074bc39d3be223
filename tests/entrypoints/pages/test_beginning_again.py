"""An order at home whose proof ran out of time begins again by the same link, on both engines."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx

from shiming.infrastructure.database import reading
from shiming.infrastructure.outbox import outbox
from shiming.registrations.events.applicant_links import ORDER_BEGUN_AGAIN
from shiming.registrations.model.applicant_links import AtHome
from shiming.registrations.model.numbers import NumberReserved
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.beginning_again import begin_again
from shiming.registrations.use_cases.numbers import reserve_number
from shiming.vocabulary.msisdn import Msisdn
from tests.entrypoints.pages.counter_world import ONE, TWO, Browser, Counter, heading, path_of
from tests.entrypoints.pages.home_orders import FIRST_AT_HOME, ordered, proven, sent

PRESSES = 4
#: Changes of an order by its session, and what they are sent with.
CHANGES: tuple[tuple[str, Any], ...] = (
    ("/applicant-link", None),
    ("/cap-reservation", None),
    ("/confirmation-code", {}),
)


def test_a_proof_that_ran_out_of_time_begins_again_by_the_same_link(counter: Counter, clerk: Browser) -> None:
    session, link, iccid = ordered(counter, clerk)
    home, api = counter.browser(), link.replace("/a/", "/v1/applicant-links/")
    seen = [session]
    for _ in range(2):
        home.post(link)
        counter.give(f"/session/{seen[-1]}")
        counter.clock.at += timedelta(minutes=45)
        over = home.follow(home.get(f"{link}/person"))
        assert (over.status_code, heading(over)) == (200, "The time is over")
        assert ">Begin again<" in over.text
        assert path_of(home.post(link)) == f"{link}/document"
        seen.append(home.http.get(api, headers={"accept": "application/json"}).json()["session"])
    assert len(set(seen)) == 3
    with reading(counter.platform.engine) as connection:
        orders = [find_order(connection, each) for each in seen]
    assert orders[:2] == [None, None]
    assert orders[2] is not None
    assert orders[2].iccid == iccid
    counter.clock.at += timedelta(minutes=45)
    assert path_of(home.post(link)) == f"{link}/document"  # nothing was handed in: its own time begins
    assert proven(counter, home, seen[2], link) == "It is you"
    with reading(counter.platform.engine) as connection:
        held = connection.exec_driver_sql("SELECT held_for FROM numbers_held").scalars().all()
    assert set(seen[:2]).isdisjoint(held)


def run_out(counter: Counter, clerk: Browser) -> tuple[str, str, Browser]:
    """Let the time of an order's proof run out; return its session, its link and who has it."""
    session, link, _ = ordered(counter, clerk)
    home = counter.browser()
    home.post(link)
    counter.give(f"/session/{session}")
    counter.clock.at += timedelta(minutes=45)
    return session, link, home


def present_session(home: Browser, link: str) -> str:
    api = link.replace("/a/", "/v1/applicant-links/")
    found: str = home.http.get(api, headers={"accept": "application/json"}).json()["session"]
    return found


def begun_again(counter: Counter, former: str) -> list[str]:
    """Return the sessions that were told to go on with the order of a former one."""
    events = outbox.select().where(outbox.c.type == ORDER_BEGUN_AGAIN)
    with reading(counter.platform.engine) as connection:
        told = connection.execute(events).all()
    return [row.subject for row in told if json.loads(row.facts)["former"] == former]


def test_two_presses_at_once_begin_again_once_and_lead_to_the_same_place(
    counter: Counter, clerk: Browser
) -> None:
    session, link, home = run_out(counter, clerk)
    platform, token = counter.platform, link.removeprefix("/a/")
    rules, now = platform.policy("", platform.today()), counter.clock.now()
    with ThreadPoolExecutor(1) as presses:
        with platform.begin() as connection:  # the first press, which is not yet committed
            first = begin_again(
                platform.registrations,
                platform.proofing_tools(),
                connection,
                token,
                policy=rules,
                now=now,
            )
            assert isinstance(first, AtHome)
            second = presses.submit(counter.browser().post, link)
            assert wait([second], timeout=0.5).not_done, "it waits for the first one"
        assert path_of(second.result()) == f"{link}/document"
    assert path_of(home.post(link)) == f"{link}/document"
    assert present_session(home, link) == first.link.session_id != session
    assert begun_again(counter, session) == [first.link.session_id]
    assert begun_again(counter, first.link.session_id) == []


def test_many_presses_at_once_begin_again_once(counter: Counter, clerk: Browser) -> None:
    session, link, home = run_out(counter, clerk)
    browsers, start = [counter.browser() for _ in range(PRESSES)], Barrier(PRESSES)

    def press(browser: Browser) -> str:
        start.wait()
        return path_of(browser.post(link))

    with ThreadPoolExecutor(PRESSES) as presses:
        assert set(presses.map(press, browsers)) == {f"{link}/document"}
    assert begun_again(counter, session) == [present_session(home, link)]


def test_who_kept_the_former_session_finds_the_order_and_is_told_the_present_one(
    counter: Counter, clerk: Browser
) -> None:
    seen = []
    session, link, home = run_out(counter, clerk)
    seen.append(session)
    for _ in range(2):
        home.post(link)
        seen.append(present_session(home, link))
        counter.give(f"/session/{seen[-1]}")
        counter.clock.at += timedelta(minutes=45)
    clerk, stranger = counter.staff(), counter.staff(TWO)  # hours have passed: they sign in anew
    present, program = seen[2], {"accept": "application/json", "x-csrf-token": clerk.csrf}
    for former in seen[:2]:
        here = f"/v1/orders/{former}"
        read = clerk.http.get(here, headers=program)
        assert (read.status_code, read.json()["session"]) == (200, present)
        assert read.json() == clerk.http.get(f"/v1/orders/{present}", headers=program).json()
        assert stranger.http.get(here, headers=program).json()["code"] == "ORDER_UNKNOWN"
        theirs = {**program, "x-csrf-token": stranger.csrf}
        for path, body in CHANGES:
            moved = clerk.http.post(f"{here}{path}", json=body, headers=program)
            assert (moved.status_code, moved.json()["code"]) == (409, "ORDER_MOVED"), path
            assert moved.json()["details"] == {"session": present}
            hidden = stranger.http.post(f"{here}{path}", json=body, headers=theirs)
            assert (hidden.status_code, hidden.json()["code"]) == (404, "ORDER_UNKNOWN"), path
        wanted = {"session": former, "operator": ONE, "kind": "mobile", "product_class": "voice"}
        again = clerk.http.post("/v1/orders", json={**wanted, "channel": "online"}, headers=program)
        assert again.json()["code"] == "ORDER_MOVED"
    etag = {**program, "if-match": clerk.http.get(f"/v1/orders/{present}", headers=program).headers["etag"]}
    assert clerk.http.post(f"/v1/orders/{present}/abandonment", headers=etag).status_code == 200
    gone = clerk.http.get(f"/v1/orders/{session}", headers=program)
    assert (gone.status_code, gone.json()["code"]) == (404, "ORDER_UNKNOWN")


def test_what_somebody_else_took_meanwhile_is_said_where_one_begins_again(
    counter: Counter, clerk: Browser
) -> None:
    session, link, _ = ordered(counter, clerk)
    number = Msisdn.parse(f"+{FIRST_AT_HOME + counter.people}")
    home, platform = counter.browser(), counter.platform
    home.post(link)
    counter.give(f"/session/{session}")
    counter.clock.at += timedelta(minutes=45)
    rules, now = platform.policy("", platform.today()), counter.clock.now()
    with platform.begin() as connection:
        kept = reserve_number(
            platform.registrations,
            connection,
            number,
            operator=ONE,
            held_for="SES-ELSE",
            now=now,
            policy=rules,
        )
    assert isinstance(kept, NumberReserved)
    refused = home.post(link)
    assert (refused.status_code, heading(refused)) == (409, "The time is over")
    assert "This is not possible now" in refused.text
    with reading(platform.engine) as connection:
        assert find_order(connection, session) is not None, "nothing has moved"


def test_after_three_sessions_a_new_link_lets_the_same_order_begin_again(
    counter: Counter, clerk: Browser
) -> None:
    session, link, _ = ordered(counter, clerk)
    home = counter.browser()
    for _ in range(3):
        home.post(link)
        api = link.replace("/a/", "/v1/applicant-links/")
        session = home.http.get(api, headers={"accept": "application/json"}).json()["session"]
        counter.give(f"/session/{session}")
        counter.clock.at += timedelta(minutes=45)
    assert ">Begin again<" not in home.get(f"{link}/result").text
    refused = home.post(link)
    assert (refused.status_code, "Ask the shop for a new link" in refused.text) == (409, True)
    newer = httpx.URL(sent(counter.staff(), f"/v1/orders/{session}/applicant-link")["link"]).path
    assert path_of(home.post(newer)) == f"{newer}/document"
