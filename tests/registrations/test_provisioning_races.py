"""Several workers and callbacks at once, on both engines: one order, one end, the newest state last."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shiming.infrastructure.database import transact
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderAction, OrderState, ServiceOrder
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.use_cases.order_progress import settle
from shiming.registrations.use_cases.service_orders import confirm_by_hand, order_line
from shiming.vocabulary.errors import BadInput
from tests.registrations.provisioning_builders import Network, a_closed_network, follow

THREADS = 6
STATUSES = (LineStatus.ONE_WAY_STOPPED, LineStatus.TWO_WAY_STOPPED, LineStatus.ACTIVE) * 4


@pytest.fixture
def bss() -> FakeBss:
    return FakeBss()


@pytest.fixture
def network(tmp_path: Path, database_url: str, bss: FakeBss) -> Iterator[Network]:
    with a_closed_network(tmp_path, database_url, bss) as found:
        yield found


def at_once(work: Callable[[int], object]) -> list[object]:
    barrier = threading.Barrier(THREADS)

    def one(number: int) -> object:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_many_events_about_one_line_make_one_order(network: Network) -> None:
    network.register("REG-1")

    def order(_: int) -> ServiceOrder | None:
        return transact(network.engine, lambda c: order_line(network.tools, c, "REG-1", now=network.now))

    made = at_once(order)
    assert sum(each is not None for each in made) == 1
    assert [each.action for each in network.orders("REG-1")] == [OrderAction.ADD]


def test_of_many_reports_at_once_one_ends_the_order(network: Network) -> None:
    network.connect()
    network.register("REG-1")
    network.work_off()
    (order,) = network.orders("REG-1")

    def report(number: int) -> ServiceOrder | None:
        state = OrderState.FAILED if number % 2 else OrderState.COMPLETED
        return transact(
            network.engine, lambda c: settle(network.tools, c, order.order_id, state, now=network.now)
        )

    assert sum(each is not None for each in at_once(report)) == 1
    completed = network.events("service_order.completed")
    assert len(completed) + len(network.events("service_order.failed")) == 1
    active = network.line("REG-1").status is LineStatus.ACTIVE
    assert active == bool(completed)


def test_of_many_hands_one_confirms(network: Network) -> None:
    network.register("REG-1")
    network.work_off()
    (order,) = network.orders("REG-1")

    def confirm(number: int) -> bool:
        try:
            transact(
                network.engine,
                lambda c: confirm_by_hand(
                    network.tools, c, order.order_id, reference=f"T-{number}", by="ACC-1", now=network.now
                ),
            )
        except BadInput:
            return False
        return True

    assert sum(bool(each) for each in at_once(confirm)) == 1
    assert len(network.events("line.status_changed")) == 1


def test_while_a_line_changes_all_the_time_the_network_ends_where_the_registry_ends(
    network: Network, bss: FakeBss
) -> None:
    network.connect()
    network.register("REG-1", status="active")
    done = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for status in STATUSES:
                network.set_status("REG-1", status)
            network.set_status("REG-1", LineStatus.TWO_WAY_STOPPED)
            done.set()
            return
        while not done.is_set():
            network.work_off(rounds=3)
            bss.work()

    at_once(work)
    follow(network, bss)
    orders = network.orders("REG-1")
    assert [order.sequence for order in orders] == list(range(1, len(orders) + 1))
    assert {order.state for order in orders} == {OrderState.COMPLETED}
    assert orders[-1].desired.status is LineStatus.TWO_WAY_STOPPED
    service = bss.book.service("REG-1")
    assert service is not None
    assert service["state"] == "inactive"
