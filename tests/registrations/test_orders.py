"""Orders on both engines: gathered, changed, refused, registered; lines of organisations."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.jurisdictions.model import Channel, ProductClass
from shiming.privacy.model import LedgerVerified
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import Line, LineKind
from shiming.registrations.model.ordering import OrderDetails, OrderTaken
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationRefused
from shiming.registrations.store.orders import change_order
from shiming.registrations.store.tables import cap_counters, lines
from shiming.registrations.use_cases import orders
from shiming.registrations.use_cases.organisation_lines import register_organisation_lines
from shiming.registrations.use_cases.registering import register_line
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    ICCID,
    OPERATOR,
    Desk,
    a_card_of,
    a_desk,
    a_number,
    a_session,
    add_block,
    an_order,
)
from tests.registrations.orders_builders import (
    ORG,
    PACK,
    RULES,
    a_new_order,
    codes,
    kinds_of_events,
    opened,
    organisation_order,
    prepared,
    proven,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    yield desk
    desk.engine.dispose()


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
