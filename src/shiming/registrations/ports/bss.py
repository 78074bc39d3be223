"""What is asked of an operator's business support system (BSS): orders, and what is in service.

TMF641 Service Ordering and TMF638 Service Inventory, version 4. Whatever has no answer that counts raises
`Unavailable`: it may be asked again. A no is a value.
"""

from dataclasses import dataclass, field
from typing import Protocol

from shiming.registrations.model.provisioning import OrderAction, OrderState, Profile


@dataclass(frozen=True, slots=True)
class BssEndpoint:
    """Where an operator's BSS is, and how we show who we are."""

    operator: str
    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SupportingResource:
    """A number, card or account of the line, by the kind that the network knows it as."""

    kind: str  # MSISDN, ICCID, IMSI, ACCOUNT
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderWanted:
    """One order as the BSS gets it; `status` is the LineStatus that the line is to have."""

    external_id: str
    action: OrderAction
    service_id: str
    service_type: str
    status: str
    profile: Profile
    resources: tuple[SupportingResource, ...] = field(repr=False)
    holder: str | None = None  # a pseudonym


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """What the BSS says about an order."""

    bss_order: str
    state: OrderState
    external_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The BSS says no, and will say no again."""

    reason: str


@dataclass(frozen=True, slots=True)
class NetworkService:
    """One service as the inventory has it; `content` are its characteristics by name."""

    service_id: str
    status: str
    content: Profile
    resources: frozenset[tuple[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """Some services, and how many there are in all if the BSS says so."""

    services: tuple[NetworkService, ...]
    total: int | None
    unreadable: int = 0  # entries without id or state
    raw_count: int = 0  # entries of the page, readable or not


class BssPort(Protocol):
    """A BSS, spoken to through its interface."""

    def place_order(self, bss: BssEndpoint, wanted: OrderWanted) -> OrderTaken | OrderRefused:
        """Send an order; the same `external_id` again is the same order."""
        ...

    def find_by_external_id(self, bss: BssEndpoint, external_id: str) -> OrderTaken | None:
        """Return the order that the BSS took under our reference, if it did."""
        ...

    def find_order(self, bss: BssEndpoint, bss_order: str) -> OrderTaken | None:
        """Return an order by the BSS's own reference."""
        ...

    def list_services(self, bss: BssEndpoint, *, offset: int, limit: int) -> InventoryPage:
        """Return a page of the inventory."""
        ...

    def find_service(self, bss: BssEndpoint, service_id: str) -> NetworkService | None:
        """Return one service of the inventory."""
        ...
