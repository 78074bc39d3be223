"""How lines, numbers and cards are told in the words of others: CAMARA Subscription Status and TM Forum.

* CAMARA Subscription Status 0.1.0: `voiceSmsIn`, `voiceSmsOut` active|suspended, `dataService`
  active|suspended|throttled.
* TMF638 v5: `state` and `operatingStatus` of the service; TMF637 v5: `status` of the product.
* TMF639 v5: `resourceStatus`, `usageState`, `administrativeState`, `operationalState` of number and card.

What nobody else's words say - that emergency calls work - stands beside them.
"""

from dataclasses import dataclass

from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.numbers import NumberState
from shiming.registrations.model.sims import SimState
from shiming.registrations.rules.line_status import emergency_calls_allowed

_ACTIVE, _SUSPENDED = "active", "suspended"


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """CAMARA Subscription Status of a line."""

    voice_sms_in: str
    voice_sms_out: str
    data_service: str

    def to_json(self) -> dict[str, str]:
        """Return the answer of `/retrive-subscription-status` (the path is spelled so in the standard)."""
        return {
            "voiceSmsIn": self.voice_sms_in,
            "voiceSmsOut": self.voice_sms_out,
            "dataService": self.data_service,
        }


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """TMF639 states of a number or a card."""

    resource_status: str
    usage_state: str
    administrative_state: str
    operational_state: str

    def to_json(self) -> dict[str, str]:
        """Return the members of a TMF639 resource."""
        return {
            "resourceStatus": self.resource_status,
            "usageState": self.usage_state,
            "administrativeState": self.administrative_state,
            "operationalState": self.operational_state,
        }


#: What goes out is stopped first; data sessions are opened by the subscriber, so they are outgoing.
_SUBSCRIPTION = {
    LineStatus.PENDING: SubscriptionStatus(_SUSPENDED, _SUSPENDED, _SUSPENDED),
    LineStatus.ACTIVE: SubscriptionStatus(_ACTIVE, _ACTIVE, _ACTIVE),
    LineStatus.ONE_WAY_STOPPED: SubscriptionStatus(_ACTIVE, _SUSPENDED, _SUSPENDED),
    LineStatus.TWO_WAY_STOPPED: SubscriptionStatus(_SUSPENDED, _SUSPENDED, _SUSPENDED),
    LineStatus.TERMINATED: SubscriptionStatus(_SUSPENDED, _SUSPENDED, _SUSPENDED),
}
_SERVICE = {
    LineStatus.PENDING: ("inactive", "pending"),
    LineStatus.ACTIVE: ("active", "running"),
    LineStatus.ONE_WAY_STOPPED: ("suspended", "limited"),
    LineStatus.TWO_WAY_STOPPED: ("suspended", "stopped"),
    LineStatus.TERMINATED: ("terminated", "stopped"),
}
_PRODUCT = {
    LineStatus.PENDING: "pendingActive",
    LineStatus.ACTIVE: "active",
    LineStatus.ONE_WAY_STOPPED: "suspended",
    LineStatus.TWO_WAY_STOPPED: "suspended",
    LineStatus.TERMINATED: "terminated",
}
_NUMBER = {
    NumberState.OUTSIDE: ResourceStatus("unknown", "idle", "locked", "disable"),
    NumberState.EXCLUDED: ResourceStatus("suspended", "idle", "locked", "disable"),
    NumberState.FREE: ResourceStatus("available", "idle", "unlocked", "enable"),
    NumberState.RESERVED: ResourceStatus("reserved", "idle", "unlocked", "enable"),
    NumberState.IN_SERVICE: ResourceStatus("available", "active", "unlocked", "enable"),
    NumberState.QUARANTINE: ResourceStatus("standby", "idle", "locked", "disable"),
}
_CARD = {
    SimState.STOCK: ResourceStatus("available", "idle", "unlocked", "enable"),
    SimState.ASSIGNED: ResourceStatus("available", "active", "unlocked", "enable"),
    SimState.RETIRED: ResourceStatus("suspended", "idle", "shutdown", "disable"),
}


def subscription_status(status: LineStatus) -> SubscriptionStatus:
    """Return what CAMARA calls the status of a line."""
    return _SUBSCRIPTION[status]


def service_state(status: LineStatus) -> tuple[str, str]:
    """Return `state` and `operatingStatus` of the TMF638 service of a line."""
    return _SERVICE[status]


def product_status(status: LineStatus) -> str:
    """Return `status` of the TMF637 product of a line."""
    return _PRODUCT[status]


def number_resource(state: NumberState) -> ResourceStatus:
    """Return the TMF639 states of a number."""
    return _NUMBER[state]


def card_resource(state: SimState) -> ResourceStatus:
    """Return the TMF639 states of a card or an eSIM profile."""
    return _CARD[state]


def line_projections(status: LineStatus) -> dict[str, object]:
    """Return everything that others may be told of a line's status."""
    state, operating = service_state(status)
    return {
        "emergency_calls": emergency_calls_allowed(status),
        "camara_subscription_status": subscription_status(status).to_json(),
        "tmf638_service": {"state": state, "operatingStatus": operating},
        "tmf637_product": {"status": product_status(status)},
    }
