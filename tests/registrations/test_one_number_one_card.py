"""What is promised to one is not given to another: kept numbers, cards, terms that took effect meanwhile."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.idempotency import Kept
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import CapScope, Channel, HolderKind, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.numbers import NumberHold, NumberNotGiven, NumberReserved, NumberState
from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderRefused, OrderTaken
from shiming.registrations.model.orders import LineOrder, Representative, RepresentativeRole
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationPolicy
from shiming.registrations.model.sims import CardStanding, NewSim, SimState
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.rules.sims import is_card_free
from shiming.registrations.store import numbers as number_store
from shiming.registrations.store.representation import claim_principal, proxy_principals
from shiming.registrations.store.sims import add_sims, sim_holds, standing_of
from shiming.registrations.store.tables import cap_counters, lines
from shiming.registrations.store.terms import add_terms
from shiming.registrations.use_cases import orders, places
from shiming.registrations.use_cases.drafting import Wanted
from shiming.registrations.use_cases.hot_path import Outcome, open_registrar
from shiming.registrations.use_cases.numbers import reserve_number
from shiming.registrations.use_cases.organisation_lines import register_organisation_lines
from shiming.registrations.use_cases.registering import register_line
from shiming.vocabulary.errors import Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid, Imsi
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_card_of,
    a_desk,
    a_number,
    a_registration_policy,
    a_session,
    add_block,
    an_order,
    prepare_order,
)

RULES = policy_on(read_pack("cn"), NOW.date())
PACK = RegistrationPolicy.of(RULES, number_regions=("CN",), time_zone="Asia/Shanghai")
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
CARD, OTHER_CARD = a_card_of("one")[0], a_card_of("another")[0]
NUMBERS = 8
RIVALS = 3  # who reserve, and as many who register, each number
KEPT_FOR = timedelta(
    minutes=max(RULES.time_limits.session_minutes.value, RULES.numbering.reservation_minutes.value)
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    with unit_of_work(desk.engine) as connection:
        add_block(connection, a_number())
    yield desk
    desk.engine.dispose()


def proven(desk: Desk, session_id: str, *, when: datetime = NOW) -> None:
    session = replace(a_session(session_id, subject=f"p1.{session_id}"), decided_at=when)
    desk.sessions.add(session)
    desk.keep_identity(session, IDENTITY)


def ordered(desk: Desk, session_id: str, number: Msisdn, **changes: Any) -> LineOrder:
    """A proof and a complete order of this session."""
    proven(desk, session_id)
    order = an_order(session_id, number, **changes)
    with unit_of_work(desk.engine) as connection:
        prepare_order(connection, order)
    return order


def reserve(desk: Desk, connection: Connection, number: Msisdn, session_id: str) -> object:
    return reserve_number(
        desk.tools, connection, number, operator=OPERATOR, held_for=session_id, now=NOW, policy=RULES
    )


def keep(desk: Desk, number: Msisdn, session_id: str) -> object:
    return transact(desk.engine, lambda connection: reserve(desk, connection, number, session_id))


def codes(outcome: object) -> list[str]:
    return [refusal.code.value for refusal in getattr(outcome, "refusals", ())]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Begin all at one moment, each in a thread of its own; return their outcomes in order."""
    start = threading.Barrier(len(works), timeout=60)

    def begin(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


# -- a kept number


def test_who_keeps_a_number_and_who_registers_it_never_both_succeed(desk: Desk) -> None:
    for index in range(NUMBERS):
        number = a_number(index)
        keepers = [f"SES-K{index}-{rival}" for rival in range(RIVALS)]
        takers = [f"SES-T{index}-{rival}" for rival in range(RIVALS)]
        for session_id in (*keepers, *takers):
            ordered(desk, session_id, number)
        works: list[Callable[[], object]] = []
        for keeper, taker in zip(keepers, takers, strict=True):
            works += [partial(keep, desk, number, keeper), partial(desk.register, taker, number)]
        outcomes = at_once(*works)
        kept = [
            who for who, got in zip(keepers, outcomes[::2], strict=True) if isinstance(got, NumberReserved)
        ]
        taken = [got for got in outcomes[1::2] if isinstance(got, LineRegistered)]
        assert len(kept) + len(taken) == 1, (kept, taken)
        for keeper in kept:  # what was acknowledged stays good to its end
            assert isinstance(desk.register(keeper, number), LineRegistered)


def test_a_hold_that_is_not_committed_yet_is_waited_for(desk: Desk) -> None:
    """The facts say that the number is free; only the write can know better."""
    ordered(desk, "SES-1", a_number())
    held = threading.Event()

    def keep_slowly() -> None:
        with unit_of_work(desk.engine) as connection:
            assert isinstance(reserve(desk, connection, a_number(), "SES-2"), NumberReserved)
            held.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        keeping = pool.submit(keep_slowly)
        assert held.wait(30)
        assert codes(desk.register("SES-1", a_number())) == ["NUMBER_RESERVED"]
        keeping.result()


def test_a_line_that_is_not_committed_yet_is_waited_for(desk: Desk) -> None:
    ordered(desk, "SES-1", a_number())
    written = threading.Event()

    def register_slowly() -> None:
        with unit_of_work(desk.engine) as connection:
            command = RegisterLine(OPERATOR, a_number(), "SES-1")
            done = register_line(desk.tools, connection, command, policy=PACK, now=NOW)
            assert isinstance(done, LineRegistered)
            written.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        registering = pool.submit(register_slowly)
        assert written.wait(30)
        refused = keep(desk, a_number(), "SES-2")
        assert isinstance(refused, NumberNotGiven)
        assert codes(refused) == ["NUMBER_TAKEN"]
        registering.result()


def test_a_number_at_rest_is_not_registered_while_its_line_is_ending(desk: Desk) -> None:
    ordered(desk, "SES-1", a_number())
    first = desk.register("SES-1", a_number())
    assert isinstance(first, LineRegistered)
    ordered(desk, "SES-2", a_number())
    line_id = first.receipt["line"]["id"]
    _, refused = at_once(lambda: desk.terminate(line_id), lambda: desk.register("SES-2", a_number()))
    assert codes(refused) in (["NUMBER_TAKEN"], ["NUMBER_RESTING"])
    with reading(desk.engine) as connection:
        kept = number_store.number_facts(connection, a_number().reveal("test")).hold
    assert isinstance(kept, NumberHold)
    assert kept.state is NumberState.QUARANTINE


def test_a_server_too_leaves_a_kept_number_to_whom_it_is_kept_for(desk: Desk) -> None:
    """Both drivers of the hot path."""
    now = datetime.now(UTC)
    sessions = [f"SES-{rival}" for rival in range(4)]
    for session_id in sessions:
        ordered(desk, session_id, a_number(), now=now)
        proven(desk, session_id, when=now)
    held = NumberHold(NumberState.RESERVED, OPERATOR, "SES-2", now + timedelta(minutes=5))
    with unit_of_work(desk.engine) as connection:
        assert number_store.hold(connection, a_number().reveal("test"), held, now=now)
    outcomes = asyncio.run(registered_by_a_server(desk, [(each, a_number()) for each in sessions], now))
    assert [isinstance(outcome, Kept) for outcome in outcomes] == [False, False, True, False]


async def registered_by_a_server(
    desk: Desk, wanted: Sequence[tuple[str, Msisdn]], now: datetime
) -> list[Outcome]:
    registrar = open_registrar(desk.tools, desk.engine)
    try:
        return await asyncio.gather(
            *(
                registrar.register(
                    Wanted(
                        RegisterLine(OPERATOR, number, session_id), PACK, now, lambda *_: Kept(201, "{}", {})
                    )
                )
                for session_id, number in wanted
            )
        )
    finally:
        await registrar.close()


# -- a card


def a_new_order(session_id: str, iccid: str = CARD, number: Msisdn | None = None) -> NewOrder:
    details = OrderDetails(number, Iccid(iccid), sim_form=SimForm.PHYSICAL)
    return NewOrder(session_id, OPERATOR, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, details=details)


def open_order(desk: Desk, wanted: NewOrder, now: datetime = NOW) -> OrderTaken | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: orders.open_order(desk.tools, connection, wanted, policy=RULES, now=now),
    )


