"""Planted differences of each kind are found and repaired; on both engines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shiming.infrastructure.database import reading, transact
from shiming.registrations.model.drift import Drift, Reconciliation
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderAction
from shiming.registrations.ports.bss import BssEndpoint
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.use_cases.provisioning import request_profile
from shiming.registrations.use_cases.reconciling import (
    begin_reconciliation,
    find_reconciliation,
    list_drifts,
    reconcile,
)
from shiming.vocabulary.errors import BadInput
from tests.registrations.provisioning_builders import OPERATOR, TOKEN, URL, Network, a_closed_network, follow

BSS = BssEndpoint(OPERATOR, URL, TOKEN)
LINES = tuple(f"REG-{number}" for number in range(6))
KINDS = {
    "REG-0": "missing_in_network",
    "REG-1": "status_differs",
    "REG-2": "characteristics_differ",
    "REG-3": "characteristics_differ",
    "REG-4": "status_differs",
    "stranger": "unregistered",
}


@pytest.fixture
def bss() -> FakeBss:
    return FakeBss()


@pytest.fixture
def network(tmp_path: Path, database_url: str, bss: FakeBss) -> Iterator[Network]:
    with a_closed_network(tmp_path, database_url, bss) as found:
        found.connect()
        found.register(*LINES)
        transact(
            found.engine, lambda c: request_profile(c, "REG-2", {"sms": False}, until=None, now=found.now)
        )
        follow(found, bss)
        found.set_status("REG-4", LineStatus.TERMINATED)
        follow(found, bss)
        yield found


def compare(network: Network, **asked: Any) -> tuple[Reconciliation, dict[str, Drift]]:
    wanted = {"repair": False, "stop_unknown": False, **asked}
    begun = transact(
        network.engine,
        lambda c: begin_reconciliation(network.tools, c, operator=OPERATOR, now=network.now, **wanted),
    )
    drifts: dict[str, Drift] = {}
    done = reconcile(network.tools, begun, listed=lambda drift: drifts.update({drift.service_id: drift}))
    return done, drifts


def plant(bss: FakeBss) -> None:
    """One difference of each kind; a card, a profile and a status among them."""
    book = bss.book
    book.remove_service("REG-0")
    change(bss, "REG-1", state="inactive")
    change(bss, "REG-2", serviceCharacteristic=[{"name": "status", "value": "active"}])
    change(bss, "REG-3", supportingResource=[{"id": "+8613900000000", "name": "MSISDN"}])
    change(bss, "REG-4", state="active")
    book.put_service({"id": "stranger", "state": "active"})
    book.put_service({"id": "designed-only", "state": "designed"})
    book.put_service({"id": "no-state"})


def change(bss: FakeBss, service_id: str, **parts: Any) -> None:
    service = bss.book.service(service_id)
    assert service is not None
    bss.book.put_service({**service, **parts})


def test_a_network_that_follows_has_no_drift(network: Network) -> None:
    done, drifts = compare(network)
    assert (drifts, done.lines, done.services, done.under_way) == ({}, 5, 6, 0)
    assert done.finished_at is not None


def test_every_kind_of_difference_is_found_and_nothing_is_ordered(network: Network, bss: FakeBss) -> None:
    plant(bss)
    before = len(network.orders())
    done, drifts = compare(network, stop_unknown=True)
    assert {service: drift.kind.value for service, drift in drifts.items()} == KINDS
    assert drifts["REG-2"].differs == ("sms",)
    assert drifts["REG-3"].differs == ("MSISDN",)
    assert (done.unreadable, done.ordered, len(network.orders())) == (1, 0, before)
    with reading(network.engine) as connection:
        kept = list_drifts(connection, done.reconciliation_id, after="", limit=100)
        again = find_reconciliation(connection, done.reconciliation_id)
    assert {drift.service_id: drift for drift in kept} == drifts
    assert again == done
    (event,) = network.events("inventory.reconciled")
    assert event.facts["unregistered"] == 1
    assert "+86" not in json.dumps([drift.to_json() for drift in kept])


def test_repair_orders_what_the_registry_says_and_only_lists_strangers(
    network: Network, bss: FakeBss
) -> None:
    plant(bss)
    done, drifts = compare(network, repair=True)
    assert done.ordered == 5
    assert drifts["stranger"].order_id is None
    follow(network, bss)
    after, left = compare(network)
    assert set(left) == {"stranger"}
    assert after.drifts == 1
    assert network.orders("REG-0")[-1].action is OrderAction.ADD
    assert network.orders("REG-4")[-1].action is OrderAction.DELETE


def test_a_stranger_is_stopped_on_demand_and_never_deleted(network: Network, bss: FakeBss) -> None:
    bss.book.put_service({"id": "stranger", "state": "active"})
    compare(network, repair=True, stop_unknown=True)
    follow(network, bss)
    stranger = network.tools.bss.find_service(BSS, "stranger")
    assert stranger is not None
    assert stranger.status == "one_way_stopped"  # as the pack has it
    done, drifts = compare(network, repair=True, stop_unknown=True)
    assert (set(drifts), done.ordered) == ({"stranger"}, 0)  # listed as long as anything comes in


def test_a_line_with_an_order_under_way_is_left_alone(network: Network, bss: FakeBss) -> None:
    network.set_status("REG-1", LineStatus.TWO_WAY_STOPPED)
    network.work_off()
    done, drifts = compare(network, repair=True)
    assert (drifts, done.under_way) == ({}, 1)
    bss.work()


def test_an_operator_without_a_bss_is_not_compared(network: Network) -> None:
    with pytest.raises(BadInput, match="BSS_UNKNOWN"):
        transact(
            network.engine,
            lambda c: begin_reconciliation(
                network.tools, c, operator="cn-none", repair=False, stop_unknown=False, now=network.now
            ),
        )


def test_a_comparison_asked_for_over_http_is_done_by_the_worker(network: Network, bss: FakeBss) -> None:
    plant(bss)
    begun = transact(
        network.engine,
        lambda c: begin_reconciliation(
            network.tools,
            c,
            operator=OPERATOR,
            repair=True,
            stop_unknown=False,
            now=network.now,
            queued=True,
        ),
    )
    network.work_off()
    with reading(network.engine) as connection:
        done = find_reconciliation(connection, begun.reconciliation_id)
    assert done is not None
    assert done.finished_at is not None
    assert done.ordered == 5
