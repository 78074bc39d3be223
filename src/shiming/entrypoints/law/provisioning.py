"""Scenarios about the network: when a line is active, what is ordered, and what must not be in service."""

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy, StopReason
from shiming.registrations.errors.provisioning import ProvisioningRefusal
from shiming.registrations.model.drift import DriftKind, RegistryService
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import DesiredService, OrderState
from shiming.registrations.ports.bss import NetworkService
from shiming.registrations.rules.drift import decide_drift, stop_of_a_stranger
from shiming.registrations.rules.service_orders import REPORTED, advance, decide_action, desired_service
from shiming.vocabulary.refusals import Refusal

_STATUSES = {
    "pending": LineStatus.PENDING,
    "active": LineStatus.ACTIVE,
    "one-way stopped": LineStatus.ONE_WAY_STOPPED,
    "two-way stopped": LineStatus.TWO_WAY_STOPPED,
    "ended": LineStatus.TERMINATED,
}
_WORDS = {status: word for word, status in _STATUSES.items()}
Status = Literal["pending", "active", "one-way stopped", "two-way stopped", "ended"]
_ID = "a line"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Given(BaseModel):
    """What the registry says, what the network does, and what it reported about the last order."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)
    date: date
    registry: Status | None = None  # none: nobody registered it
    network: Status | None = None  # none: it is not there
    network_reports: tuple[str, ...] = ()  # TMF641 states, in the order of their arrival
    sms_barred_hours: int = 0  # since now
    hours_later: int = 0

    @model_validator(mode="after")
    def _is_about_a_line(self) -> Self:
        """Take no scenario about a line that neither side knows."""
        if self.registry is None and self.network is None:
            msg = "registry or network has to be stated"
            raise ValueError(msg)
        return self


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return the status of the line after the reports, what is ordered, and what is out of order."""
    network = _network(given)
    registry = None if given.registry is None else RegistryService(_ID, _after_reports(given))
    drift = decide_drift(registry, network)
    cited = policy.stops[StopReason.UNREGISTERED].level
    if drift is not None and drift.kind is DriftKind.UNREGISTERED:
        stop = stop_of_a_stranger(cited.value)
        return refused(
            [Refusal(ProvisioningRefusal.SERVICE_UNREGISTERED, cited.citation)], stopped=_WORDS[stop]
        )
    if registry is None:
        return accepted(ordered="nothing")
    if drift is not None and registry.status is LineStatus.TERMINATED:
        return refused([Refusal(ProvisioningRefusal.SERVICE_OUTLIVES_LINE, cited.citation)], ordered="delete")
    return accepted(line=_WORDS[registry.status], **_order(given, registry.status))


def _network(given: Given) -> NetworkService | None:
    if given.network is None:
        return None
    return NetworkService(_ID, _STATUSES[given.network].value, {}, frozenset())


def _after_reports(given: Given) -> LineStatus:
    """Return the status of the line when the reports have been taken up: each counts once."""
    status, order = _STATUSES[given.registry or "pending"], OrderState.WAITING
    for report in given.network_reports:
        order = advance(order, REPORTED[report]) or order
    confirmed = status is LineStatus.PENDING and order is OrderState.COMPLETED
    return LineStatus.ACTIVE if confirmed else status


def _order(given: Given, status: LineStatus) -> dict[str, Any]:
    """Return what is to be ordered now, and what of it keeps working."""
    barred = given.hours_later < given.sms_barred_hours
    wanted = desired_service(status, [{"sms": False}] if barred else [], None)
    before = None if given.network is None else DesiredService(_STATUSES[given.network])
    action = decide_action(before, wanted)
    ordered = {"ordered": "nothing" if action is None else action.value}
    if status is LineStatus.TERMINATED:
        return ordered
    sms = {"sms": "barred" if barred else "allowed"} if given.sms_barred_hours else {}
    return {**ordered, "emergency calls": "allowed", **sms}
