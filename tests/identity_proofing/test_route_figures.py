"""Pass rates and times by route: the intervals, what is too few, and what the store counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shiming.identity_proofing import store
from shiming.identity_proofing.model.figures import Parity, RouteOutcome
from shiming.identity_proofing.model.session import SessionState
from shiming.identity_proofing.rules.route_figures import (
    ENDED_MIN,
    difference_of_rates,
    figures_by_route,
    median_interval,
    wilson,
)
from shiming.identity_proofing.rules.sessions import begin_session
from shiming.identity_proofing.use_cases.figures import route_figures
from shiming.infrastructure.database import unit_of_work
from shiming.jurisdictions.model import Channel, Route
from tests.identity_proofing.proofing_builders import NOW, a_policy, evidence_with

Counts = tuple[int, int]


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_that_of_newcombe_s_table(hits: int, total: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score, without continuity)."""
    found = wilson(hits, total)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_difference_is_that_of_newcombe_s_table() -> None:
    """Newcombe (1998) 873-890, table II, method 10: 56/70 - 48/80 has 0.0524 to 0.3339."""
    found = difference_of_rates(wilson(56, 70), wilson(48, 80))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


@given(st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_an_interval_holds_its_rate_and_mirrors(counts: Counts) -> None:
    hits, total = counts
    found, mirrored = wilson(hits, total), wilson(total - hits, total)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high)


@given(st.integers(1, 200), st.integers(2, 20))
def test_more_of_the_same_narrows_the_interval(hits: int, times: int) -> None:
    few, many = wilson(hits, 2 * hits), wilson(times * hits, 2 * times * hits)
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("count", "rank"), [(6, 1), (8, 1), (9, 2), (20, 6), (50, 18), (100, 40)])
def test_ranks_of_the_median_are_those_of_the_tables(count: int, rank: int) -> None:
    """Order statistics with a chance of at least 95 of 100, as in Conover, table A3 (binomial, p = 1/2)."""
    found = median_interval(range(1, count + 1))
    assert found is not None
    assert (found.low, found.high) == (rank, count - rank + 1)


def test_few_times_have_no_interval() -> None:
    assert median_interval(range(5)) is None
    assert median_interval([]) is None


@given(st.lists(st.floats(0, 1e6), min_size=6, max_size=120))
def test_the_median_lies_in_its_interval(values: list[float]) -> None:
    found = median_interval(values)
    assert found is not None
    assert min(values) <= found.low <= found.value <= found.high <= max(values)


def _ended(route: str, verified: int, refused: int = 0, undecided: int = 0) -> list[RouteOutcome]:
    plain = RouteOutcome(route, "shop", verified=True, seconds=60.0)
    return [
        *[plain] * verified,
        *[replace(plain, verified=False)] * refused,
        *[replace(plain, verified=None, seconds=None)] * undecided,
    ]


def test_of_too_few_nothing_is_told() -> None:
    found = figures_by_route(_ended("no_blink", ENDED_MIN - 1), ["standard", "no_blink"])
    assert [each.route for each in found] == ["standard", "no_blink"]
    for each in found:
        assert not each.enough
        assert (each.ended, each.verified, each.pass_rate, each.seconds_median) == (None,) * 4


@pytest.mark.parametrize(
    ("verified", "refused", "parity"),
    [(50, 50, Parity.LOWER), (90, 10, Parity.NO_DIFFERENCE_SEEN), (400, 0, Parity.HIGHER)],
)
def test_parity_is_seen(verified: int, refused: int, parity: Parity) -> None:
    outcomes = [*_ended("standard", 180, 20), *_ended("assisted", verified, refused)]
    found = {each.route: each for each in figures_by_route(outcomes, ["standard", "assisted"])}
    assert found["assisted"].parity is parity


def test_who_left_counts_against_the_way() -> None:
    (found,) = figures_by_route(_ended("standard", 30, 10, 20), ["standard"])
    assert (found.ended, found.verified, found.refused, found.undecided) == (60, 30, 10, 20)
    assert found.pass_rate is not None
    assert found.pass_rate.value == pytest.approx(0.5)
    assert found.parity is Parity.TOO_FEW


# -- what the store counts --------------------------------------------------------------------------


@pytest.fixture
def ended(database: Engine) -> Engine:
    """One session decided, one left, one that nothing was handed in to, one that goes on, one of another."""
    with unit_of_work(database) as connection:
        for name, operator in (("D", "one"), ("L", "one"), ("N", "one"), ("G", "one"), ("O", "two")):
            session = begin_session(
                f"SES-{name}",
                a_policy(),
                channel=Channel.SHOP,
                route=Route.NO_BLINK,
                subject="adult",
                now=NOW,
            )
            session = replace(session, state=SessionState.LIVE_EVIDENCE)
            if name == "G":
                session = replace(session, expires_at=NOW + timedelta(days=1))
            if name in {"D", "O"}:
                session = replace(session, state=SessionState.DECIDED)
            store.add_session(connection, session, operator)
            if name != "N":
                store.save_evidence(connection, evidence_with(session_id=session.id))
            if name in {"D", "O"}:
                decision = {"outcome": "Verified", "level": "x"}
                receipt = {"subject": "P-1", "decision": decision, "challenge": None}
                store.save_decision(connection, session.id, receipt, NOW + timedelta(seconds=42))
    return database


def test_the_store_counts_what_ended(ended: Engine) -> None:
    later = NOW + timedelta(hours=2)
    with unit_of_work(ended) as connection:
        found = store.list_outcomes(
            connection, operator="one", opened_from=NOW - timedelta(days=1), ended_by=later, limit=100
        )
        everybody = store.list_outcomes(
            connection, operator=None, opened_from=NOW - timedelta(days=1), ended_by=later, limit=100
        )
        figures = route_figures(connection, a_policy(), later, operator="one")
    assert sorted((each.verified, each.seconds) for each in found if each.verified) == [(True, 42.0)]
    assert len(found) == 2
    assert len(everybody) == 3
    assert {each.route for each in figures} == {route.value for route in a_policy().routes}
