"""Orders on both engines: gathered, registered, given up; places kept; reviews; lines of organisations."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.idempotency import Kept, Repeated, idempotency_keys
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Channel, HolderKind, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord, LeafRef, LedgerVerified
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import Line, LineKind, SimForm
from shiming.registrations.model.ordering import (
    NewOrder,
    OrderDetails,
    OrderRefused,
    OrderTaken,
    PlaceKept,
    ReviewDecision,
)
from shiming.registrations.model.orders import LineOrder, Representative, RepresentativeRole
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import (
    LineRegistered,
    RegisterLine,
    RegistrationPolicy,
    RegistrationRefused,
    ReviewRequired,
)
from shiming.registrations.store.orders import change_order
from shiming.registrations.store.tables import cap_counters, lines
from shiming.registrations.use_cases import orders, places, reviews
from shiming.registrations.use_cases.drafting import ClientKey, Wanted
from shiming.registrations.use_cases.hot_path import Outcome, open_registrar
from shiming.registrations.use_cases.organisation_lines import register_organisation_lines
from shiming.registrations.use_cases.registering import register_line
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import ReasonCode
from shiming.vocabulary.sim_identifiers import Iccid
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    ICCID,
    OPERATOR,
    Desk,
    a_card_of,
    a_desk,
    a_line_cap_policy,
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
PERSON = "p1.someone"


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    yield desk
    desk.engine.dispose()


def proven(desk: Desk, *sessions: str, subject: str = PERSON) -> None:
    for session_id in sessions:
        desk.sessions.add(a_session(session_id, subject=subject))
        desk.keep_identity(a_session(session_id, subject=subject), IDENTITY)


def prepared(desk: Desk, *made: LineOrder) -> None:
    with unit_of_work(desk.engine) as connection:
        for order in made:
            prepare_order(connection, order)


def a_new_order(session_id: str = "SES-1", number: Msisdn | None = None) -> NewOrder:
    details = OrderDetails(number or a_number(), Iccid.parse(ICCID), sim_form=SimForm.ESIM)
    return NewOrder(session_id, OPERATOR, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, details=details)


def opened(desk: Desk, wanted: NewOrder) -> OrderTaken | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: orders.open_order(desk.tools, connection, wanted, policy=RULES, now=NOW),
    )


def keep(desk: Desk, session_id: str, *, minutes: int = 0) -> PlaceKept | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: places.keep_place(
            desk.tools,
            connection,
            orders.hold_order(connection, session_id, operator=None),
            policy=desk.policy,
            now=NOW + timedelta(minutes=minutes),
        ),
    )


def codes(outcome: object) -> list[ReasonCode]:
    assert isinstance(outcome, RegistrationRefused | OrderRefused), outcome
    return [refusal.code for refusal in outcome.refusals]


def kinds_of_events(desk: Desk) -> list[str]:
    with reading(desk.engine) as connection:
        return list(connection.execute(sa.select(outbox.c.type).order_by(outbox.c.type)).scalars())


def test_an_order_is_opened_once_and_changed_until_it_is_registered(desk: Desk) -> None:
    proven(desk, "SES-1")
    first = opened(desk, a_new_order())
    assert isinstance(first, OrderTaken)
    assert first.order.category == "adult"
    again = opened(desk, a_new_order())
    assert isinstance(again, OrderTaken)
    assert again.repeated
    with pytest.raises(BadInput, match="ORDER_EXISTS"):
        opened(desk, replace(a_new_order(), channel=Channel.ONLINE))
    with unit_of_work(desk.engine) as connection:
        change_order(
            connection,
            "SES-1",
            confirmed_identifier="+8613800000000",
            confirmation_method="read_back",
            confirmed_at=NOW,
        )
        order = orders.hold_order(connection, "SES-1", operator=OPERATOR)
        assert order.confirmation is not None
        details = OrderDetails(a_number(1), install_address="北京市  朝阳区")
        changed = orders.change_order(desk.tools, connection, order, details, policy=RULES, now=NOW)
    assert isinstance(changed, OrderTaken)
    assert changed.order.confirmation is None  # it was of another number
    assert changed.order.identifier == a_number(1)
    assert changed.order.iccid == ICCID
    assert str(changed.order.install_address).startswith("EVD-")
    with reading(desk.engine) as connection:
        assert orders.find_order(connection, "SES-1", operator=None) == changed.order
        assert orders.find_order(connection, "SES-1", operator="cn-unicom") is None
        leaves = " ".join(connection.execute(sa.select(ledger_leaves.c.leaf)).scalars())
    assert "朝阳" not in leaves
    assert kinds_of_events(desk) == ["order.changed", "order.opened"]
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def test_an_order_is_refused_or_not_found_where_the_session_is(desk: Desk) -> None:
    with pytest.raises(BadInput, match="SESSION_UNKNOWN"):
        opened(desk, a_new_order("SES-nobody"))
    desk.sessions.add(
        replace(a_session("SES-2"), operator="cn-unicom"), replace(a_session("SES-3"), consumed_by="REG-1")
    )
    with pytest.raises(BadInput, match="SESSION_UNKNOWN"):
        opened(desk, a_new_order("SES-2"))
    assert codes(opened(desk, a_new_order("SES-3"))) == [RefusalCode.SESSION_CONSUMED]
    desk.sessions.add(a_session("SES-1"))
    small = replace(a_new_order(), product_class=ProductClass.IOT_SMALL, channel=Channel.ONLINE)
    assert codes(opened(desk, small)) == [
        OrderRefusal.HOLDER_KIND_NOT_ALLOWED,
        OrderRefusal.CHANNEL_NOT_ALLOWED,
        OrderRefusal.CHANNEL_NOT_OF_SESSION,
    ]
    with pytest.raises(BadInput, match="INSTALL_ADDRESS_FORMAT"):
        opened(desk, replace(a_new_order(), details=OrderDetails(install_address=" ")))
    with pytest.raises(BadInput, match="ORDER_UNKNOWN"), unit_of_work(desk.engine) as connection:
        orders.hold_order(connection, "SES-1", operator=None)


def test_an_order_that_lacks_nothing_is_registered_as_ordered(desk: Desk) -> None:
    proven(desk, "SES-1")
    prepared(desk, an_order())
    outcome = desk.register("SES-1", a_number())
    assert isinstance(outcome, LineRegistered), outcome
    assert (outcome.receipt["line"]["status"], outcome.receipt["line"]["kind"]) == ("pending", "mobile")
    assert outcome.receipt["contract"]["terms"]["version"] == "1"
    assert outcome.receipt["contract"]["confirmed"]["how"] == "read_back"
    assert [rule["rule"] for rule in outcome.receipt["rules"]] == [
        "line_cap",
        "session_usable",
        "entry",
        "number_free",
    ]
    with reading(desk.engine) as connection:
        row = connection.execute(lines.select()).one()
    assert (row.kind, row.cap_name, row.cap_scope, row.status, row.position) == (
        "mobile",
        "cards",
        f"operator:{OPERATOR}",
        "pending",
        1,
    )


def test_cards_of_both_kinds_share_a_cap_and_internet_has_its_own(desk: Desk) -> None:
    made = []
    for index in range(5):  # on several days: two a day are enough
        session_id, now = f"SES-{index}", NOW + timedelta(days=index)
        proven(desk, session_id)
        desk.sessions.add(replace(a_session(session_id), decided_at=now))
        number = a_number(index + 10_000_000 * (index % 2))  # another block: of data cards
        order = an_order(session_id, number, now=now)
        if index % 2:
            order = replace(order, kind=LineKind.DATA_CARD, product_class=ProductClass.DATA)
        prepared(desk, order)
        made.append(desk.register(session_id, number, now=now))
    assert all(isinstance(outcome, LineRegistered) for outcome in made), made
    later = NOW + timedelta(days=6)
    account = AccessAccount.parse("gz0755123@example.net")
    for session_id in ("SES-6", "SES-7"):
        proven(desk, session_id)
        desk.sessions.add(replace(a_session(session_id), decided_at=later))
    internet = replace(
        an_order("SES-7", account), kind=LineKind.INTERNET, product_class=ProductClass.INTERNET,
        install_address="EVD-1",
    )  # fmt: skip
    prepared(desk, an_order("SES-6", a_number(6)), internet)
    assert codes(desk.register("SES-6", a_number(6), now=later)) == [RefusalCode.CAP_REACHED]
    command = RegisterLine(OPERATOR, account, "SES-7")
    outcome = transact(
        desk.engine,
        lambda connection: register_line(desk.tools, connection, command, policy=PACK, now=later),
    )
    assert isinstance(outcome, LineRegistered), outcome
    assert outcome.active == 1


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


def two_places() -> RegistrationPolicy:
    return replace(PACK, caps=a_registration_policy(2).caps)


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


def an_internet_order(session_id: str, index: int) -> LineOrder:
    account = AccessAccount.parse(f"gz{index:06d}@example.net")
    return replace(
        an_order(session_id, account),
        kind=LineKind.INTERNET,
        product_class=ProductClass.INTERNET,
        install_address="EVD-1",
    )


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


ORG = "ORG-0082-0C20-A1G7-D"


def organisation_order(session_id: str = "SES-1") -> LineOrder:
    return replace(
        an_order(session_id), identifier=None, confirmation=None,
        holder_kind=HolderKind.ORGANISATION, organisation=ORG,
    )  # fmt: skip


def test_an_organisation_opens_as_many_lines_as_its_handler_confirmed(desk: Desk) -> None:
    proven(desk, "SES-1")
    with unit_of_work(desk.engine) as connection:
        add_block(connection, a_number())

    def open_lines(*numbers: int) -> tuple[Line | RegistrationRefused, ...]:
        wanted = [OrganisationLine(a_number(n), iccid=a_card_of(f"card {n}")[0]) for n in numbers]
        standing = OrganisationStanding(ORG, lines_confirmed=3)
        return transact(
            desk.engine,
            lambda connection: register_organisation_lines(
                desk.tools, connection, organisation_order(), wanted,
                standing=standing, policy=PACK, now=NOW,
            ),
        )  # fmt: skip

    first = open_lines(1, 2)
    assert [line.position for line in first if isinstance(line, Line)] == [1, 2]
    assert {line.subject for line in first if isinstance(line, Line)} == {ORG}
    again = open_lines(2, 3, 4)
    assert [line.position for line in again if isinstance(line, Line)] == [2, 3]
    assert codes(again[2]) == [OrderRefusal.LINES_NOT_CONFIRMED]
    assert kinds_of_events(desk).count("line.registered") == 3
    with reading(desk.engine) as connection:
        assert connection.execute(cap_counters.select()).all() == []  # such lines are not counted
    assert codes(desk.register("SES-1", a_number(7)))[0] is RefusalCode.SESSION_CONSUMED
    line = first[0]
    assert isinstance(line, Line)
    desk.terminate(line.line_id)
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def reply(line: Line, leaf: LeafRef) -> Kept:
    return Kept(201, f'{{"line": "{line.line_id}", "leaf": "{leaf.leaf_id}"}}')


def serve(desk: Desk, *wanted: Wanted) -> list[Outcome]:
    async def work() -> list[Outcome]:
        registrar = open_registrar(desk.tools, desk.engine)
        try:
            return [await registrar.register(each) for each in wanted]
        finally:
            await registrar.close()

    return asyncio.run(work())


def test_servers_register_orders_by_the_short_way_and_by_the_long_way(desk: Desk) -> None:
    proven(desk, "SES-1", "SES-2", "SES-3")
    behalf = Representative(RepresentativeRole.PROXY, "SES-9")
    prepared(
        desk,
        an_order("SES-1", a_number(1)),
        replace(an_order("SES-2", a_number(2)), representative=behalf),
        organisation_order("SES-3"),
    )
    wanted = [
        Wanted(
            RegisterLine(OPERATOR, a_number(n), f"SES-{n}"),
            PACK,
            NOW,
            reply,
            ClientKey("CLI-1", f"k{n}", "h"),
        )
        for n in (1, 2, 3)
    ]
    short, proxy, organisation = serve(desk, *wanted)
    assert isinstance(short, Kept), short
    assert "REPRESENTATIVE_UNKNOWN" in codes(proxy)
    assert codes(organisation) == [OrderRefusal.ORGANISATION_NOT_EXAMINED]
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(idempotency_keys.c.key)).scalars().all() == ["k1"]
    (again,) = serve(desk, wanted[0])
    assert isinstance(again, Repeated)
    assert again.text == short.text


def test_what_takes_the_long_way_is_answered_once(desk: Desk) -> None:
    """Under rules without orders an order with a representative still goes the long way, and is kept."""
    desk = desk.under(a_registration_policy())
    desk.sessions.add(a_session("SES-1"))
    behalf = Representative(RepresentativeRole.PROXY, "SES-9")
    prepared(desk, replace(an_order("SES-1"), representative=behalf))
    key = ClientKey("CLI-1", "k", "h")
    wanted = Wanted(RegisterLine(OPERATOR, a_number(), "SES-1"), desk.policy, NOW, reply, key)
    first, again = serve(desk, wanted, wanted)
    assert isinstance(first, Kept)
    assert not isinstance(first, Repeated)
    assert isinstance(again, Repeated)
    assert again.text == first.text
    (other_key,) = serve(desk, replace(wanted, key=ClientKey("CLI-1", "k2", "h")))
    assert isinstance(other_key, Repeated)
