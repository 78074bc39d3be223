"""What the network is asked to do with a line, and how far it has got.

A service order carries the whole state that is wanted, never a difference: whichever order arrives last makes
the network right. Orders of one service are numbered and sent one after the other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from shiming.registrations.model.lines import LineStatus

#: A provisioning profile, a JSON object: `{"sms": false, "apns": ["iot.example"], "binding": {...}}`.
Profile = Mapping[str, Any]


class OrderAction(StrEnum):
    """What is ordered. On the wire `suspend` and `resume` are TMF641 `modify` with another state."""

    ADD = "add"
    MODIFY = "modify"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"


class OrderState(StrEnum):
    """Where an order stands; the words are TMF641's where it has one."""

    WAITING = "waiting"  # not taken by the BSS yet
    HELD = "held"  # nobody to send it to; `reason` says why
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"  # never sent: the line ended before the network knew it

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more, but for a retry by hand."""
        return self in {OrderState.COMPLETED, OrderState.FAILED, OrderState.CANCELLED}

    @property
    def is_sent(self) -> bool:
        """Whether the BSS works on it."""
        return self in {OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS}


@dataclass(frozen=True, slots=True)
class DesiredService:
    """The state of a line that the network is to follow.

    `resources` is a keyed digest of its number and card, so that a new card is a new state; `occasion` names
    the last event that changed what the BSS keeps beside it: holder, place.
    """

    status: LineStatus
    profile: Profile = field(default_factory=dict)
    occasion: str | None = None
    resources: str | None = None

    def to_text(self) -> str:
        """Return it as it is stored; equal states have equal texts."""
        content = {
            "occasion": self.occasion,
            "profile": dict(self.profile),
            "resources": self.resources,
            "status": self.status.value,
        }
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote."""
        content = json.loads(text)
        return cls(**{**content, "status": LineStatus(content["status"])})


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """One order to the network. `service_id` is the line's reference, or what the network calls a service."""

    order_id: str
    operator: str
    service_id: str
    sequence: int
    action: OrderAction
    desired: DesiredService
    state: OrderState
    created_at: datetime
    changed_at: datetime
    line_id: str | None = None  # None: a service that nobody registered, to be stopped
    attempts: int = 0
    bss_order: str | None = None  # what the BSS calls it
    reason: str | None = None  # of a hold or a failure, as a code
    confirmation: str | None = None  # reference of a confirmation by hand

    def to_json(self) -> dict[str, Any]:
        """Return the order as commands and the API show it."""
        return {
            "id": self.order_id,
            "operator": self.operator,
            "line": self.line_id,
            "service": self.service_id,
            "sequence": self.sequence,
            "action": self.action.value,
            "state": self.state.value,
            "wanted": json.loads(self.desired.to_text()),
            "attempts": self.attempts,
            "bss_order": self.bss_order,
            "reason": self.reason,
            "confirmation": self.confirmation,
            "created_at": self.created_at.isoformat(),
            "changed_at": self.changed_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class OperatorBss:
    """An operator's BSS without its secrets."""

    operator: str
    url: str
    added_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as commands and the API show it."""
        return {"operator": self.operator, "url": self.url, "added_at": self.added_at.isoformat()}
