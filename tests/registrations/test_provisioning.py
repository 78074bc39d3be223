"""Orders follow what the registry says, one after the other, and are settled once; on both engines."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shiming.entrypoints.listeners import LISTENERS
from shiming.entrypoints.provisioning_jobs import OCCASIONS, ORDER, PROVISIONED
from shiming.infrastructure.database import transact, unit_of_work
from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderAction, OrderState, ServiceOrder
from shiming.registrations.ports.bss import BssEndpoint, OrderRefused, OrderTaken, OrderWanted
from shiming.registrations.sandbox_bss.faults import Fault, Faults
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.store.sims import sim_uses, sims
from shiming.registrations.use_cases.bss_endpoints import remove_bss
from shiming.registrations.use_cases.order_progress import settle
from shiming.registrations.use_cases.provisioning import request_profile
from shiming.registrations.use_cases.service_orders import confirm_by_hand, network_state, retry_order
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from tests.registrations.provisioning_builders import OPERATOR, Network, a_closed_network, follow

COMPLETED = OrderState.COMPLETED


@pytest.fixture
def bss() -> FakeBss:
    return FakeBss()


@pytest.fixture
def network(tmp_path: Path, database_url: str, bss: FakeBss) -> Iterator[Network]:
    with a_closed_network(tmp_path, database_url, bss) as found:
        yield found


def actions(network: Network, line_id: str) -> list[tuple[OrderAction, OrderState]]:
    return [(order.action, order.state) for order in network.orders(line_id)]


def test_a_line_is_active_after_the_network_said_so_and_not_before(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    network.work_off()
    (order,) = network.orders("REG-1")
    assert (order.state, order.action, order.attempts) == (OrderState.ACKNOWLEDGED, OrderAction.ADD, 1)
    assert network.line("REG-1").status is LineStatus.PENDING
    bss.work()
    network.later(timedelta(minutes=3))
    network.work_off()
    assert network.line("REG-1").status is LineStatus.ACTIVE
    assert actions(network, "REG-1") == [(OrderAction.ADD, COMPLETED)]
    assert len(network.events("service_order.completed")) == 1
    assert isinstance(verify_ledger(network.engine, network.desk.vault.keys), LedgerVerified)


def test_the_number_goes_to_the_bss_and_nowhere_else(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    network.work_off()
    number = network.line("REG-1").number.reveal("compare")
    sent = bss.book.find_external(network.orders("REG-1")[0].order_id)
    assert sent is not None
    assert sent["serviceOrderItem"][0]["service"]["supportingResource"][0]["id"] == number
    assert not any(number in event.facts_text() for event in network.events("service_order.created"))
    assert number not in str(network.orders("REG-1")[0].to_json())


def test_a_stop_a_resumption_and_an_end_are_ordered_in_their_order(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    for status in (LineStatus.ONE_WAY_STOPPED, LineStatus.TWO_WAY_STOPPED, LineStatus.ACTIVE):
        network.set_status("REG-1", status)
        follow(network, bss)
    network.set_status("REG-1", LineStatus.TERMINATED)
    follow(network, bss)
    assert [action for action, state in actions(network, "REG-1") if state is COMPLETED] == [
        OrderAction.ADD,
        OrderAction.SUSPEND,
        OrderAction.SUSPEND,
        OrderAction.RESUME,
        OrderAction.DELETE,
    ]
    service = bss.book.service("REG-1")
    assert service is not None
    assert service["state"] == "terminated"


def test_while_one_order_is_with_the_network_the_next_one_waits(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    network.work_off()
    network.set_status("REG-1", LineStatus.TWO_WAY_STOPPED)
    network.work_off()
    assert [state for _, state in actions(network, "REG-1")] == [OrderState.ACKNOWLEDGED, OrderState.WAITING]
    follow(network, bss)
    assert [state for _, state in actions(network, "REG-1")] == [COMPLETED, COMPLETED]
    with network.engine.connect() as connection:
        said = network_state(connection, "REG-1", OPERATOR)
    assert said is not None
    assert said.status is LineStatus.TWO_WAY_STOPPED


def test_an_event_that_comes_twice_or_late_orders_nothing_more(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    for _ in range(2):
        transact(
            network.engine,
            lambda c: emit(c, Event("line.status_changed", "REG-1", OPERATOR, network.now)),
        )
        network.work_off()
    assert len(network.orders("REG-1")) == 1


def test_without_a_bss_an_order_is_held_visibly_and_only_a_person_confirms_it(network: Network) -> None:
    network.register("REG-1")
    network.work_off()
    (order,) = network.orders("REG-1", OrderState.HELD)
    assert order.reason == "NO_BSS"
    network.sweep()
    assert network.line("REG-1").status is LineStatus.PENDING
    with pytest.raises(BadInput, match="CONFIRMATION_REFERENCE_INVALID"):
        confirm(network, order.order_id, "13800138000")
    confirm(network, order.order_id, "TICKET-7")
    assert network.line("REG-1").status is LineStatus.ACTIVE
    assert network.orders("REG-1")[0].confirmation == "TICKET-7"
    with pytest.raises(BadInput, match="SERVICE_ORDER_NOT_HELD"):
        confirm(network, order.order_id, "TICKET-8")
    with pytest.raises(BadInput, match="SERVICE_ORDER_UNKNOWN"):
        confirm(network, "PRV-none", "TICKET-8")


def confirm(network: Network, order_id: str, reference: str) -> None:
    transact(
        network.engine,
        lambda c: confirm_by_hand(
            network.tools, c, order_id, reference=reference, by="ACC-1", now=network.now
        ),
    )


def test_held_orders_go_out_when_the_operator_names_a_bss(network: Network, bss: FakeBss) -> None:
    network.register("REG-1", "REG-2")
    network.work_off()
    network.connect()
    with pytest.raises(BadInput, match="SERVICE_ORDER_NOT_HELD"):
        confirm(network, network.orders("REG-1")[0].order_id, "TICKET-7")
    follow(network, bss)
    assert {network.line(line).status for line in ("REG-1", "REG-2")} == {LineStatus.ACTIVE}


def test_a_bss_that_was_removed_leaves_orders_waiting(network: Network) -> None:
    network.connect()
    transact(network.engine, lambda c: remove_bss(network.tools, c, operator=OPERATOR, now=network.now))
    with pytest.raises(BadInput, match="BSS_UNKNOWN"):
        transact(network.engine, lambda c: remove_bss(network.tools, c, operator=OPERATOR, now=network.now))
    network.register("REG-1")
    network.work_off()
    assert network.orders("REG-1")[0].state is OrderState.HELD


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.FAIL])
def test_a_no_of_the_network_ends_in_a_visible_failure_and_a_retry(
    network: Network, bss: FakeBss, fault: Fault
) -> None:
    network.connect()
    bss.faults = Faults({fault: 1.0})
    network.register("REG-1")
    follow(network, bss)
    (failed,) = network.orders("REG-1", OrderState.FAILED)
    assert failed.reason in {"SERVICE_NOT_POSSIBLE", "NETWORK_ELEMENT_FAILED"}
    assert network.line("REG-1").status is LineStatus.PENDING
    assert [event.facts["reason"] for event in network.events("service_order.failed")] == [failed.reason]
    network.set_status("REG-1", LineStatus.PENDING)  # an event that changes nothing
    follow(network, bss)
    bss.faults = Faults()
    transact(network.engine, lambda c: retry_order(network.tools, c, failed.order_id, now=network.now))
    follow(network, bss)
    assert network.line("REG-1").status is LineStatus.ACTIVE
    with pytest.raises(BadInput, match="SERVICE_ORDER_NOT_FAILED"):
        transact(
            network.engine,
            lambda c: retry_order(network.tools, c, network.orders("REG-1")[-1].order_id, now=network.now),
        )
    with pytest.raises(BadInput, match="SERVICE_ORDER_UNKNOWN"):
        transact(network.engine, lambda c: retry_order(network.tools, c, "PRV-none", now=network.now))


def test_after_a_refused_addition_changes_wait_and_a_retry_orders_the_present_state(
    network: Network, bss: FakeBss
) -> None:
    network.connect()
    bss.faults = Faults({Fault.REFUSE: 1.0})
    network.register("REG-1", status="active")
    follow(network, bss)
    network.set_status("REG-1", LineStatus.TWO_WAY_STOPPED)
    follow(network, bss)
    waiting = network.orders("REG-1")[-1]
    assert (waiting.state, waiting.reason) == (OrderState.WAITING, "NOT_IN_NETWORK")
    bss.faults = Faults()
    failed = network.orders("REG-1")[0]
    transact(network.engine, lambda c: retry_order(network.tools, c, failed.order_id, now=network.now))
    follow(network, bss)
    assert actions(network, "REG-1")[1:] == [
        (OrderAction.SUSPEND, OrderState.CANCELLED),
        (OrderAction.ADD, COMPLETED),
    ]
    service = bss.book.service("REG-1")
    assert service is not None
    assert service["state"] == "inactive"


def test_a_line_that_ends_before_the_network_knew_it_is_not_ordered_at_all(
    network: Network, bss: FakeBss
) -> None:
    network.register("REG-1")
    network.work_off()
    network.set_status("REG-1", LineStatus.TERMINATED)
    network.work_off()
    assert {state for _, state in actions(network, "REG-1")} == {OrderState.CANCELLED}
    network.connect()
    follow(network, bss)
    assert bss.book.service("REG-1") is None


def test_a_profile_is_ordered_and_a_temporary_bar_is_lifted_by_itself(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    until = network.now + timedelta(hours=24)
    ask_profile(network, {"sms": True, "apns": ["iot.example"]}, until=None, source="fence")
    ask_profile(network, {"sms": False}, until=until, source="sim_swap")
    follow(network, bss)
    assert characteristics(bss)["sms"] is False
    assert characteristics(bss)["apns"] == ["iot.example"]
    network.later(until - network.now - timedelta(seconds=1))
    orders = len(network.orders("REG-1"))
    network.sweep()
    assert len(network.orders("REG-1")) == orders
    network.later(timedelta(seconds=1))
    network.sweep()
    follow(network, bss)
    assert characteristics(bss)["sms"] is True
    network.sweep()
    assert len(network.orders("REG-1")) == orders + 1


def ask_profile(network: Network, profile: dict[str, object], **named: object) -> None:
    transact(
        network.engine,
        lambda c: request_profile(c, "REG-1", profile, now=network.now, **named),  # type: ignore[arg-type] # named by the test
    )


def characteristics(bss: FakeBss) -> dict[str, object]:
    service = bss.book.service("REG-1")
    assert service is not None
    return {each["name"]: each["value"] for each in service["serviceCharacteristic"]}


@pytest.mark.parametrize(
    "profile", [{"Status": 1}, {"status": "active"}, {"a": float("nan")}, {"a": {1}}, {"a": "x" * 20_001}]
)
def test_a_profile_that_no_network_could_follow_is_refused(
    network: Network, profile: dict[str, object]
) -> None:
    network.register("REG-1")
    with pytest.raises(BadInput, match="PROFILE_INVALID"):
        ask_profile(network, profile, until=None)


def test_a_profile_for_no_line_is_refused(network: Network) -> None:
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        ask_profile(network, {"sms": False}, until=None)


@pytest.mark.parametrize("kind", sorted(OCCASIONS))
def test_a_new_holder_or_place_is_ordered_once(network: Network, bss: FakeBss, kind: str) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    event = Event(kind, "REG-1", OPERATOR, network.now)
    transact(network.engine, lambda c: emit(c, event))
    follow(network, bss)
    assert actions(network, "REG-1")[1:] == [(OrderAction.MODIFY, COMPLETED)]
    assert network.orders("REG-1")[-1].desired.occasion == event.event_id


def test_a_card_is_ordered_when_it_comes_into_the_line_and_when_it_is_replaced(
    network: Network, bss: FakeBss
) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    for position, event in enumerate(("line.sim_assigned", "line.sim_replaced", "line.sim_replaced"), 1):
        if position < 3:  # the third event tells of no other card
            put_card(network, "REG-1", position)
        tell(network, event)
        follow(network, bss)
    assert [action for action, _ in actions(network, "REG-1")] == [
        OrderAction.ADD,
        OrderAction.MODIFY,
        OrderAction.MODIFY,
    ]
    service = bss.book.service("REG-1")
    assert service is not None
    cards = [each["id"] for each in service["supportingResource"] if each["name"] == "ICCID"]
    assert cards == [f"8986000000000000000{2}"]
    assert cards[0] not in str([order.to_json() for order in network.orders("REG-1")])


def tell(network: Network, kind: str) -> None:
    transact(network.engine, lambda c: emit(c, Event(kind, "REG-1", OPERATOR, network.now)))


def put_card(network: Network, line_id: str, position: int) -> None:
    """Write a card into a line as its replacement leaves it."""
    iccid = f"8986000000000000000{position}"
    with unit_of_work(network.engine) as connection:
        connection.execute(sim_uses.update().where(sim_uses.c.line_id == line_id).values(until=network.now))
        card = {"iccid": iccid, "operator": OPERATOR, "imsi": f"46000000000000{position}", "form": "physical"}
        connection.execute(
            sims.insert().values(card | {"state": "assigned", "line_id": line_id, "added_at": network.now})
        )
        use = {"line_id": line_id, "position": position, "operator": OPERATOR, "iccid": iccid}
        connection.execute(sim_uses.insert().values(use | {"since": network.now}))


def test_every_event_that_matters_to_the_network_is_listened_to() -> None:
    for kind in PROVISIONED:
        assert ORDER in LISTENERS[kind]


def test_reports_that_repeat_or_come_late_change_nothing(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    follow(network, bss)
    (order,) = network.orders("REG-1")
    for state in (OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS, COMPLETED, OrderState.FAILED):
        assert report(network, order.order_id, state) is None
    assert network.orders("REG-1") == (order,)
    assert len(network.events("service_order.completed")) == 1


def report(network: Network, order_id: str, state: OrderState) -> ServiceOrder | None:
    return transact(network.engine, lambda c: settle(network.tools, c, order_id, state, now=network.now))


def test_an_order_that_the_bss_lost_is_sent_again(network: Network, bss: FakeBss) -> None:
    network.connect()
    network.register("REG-1")
    network.work_off()
    bss.book = FakeBss().book
    follow(network, bss)
    assert network.line("REG-1").status is LineStatus.ACTIVE
    assert network.orders("REG-1")[0].attempts == 2


class Forgetful(FakeBss):
    """Takes an order, and its answer is lost: what a worker leaves that dies between order and note."""

    placed = 0

    def place_order(self, bss: BssEndpoint, wanted: OrderWanted) -> OrderTaken | OrderRefused:
        taken = super().place_order(bss, wanted)
        self.placed += 1
        if self.placed == 1:
            raise Unavailable("BSS_UNAVAILABLE", Text(zh="", en=""), details={"reason": "TIMEOUT"})
        return taken


def test_an_order_whose_answer_was_lost_is_looked_up_and_not_sent_twice(
    tmp_path: Path, database_url: str
) -> None:
    bss = Forgetful()
    with a_closed_network(tmp_path, database_url, bss) as network:
        network.connect()
        network.register("REG-1")
        network.work_off()
        (waiting,) = network.orders("REG-1")
        assert (waiting.state, waiting.reason) == (OrderState.WAITING, "TIMEOUT")
        network.later(timedelta(minutes=1))
        follow(network, bss)
        assert network.line("REG-1").status is LineStatus.ACTIVE
        assert bss.placed == 1


def test_the_fake_says_that_it_is_one(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        FakeBss()
    assert "FAKE BSS IN USE" in caplog.text
