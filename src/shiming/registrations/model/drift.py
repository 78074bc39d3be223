"""Where the network differs from the registry, and what a comparison found."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import Profile


class DriftKind(StrEnum):
    """How they differ."""

    MISSING = "missing_in_network"
    UNREGISTERED = "unregistered"  # in service, and nobody registered it
    STATUS = "status_differs"
    CHARACTERISTICS = "characteristics_differ"


@dataclass(frozen=True, slots=True)
class RegistryService:
    """What the registry says about a service; `resources` are numbers and cards by kind."""

    service_id: str
    status: LineStatus
    profile: Profile = field(default_factory=dict)
    resources: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `differs` names characteristics and kinds of resources, never their values."""

    service_id: str
    kind: DriftKind
    registry: str | None = None
    network: str | None = None
    differs: tuple[str, ...] = ()
    order_id: str | None = None  # that repairs it

    def to_json(self) -> dict[str, Any]:
        """Return the drift as it is printed."""
        return {
            "service": self.service_id,
            "kind": self.kind.value,
            "registry": self.registry,
            "network": self.network,
            "differs": list(self.differs),
            "order": self.order_id,
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A comparison and its counts."""

    reconciliation_id: str
    operator: str
    started_at: datetime
    repair: bool
    stop_unknown: bool
    finished_at: datetime | None = None
    failure: str | None = None
    lines: int = 0
    services: int = 0
    unreadable: int = 0
    under_way: int = 0
    ordered: int = 0
    found: dict[str, int] = field(default_factory=dict)

    @property
    def drifts(self) -> int:
        """How many differences there are."""
        return sum(self.found.values())

    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        numbers = {"lines": self.lines, "services": self.services, "unreadable": self.unreadable}
        by_kind = {kind.value: self.found.get(kind.value, 0) for kind in DriftKind}
        return {**numbers, "under_way": self.under_way, "ordered": self.ordered, **by_kind}

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as commands and the API show it."""
        return {
            "id": self.reconciliation_id,
            "operator": self.operator,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at and self.finished_at.isoformat(),
            "failure": self.failure,
            "repair": self.repair,
            "stop_unknown": self.stop_unknown,
            "counts": self.counts(),
        }
