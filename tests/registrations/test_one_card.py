"""A card is named by one order and put into one line, on both engines."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.idempotency import Kept
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.lines import SimForm
from shiming.registrations.model.ordering import OrderDetails, OrderTaken
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.model.sims import CardStanding, NewSim, SimState
from shiming.registrations.rules.sims import is_card_free
from shiming.registrations.store.sims import add_sims, standing_of
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases import orders
from shiming.vocabulary.sim_identifiers import Iccid, Imsi
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, Desk, a_card_of, a_number
from tests.registrations.promise_builders import (
    CARD,
    KEPT_FOR,
    OTHER_CARD,
    a_desk_with_numbers,
    a_new_order,
    at_once,
    codes,
    holds,
    on_order,
    open_order,
    ordered,
    proven,
    registered_by_a_server,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    yield from a_desk_with_numbers(tmp_path, database_url)


def test_a_card_is_named_by_one_order_until_that_one_lets_it_go(desk: Desk) -> None:
    for session_id in ("SES-1", "SES-2", "SES-3"):
        proven(desk, session_id)
    assert isinstance(open_order(desk, a_new_order("SES-1")), OrderTaken)
    refused = open_order(desk, a_new_order("SES-2"))
    assert codes(refused) == ["SIM_TAKEN"]
    assert getattr(refused, "refusals")[0].citation  # noqa: B009 - of either outcome
    assert holds(desk) == {CARD: "SES-1"}
    assert isinstance(open_order(desk, a_new_order("SES-2", OTHER_CARD)), OrderTaken)
    another = OrderDetails(iccid=Iccid(CARD))
    assert codes(on_order(desk, "SES-2", orders.change_order, another)) == ["SIM_TAKEN"]
    # another card in the place of the first sets that one free, and so does giving the order up
    own = OrderDetails(iccid=Iccid(a_card_of("third")[0]))
    assert isinstance(on_order(desk, "SES-1", orders.change_order, own), OrderTaken)
    assert isinstance(on_order(desk, "SES-2", orders.change_order, another), OrderTaken)
    assert holds(desk) == {a_card_of("third")[0]: "SES-1", CARD: "SES-2"}
    assert on_order(desk, "SES-2", orders.abandon_order) is None
    assert isinstance(open_order(desk, a_new_order("SES-3")), OrderTaken)


def test_a_card_of_a_forgotten_order_comes_free_by_itself(desk: Desk) -> None:
    proven(desk, "SES-1")
    proven(desk, "SES-2")
    assert isinstance(open_order(desk, a_new_order("SES-1")), OrderTaken)
    late = NOW + KEPT_FOR
    assert codes(open_order(desk, a_new_order("SES-2"), late - timedelta(seconds=1))) == ["SIM_TAKEN"]
    assert isinstance(open_order(desk, a_new_order("SES-2"), late), OrderTaken)
    assert holds(desk) == {CARD: "SES-2"}


def test_what_else_speaks_against_an_order_is_said_too_and_keeps_no_card(desk: Desk) -> None:
    proven(desk, "SES-1")
    proven(desk, "SES-2")
    online = replace(a_new_order("SES-1"), channel=Channel.ONLINE)
    assert codes(open_order(desk, online)) == ["CHANNEL_NOT_OF_SESSION"]
    assert holds(desk) == {}
    assert isinstance(open_order(desk, a_new_order("SES-1")), OrderTaken)
    refused = open_order(desk, replace(a_new_order("SES-2"), channel=Channel.ONLINE))
    assert codes(refused) == ["CHANNEL_NOT_OF_SESSION", "SIM_TAKEN"]


@pytest.mark.parametrize(("owner", "used"), [(OPERATOR, True), ("cn-unicom", False)])
def test_a_card_in_a_line_or_of_another_operator_is_refused_when_named_and_when_registered(
    desk: Desk, owner: str, used: bool
) -> None:
    proven(desk, "SES-1")
    ordered(desk, "SES-2", a_number(), iccid=CARD)
    stock = schema.tables["sims"]
    with unit_of_work(desk.engine) as connection:
        add_sims(connection, [NewSim(Iccid(CARD), owner, Imsi("460001234567890"), SimForm.PHYSICAL)], NOW)
        assert standing_of(connection, CARD) == CardStanding(owner, SimState.STOCK)
        if used:
            connection.execute(stock.update().values(state="assigned", line_id="REG-1"))
    assert codes(open_order(desk, a_new_order("SES-1"))) == ["SIM_TAKEN"]
    assert codes(desk.register("SES-2", a_number())) == ["SIM_TAKEN"]


def test_of_many_orders_that_name_a_card_at_once_one_gets_it(desk: Desk) -> None:
    sessions = [f"SES-{rival}" for rival in range(6)]
    for session_id in sessions:
        proven(desk, session_id)
    works = [
        lambda session_id=session_id: open_order(desk, a_new_order(session_id)) for session_id in sessions
    ]
    outcomes = at_once(*works)
    winners = [who for who, got in zip(sessions, outcomes, strict=True) if isinstance(got, OrderTaken)]
    assert len(winners) == 1
    assert holds(desk) == {CARD: winners[0]}
    assert sorted(map(str, (codes(each) for each in outcomes))) == ["['SIM_TAKEN']"] * 5 + ["[]"]


def test_of_many_registrations_with_a_card_at_once_one_gets_it(desk: Desk) -> None:
    """Orders of before cards were kept: only the registration can tell."""
    for turn in range(4):
        card = a_card_of(f"turn {turn}")[0]
        rivals = [(f"SES-{turn}-{rival}", a_number(turn * 10 + rival)) for rival in range(4)]
        for session_id, number in rivals:
            ordered(desk, session_id, number, iccid=card)
        outcomes = at_once(
            *(lambda who=who, number=number: desk.register(who, number) for who, number in rivals)
        )
        (line,) = [got.receipt["line"]["id"] for got in outcomes if isinstance(got, LineRegistered)]
        assert holds(desk)[card] == line
        assert [codes(got) for got in outcomes if not isinstance(got, LineRegistered)] == [["SIM_TAKEN"]] * 3


def test_a_server_too_puts_a_card_into_one_line(desk: Desk) -> None:
    now = datetime.now(UTC)
    rivals = [(f"SES-{rival}", a_number(rival)) for rival in range(5)]
    for session_id, number in rivals:
        ordered(desk, session_id, number, iccid=CARD, now=now)
        proven(desk, session_id, when=now)
    outcomes = asyncio.run(registered_by_a_server(desk, rivals, now))
    assert sum(isinstance(outcome, Kept) for outcome in outcomes) == 1
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one() == 1


STANDINGS = st.builds(
    CardStanding,
    st.sampled_from([None, OPERATOR, "cn-unicom"]),
    st.sampled_from(SimState),
    st.sampled_from([None, "SES-1", "SES-2"]),
    st.sampled_from([None, NOW, NOW + KEPT_FOR]),
    st.sampled_from([None, "REG-1"]),
)


@given(STANDINGS)
def test_a_free_card_is_in_no_line_and_promised_to_nobody_else(card: CardStanding) -> None:
    free = is_card_free(card, operator=OPERATOR, session_id="SES-1", now=NOW)
    in_stock = card.operator is None or (card.operator == OPERATOR and card.state is SimState.STOCK)
    promised = card.held_for != "SES-1" and card.held_until not in {None, NOW}
    assert free == (in_stock and card.line_id is None and not promised)