def on_order(desk: Desk, session_id: str, verb: Callable[..., Any], *more: object) -> Any:
    def work(connection: Connection) -> object:
        order = orders.hold_order(connection, session_id, operator=OPERATOR)
        return verb(desk.tools, connection, order, *more, policy=RULES, now=NOW)

    return transact(desk.engine, work)


def holds(desk: Desk) -> dict[str, str]:
    """Whose the cards are: of a line for good, or of an order."""
    with reading(desk.engine) as connection:
        return {row.iccid: row.line_id or row.session_id for row in connection.execute(sim_holds.select())}


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


# -- terms, what an order keeps, receipts, holders above the cap


def publish(desk: Desk, version: str, since: datetime, content_hash: str) -> None:
    terms = Terms(OPERATOR, version, since.date(), Text(zh="服务协议", en="Terms"), ())
    with unit_of_work(desk.engine) as connection:
        assert add_terms(connection, PublishedTerms(terms, content_hash, NOW))


def test_terms_that_took_effect_since_they_were_accepted_are_accepted_anew(desk: Desk) -> None:
    accepted = ordered(desk, "SES-1", a_number()).terms
    assert accepted is not None
    publish(desk, "1", NOW - timedelta(days=9), accepted.content_hash)
    publish(desk, "3", NOW + timedelta(days=9), "sha256:of-later")  # of a day to come
    ordered(desk, "SES-2", a_number(2))
    assert isinstance(desk.register("SES-2", a_number(2)), LineRegistered)
    publish(desk, "2", NOW, "sha256:of-today")
    assert codes(desk.register("SES-1", a_number())) == ["TERMS_VERSION_NOT_CURRENT"]
    ordered(desk, "SES-3", a_number(3), terms=replace(accepted, version="2", content_hash="sha256:of-today"))
    assert isinstance(desk.register("SES-3", a_number(3)), LineRegistered)


