"""Does the network do what the registry says? Decided purely, one service at a time.

What the BSS knows beyond what was ordered (its own characteristics) is its own business.
"""

from shiming.jurisdictions.model import StopLevel
from shiming.registrations.model.drift import Drift, DriftKind, RegistryService
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.ports.bss import NetworkService

#: Something comes in or goes out. What is stopped both ways and unregistered harms nobody any more.
IN_SERVICE = frozenset({LineStatus.ACTIVE.value, LineStatus.ONE_WAY_STOPPED.value})
_HELD = IN_SERVICE | {LineStatus.TWO_WAY_STOPPED.value}


def decide_drift(registry: RegistryService | None, network: NetworkService | None) -> Drift | None:
    """Return how a service differs; None: not.

    (1) nobody registered it: it must not be in service; (2) the line has ended: the network must not hold it;
    (3) the line lives: the network has it, (4) with this status, (5) with these numbers, cards and profile.
    """
    if registry is None:
        return None if network is None else _of_a_stranger(network)
    held = network is not None and network.status in _HELD
    said = None if network is None else network.status
    wanted = registry.status.value
    if registry.status is LineStatus.TERMINATED:
        return Drift(registry.service_id, DriftKind.STATUS, wanted, said) if held else None
    if network is None or not held:
        return Drift(registry.service_id, DriftKind.MISSING, wanted, said)
    differs = _differences(registry, network)
    if network.status == wanted and not differs:
        return None
    kind = DriftKind.CHARACTERISTICS if network.status == wanted else DriftKind.STATUS
    return Drift(registry.service_id, kind, wanted, said, differs)


def stop_of_a_stranger(level: StopLevel) -> LineStatus:
    """Return how far a service that nobody registered is stopped, by the policy's level for such lines."""
    return LineStatus.ONE_WAY_STOPPED if level is StopLevel.ONE_WAY else LineStatus.TWO_WAY_STOPPED


def _of_a_stranger(network: NetworkService) -> Drift | None:
    if network.status not in IN_SERVICE:
        return None
    return Drift(network.service_id, DriftKind.UNREGISTERED, None, network.status)


def _differences(registry: RegistryService, network: NetworkService) -> tuple[str, ...]:
    """Return the names of what differs, in the order of the alphabet."""
    absent = object()
    content = {name for name, value in registry.profile.items() if network.content.get(name, absent) != value}
    resources = {kind for kind, _ in registry.resources - network.resources}
    return tuple(sorted(content | resources))
