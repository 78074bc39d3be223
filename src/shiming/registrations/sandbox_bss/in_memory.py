"""A BSS in memory, for tests and demonstrations. It says loudly that it is none."""

import logging
from dataclasses import dataclass, field

from shiming.registrations.connectors.tmf import read_order, read_service, read_services, service_order_json
from shiming.registrations.ports.bss import (
    BssEndpoint,
    InventoryPage,
    NetworkService,
    OrderRefused,
    OrderTaken,
    OrderWanted,
)
from shiming.registrations.sandbox_bss.faults import Fault, Faults
from shiming.registrations.sandbox_bss.order_book import OrderBook

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class FakeBss:
    """Keeps orders and services by the same rules as the sandbox; `work` takes every order to its end."""

    book: OrderBook = field(default_factory=lambda: OrderBook(":memory:"))
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        _LOG.warning("FAKE BSS IN USE: no network does what it says")

    def place_order(self, bss: BssEndpoint, wanted: OrderWanted) -> OrderTaken | OrderRefused:
        """Take an order; the same `external_id` again is the same order."""
        del bss
        if self.faults.strikes(Fault.REFUSE, wanted.external_id):
            return OrderRefused("SERVICE_NOT_POSSIBLE")
        order, _ = self.book.place(service_order_json(wanted), due_s=0.0)
        return read_order(order)

    def find_by_external_id(self, bss: BssEndpoint, external_id: str) -> OrderTaken | None:
        """Return the order of our reference."""
        del bss
        found = self.book.find_external(external_id)
        return read_order(found) if found else None

    def find_order(self, bss: BssEndpoint, bss_order: str) -> OrderTaken | None:
        """Return an order by its own reference."""
        del bss
        found = self.book.find(bss_order)
        return read_order(found) if found else None

    def list_services(self, bss: BssEndpoint, *, offset: int, limit: int) -> InventoryPage:
        """Return a page of services."""
        del bss
        found, total = self.book.services(offset=offset, limit=limit)
        return read_services(found, str(total))

    def find_service(self, bss: BssEndpoint, service_id: str) -> NetworkService | None:
        """Return one service."""
        del bss
        found = self.book.service(service_id)
        return read_service(found) if found else None

    def work(self) -> None:
        """Take every order to its end."""
        while orders := self.book.due(1.0, limit=100):
            for order in orders:
                fails = self.faults.strikes(Fault.FAIL, order["externalId"])
                self.book.step(order["id"], due_s=0.0, fails=fails)