def test_an_abandoned_order_lets_go_at_once_of_all_that_it_kept(desk: Desk) -> None:
    for session_id in ("SES-1", "SES-2"):
        proven(desk, session_id)
    wanted = a_new_order("SES-1", CARD, a_number())
    assert isinstance(open_order(desk, wanted), OrderTaken)
    assert isinstance(keep(desk, a_number(), "SES-1"), NumberReserved)
    assert isinstance(keep(desk, a_number(9), "SES-2"), NumberReserved)

    def act(connection: Connection) -> None:
        order = orders.hold_order(connection, "SES-1", operator=OPERATOR)
        places.keep_place(desk.tools, connection, order, policy=PACK, now=NOW)
        for session_id in ("SES-1", "SES-2"):
            claim_principal(
                connection,
                session_id,
                operator=OPERATOR,
                proxy="p1.proxy",
                principal=session_id,
                now=NOW,
                held_until=NOW + KEPT_FOR,
            )

    transact(desk.engine, act)
    assert on_order(desk, "SES-1", orders.abandon_order) is None
    assert holds(desk) == {}
    with reading(desk.engine) as connection:
        claims = connection.execute(sa.select(proxy_principals.c.session_id)).scalars().all()
        left = connection.execute(sa.select(schema.tables["line_orders"].c.session_id)).scalars().all()
        held = number_store.number_facts(connection, a_number().reveal("test")).hold
        of_other = number_store.number_facts(connection, a_number(9).reveal("test")).hold
        told = connection.execute(sa.select(schema.tables["outbox"].c.type)).scalars().all()
    assert (claims, left, held) == (["SES-2"], [], None)
    assert of_other is not None
    assert sorted(told).count("number.released") == 1
    assert isinstance(keep(desk, a_number(), "SES-2"), NumberReserved)
    assert isinstance(open_order(desk, replace(wanted, session_id="SES-2")), OrderTaken)


def test_a_receipt_names_who_acted_and_the_organisation(desk: Desk) -> None:
    behalf = Representative(RepresentativeRole.HANDLER, "SES-1", "p1.SES-1", "EVD-power-of-attorney")
    proven(desk, "SES-1")
    order = an_order(
        "SES-1",
        identifier=None,
        representative=behalf,
        holder_kind=HolderKind.ORGANISATION,
        organisation="ORG-1",
    )
    (line,) = transact(
        desk.engine,
        lambda connection: register_organisation_lines(
            desk.tools,
            connection,
            replace(order, identifier=None, confirmation=None),
            [OrganisationLine(a_number())],
            standing=OrganisationStanding("ORG-1", lines_confirmed=1),
            policy=PACK,
            now=NOW,
        ),
    )
    with reading(desk.engine) as connection:
        (text,) = connection.execute(sa.select(schema.tables["registrations"].c.receipt)).scalars()
    assert '"organisation":"ORG-1"' in text, line
    named = (
        '"representative":{"authority_evidence":"EVD-power-of-attorney","role":"handler","session":"SES-1"}'
    )
    assert named in text
    ordered(desk, "SES-2", a_number(2))
    own = desk.register("SES-2", a_number(2))
    assert isinstance(own, LineRegistered)
    assert (own.receipt["representative"], own.receipt["organisation"]) == (None, None)


def test_an_operator_sees_of_holders_above_a_national_cap_those_of_its_own_lines(desk: Desk) -> None:
    generous = desk.under(a_registration_policy(5, scope=CapScope.NATIONAL))
    for person, operator in (("p1.a", OPERATOR), ("p1.b", "cn-unicom")):
        for index in range(2):
            number = a_number(index + 10 * (person == "p1.b"))
            generous.register_for(person, f"SES-{person}{index}".replace(".", ""), number, operator=operator)
    lowered = a_registration_policy(1, scope=CapScope.NATIONAL)
    with reading(desk.engine) as connection:
        assert len(connection.execute(cap_counters.select()).all()) == 2
        seen = {
            operator: [
                over.subject for over in places.list_over_cap(connection, lowered, operator=operator, limit=9)
            ]
            for operator in (None, OPERATOR, "cn-unicom", "cn-telecom")
        }
    assert seen == {None: ["p1.a", "p1.b"], OPERATOR: ["p1.a"], "cn-unicom": ["p1.b"], "cn-telecom": []}
