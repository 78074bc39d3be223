"""Places below the cap on both engines: kept, given up, fought for; reviews that let one more pass."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.ordering import OrderDetails, PlaceKept, ReviewDecision
from shiming.registrations.model.registration import LineRegistered, RegisterLine, ReviewRequired
from shiming.registrations.store.tables import cap_counters, lines
from shiming.registrations.use_cases import orders, places, reviews
from shiming.registrations.use_cases.registering import register_line
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_desk,
    a_line_cap_policy,
    a_number,
    a_registration_policy,
    a_session,
    an_order,
)
from tests.registrations.orders_builders import (
    PACK,
    PERSON,
    RULES,
    an_internet_order,
    codes,
    keep,
    prepared,
    proven,
    two_places,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    yield desk
    desk.engine.dispose()


def test_a_kept_place_counts_against_others_until_it_runs_out_or_is_given_up(desk: Desk) -> None:
    desk = desk.under(two_places())
    proven(desk, "SES-1", "SES-2", "SES-3")
    prepared(desk, *(an_order(f"SES-{n}", a_number(n)) for n in (1, 2, 3)))
    assert keep(desk, "SES-1") == PlaceKept(NOW + timedelta(minutes=30), 1)
    assert keep(desk, "SES-2") == PlaceKept(NOW + timedelta(minutes=30), 0)
    assert keep(desk, "SES-2") == PlaceKept(NOW + timedelta(minutes=30), 0)  # its own does not count
    assert codes(keep(desk, "SES-3")) == [RefusalCode.CAP_REACHED]
    assert codes(desk.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    assert isinstance(desk.register("SES-1", a_number(1)), LineRegistered)
    assert codes(desk.register("SES-3", a_number(3))) == [RefusalCode.CAP_REACHED]
    with unit_of_work(desk.engine) as connection:
        order = orders.hold_order(connection, "SES-2", operator=None)
        assert orders.abandon_order(desk.tools, connection, order, policy=RULES, now=NOW) is None
        used = orders.hold_order(connection, "SES-1", operator=None)
        refused = orders.abandon_order(desk.tools, connection, used, policy=RULES, now=NOW)
        details = OrderDetails(a_number(9))
        again = orders.change_order(desk.tools, connection, used, details, policy=RULES, now=NOW)
    assert codes(refused) == codes(again) == [RefusalCode.SESSION_CONSUMED]
    assert isinstance(keep(desk, "SES-3"), PlaceKept)
    assert isinstance(desk.register("SES-3", a_number(3)), LineRegistered)


def test_a_place_runs_out_by_itself(desk: Desk) -> None:
    desk = desk.under(replace(two_places(), session_age_max=timedelta(days=1)))
    proven(desk, "SES-1", "SES-2", "SES-3")
    prepared(desk, *(an_order(f"SES-{n}", a_number(n)) for n in (1, 2, 3)))
    keep(desk, "SES-1")
    keep(desk, "SES-2", minutes=10)
    assert codes(keep(desk, "SES-3", minutes=29)) == [RefusalCode.CAP_REACHED]
    assert keep(desk, "SES-3", minutes=30) == PlaceKept(NOW + timedelta(minutes=60), 0)
    late = NOW + timedelta(minutes=31)
    assert codes(desk.register("SES-1", a_number(1), now=late)) == [RefusalCode.CAP_REACHED]


def test_a_place_is_kept_for_who_is_proven_only(desk: Desk) -> None:
    desk.sessions.add(replace(a_session("SES-1"), outcome="NeedsReview"))
    prepared(desk, an_order("SES-1"))
    assert codes(keep(desk, "SES-1")) == [RefusalCode.SESSION_NOT_VERIFIED]
    desk.sessions.add(replace(a_session("SES-1"), consumed_by="REG-1"))
    assert codes(keep(desk, "SES-1")) == [RefusalCode.SESSION_CONSUMED]
    desk.sessions.add(a_session("SES-1"))
    uncounted = desk.under(replace(PACK, caps={}))
    assert keep(uncounted, "SES-1") == PlaceKept(None, None)


def test_two_counters_cannot_both_keep_the_last_place(desk: Desk) -> None:
    desk = desk.under(two_places())
    sessions = [f"SES-{n}" for n in range(12)]
    proven(desk, *sessions)
    prepared(desk, *(an_order(session, a_number(n)) for n, session in enumerate(sessions)))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda session: keep(desk, session), sessions))
    kept = [session for session, each in zip(sessions, found, strict=True) if isinstance(each, PlaceKept)]
    assert len(kept) == 2
    with ThreadPoolExecutor(6) as pool:
        numbered = [(session, a_number(n)) for n, session in enumerate(sessions)]
        outcomes = list(pool.map(lambda each: desk.register(*each), numbered))
    registered = [
        session
        for session, outcome in zip(sessions, outcomes, strict=True)
        if isinstance(outcome, LineRegistered)
    ]
    assert registered == kept  # nobody takes a place that is kept for another session


def test_keeping_and_registering_at_once_never_pass_the_cap(desk: Desk) -> None:
    """Half of the sessions register without a place while the others keep one and then register."""
    desk = desk.under(two_places())
    sessions = [f"SES-{n}" for n in range(12)]
    proven(desk, *sessions)
    prepared(desk, *(an_order(session, a_number(n)) for n, session in enumerate(sessions)))

    def work(index: int) -> tuple[bool, bool]:
        kept = index % 2 == 0 and isinstance(keep(desk, sessions[index]), PlaceKept)
        outcome = desk.register(sessions[index], a_number(index))
        return kept, isinstance(outcome, LineRegistered)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(work, range(12)))
    assert sum(registered for _, registered in found) == 2
    assert all(registered for kept, registered in found if kept)
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(cap_counters.c.active)).scalar_one() == 2


def test_lines_of_a_day_and_the_gap_hold_at_once_too(desk: Desk) -> None:
    caps = a_registration_policy(9, cap=a_line_cap_policy(9, a_day=2)).caps
    desk = desk.under(a_registration_policy())
    desk = desk.under(replace(desk.policy, caps=caps))
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda n: desk.register_for(PERSON, f"SES-{n}", a_number(n)), range(12)))
    assert sum(isinstance(outcome, LineRegistered) for outcome in outcomes) == 2
    refused = [
        code for outcome in outcomes if not isinstance(outcome, LineRegistered) for code in codes(outcome)
    ]
    assert set(refused) == {OrderRefusal.LINES_OF_DAY_REACHED}
    tomorrow = NOW + timedelta(days=1)
    desk.sessions.add(replace(a_session("SES-next"), decided_at=tomorrow))
    assert isinstance(desk.register("SES-next", a_number(50), now=tomorrow), LineRegistered)
    desk = desk.under(
        replace(desk.policy, caps=a_registration_policy(cap=a_line_cap_policy(9, gap_hours=8)).caps)
    )
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(
            pool.map(lambda n: desk.register_for("p1.other", f"SES-g{n}", a_number(100 + n)), range(12))
        )
    assert sum(isinstance(outcome, LineRegistered) for outcome in outcomes) == 1


def test_a_review_by_another_person_lets_one_more_line_pass(desk: Desk) -> None:
    with unit_of_work(desk.engine) as connection:
        connection.execute(
            cap_counters.insert().values(
                subject=PERSON, cap_scope=f"operator:{OPERATOR}", cap_name="internet_lines", active=5, cap=5
            )
        )
    proven(desk, "SES-1", "SES-2")
    prepared(desk, an_internet_order("SES-1", 1), an_internet_order("SES-2", 2))

    def register(session_id: str, index: int) -> object:
        order = an_internet_order(session_id, index)
        assert order.identifier is not None
        command = RegisterLine(OPERATOR, order.identifier, session_id)
        return transact(
            desk.engine,
            lambda connection: register_line(desk.tools, connection, command, policy=PACK, now=NOW),
        )

    assert isinstance(register("SES-1", 1), ReviewRequired)
    assert codes(keep(desk, "SES-1")) == [OrderRefusal.REVIEW_REQUIRED]
    with unit_of_work(desk.engine) as connection:
        order = orders.hold_order(connection, "SES-1", operator=None)
        asked = reviews.ask_review(desk.tools, connection, order, by="person-1", now=NOW)
        assert reviews.ask_review(desk.tools, connection, order, by="person-2", now=NOW) == asked
        assert reviews.list_waiting(connection, operator=OPERATOR, limit=9) == (asked,)
        assert reviews.list_waiting(connection, operator="cn-unicom", limit=9) == ()

    def decide(by: str) -> object:
        return transact(
            desk.engine,
            lambda connection: reviews.decide_review(
                desk.tools, connection, asked.review_id, ReviewDecision.PASSED,
                by=by, why="family_lines_shown", policy=PACK, now=NOW,
            ),
        )  # fmt: skip

    assert codes(decide("person-1")) == [OrderRefusal.REVIEW_OWN]
    decide("person-2")
    assert codes(decide("person-3")) == [OrderRefusal.REVIEW_DECIDED]
    outcome = register("SES-1", 1)
    assert isinstance(outcome, LineRegistered)
    assert outcome.active == 6
    assert isinstance(register("SES-2", 2), ReviewRequired)  # a review is of one order
    with reading(desk.engine) as connection:
        (over,) = places.list_over_cap(connection, PACK, operator=OPERATOR, limit=9)
        assert (over.subject, over.cap_name, over.active) == (PERSON, "internet_lines", 6)
        assert places.list_over_cap(connection, PACK, operator="cn-unicom", limit=9) == ()
        after = (over.cap_name, over.cap_scope, over.subject)
        assert places.list_over_cap(connection, PACK, operator=None, after=after, limit=9) == ()


def test_holders_above_a_lowered_cap_are_listed_and_keep_their_lines(desk: Desk) -> None:
    for index in range(3):
        desk.under(a_registration_policy(5)).register_for(PERSON, f"SES-{index}", a_number(index))
    with reading(desk.engine) as connection:
        assert places.list_over_cap(connection, a_registration_policy(3), operator=None, limit=9) == ()
        (over,) = places.list_over_cap(connection, a_registration_policy(2), operator=None, limit=9)
        held = connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one()
    assert (over.active, held) == (3, 3)
