"""One comparison of a network with the registry, page by page.

(1) the BSS's inventory (TMF638) is read and put aside; (2) the lines of the registry are walked beside it;
(3) what the network has and no line took is unregistered or should have ended; (4) repair orders the
registry's state anew, one line a transaction.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopReason
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation, RegistryService
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import DesiredService
from shiming.registrations.ports.bss import BssEndpoint, InventoryPage, NetworkService
from shiming.registrations.rules.drift import decide_drift, stop_of_a_stranger
from shiming.registrations.rules.service_orders import desired_service
from shiming.registrations.store import reconciling as store
from shiming.registrations.store.inventory_shelf import InventoryShelf
from shiming.registrations.store.reconciling import RegistryRow
from shiming.registrations.store.registry_side import profiles_of_lines, resources_of_lines
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.registrations.use_cases.service_orders import network_status, reorder
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import inside

SERVICES_A_PAGE = 1000  # of the inventory: some megabytes of JSON
LINES_A_PAGE = 500  # of the registry: one short read transaction
PAGE_ATTEMPTS_MAX, PAGE_PAUSE_S = 6, 0.5
RECHECKED_MAX = 1000  # what looks missing is asked for once more: pages shift while orders complete

Progress = Callable[[int, int | None], None]  # services and lines looked at; how many in all, if known
Listed = Callable[[Drift], None]


@dataclass(slots=True)
class Comparison:
    """One comparison as it goes."""

    tools: ProvisioningTools
    bss: BssEndpoint
    asked: Reconciliation
    progress: Progress
    total: int | None = None
    done: int = 0
    listed: int = 0
    rechecked: int = 0
    numbers: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def step(self, count: int) -> None:
        """Say how far it has got."""
        self.done += count
        self.progress(self.done, None if self.total is None else 2 * self.total)


@inside("a step of reconciling")
def shelve(run: Comparison, shelf: InventoryShelf) -> None:
    """Read the whole inventory."""
    offset = 0
    while True:
        page = _page(run, offset)
        shelf.put(page.services)
        run.total = page.total if page.total is not None else run.total
        run.numbers["unreadable"] += page.unreadable
        run.step(page.raw_count)
        offset += page.raw_count
        if page.raw_count == 0 or (page.total is not None and offset >= page.total):
            break
    run.numbers["services"] = shelf.count()


def _page(run: Comparison, offset: int) -> InventoryPage:
    for attempt in range(1, PAGE_ATTEMPTS_MAX):
        try:
            return run.tools.bss.list_services(run.bss, offset=offset, limit=SERVICES_A_PAGE)
        except Unavailable:
            time.sleep(PAGE_PAUSE_S * attempt)
    return run.tools.bss.list_services(run.bss, offset=offset, limit=SERVICES_A_PAGE)


@inside("a step of reconciling")
def compare_lines(run: Comparison, shelf: InventoryShelf, listed: Listed) -> None:
    """Walk the lines that have not ended."""
    after, operator, since = "", run.asked.operator, run.asked.started_at
    while True:
        with reading(run.tools.engine) as connection:
            rows = store.page_of_lines(connection, operator, after=after, limit=LINES_A_PAGE, since=since)
            wanted = _registry_side(run.tools, connection, rows)
        if not rows:
            return
        after = rows[-1].line.line_id
        network = shelf.take([row.line.line_id for row in rows])
        run.numbers["lines"] += len(rows)
        _compare(run, rows, wanted, network, listed)
        run.step(len(rows))


@inside("a step of reconciling")
def compare_rest(run: Comparison, shelf: InventoryShelf, listed: Listed) -> None:
    """Look at what the network has and no living line took."""
    operator, since = run.asked.operator, run.asked.started_at
    for services in shelf.unseen():
        ids = [service.service_id for service in services]
        with reading(run.tools.engine) as connection:
            rows = store.lines_with_standing(connection, ids, operator, since=since)
            busy = store.services_under_way(connection, ids, operator, since=since)
            wanted = _registry_side(run.tools, connection, rows)
        network = {service.service_id: service for service in services}
        _compare(run, rows, wanted, network, listed)
        known = {row.line.line_id for row in rows}
        strangers = [each for each in services if each.service_id not in known]
        run.numbers["under_way"] += sum(each.service_id in busy for each in strangers)
        drifts = [
            drift
            for each in strangers
            if each.service_id not in busy and (drift := decide_drift(None, each)) is not None
        ]
        _keep(run, drifts, listed)


def _compare(
    run: Comparison,
    rows: Sequence[RegistryRow],
    wanted: Sequence[RegistryService],
    network: dict[str, NetworkService],
    listed: Listed,
) -> None:
    drifts = []
    for row, registry in zip(rows, wanted, strict=True):
        if row.is_under_way:
            run.numbers["under_way"] += 1
            continue
        drift = decide_drift(registry, network.get(registry.service_id))
        if drift is not None and drift.network is None and run.rechecked < RECHECKED_MAX:
            run.rechecked += 1
            drift = decide_drift(registry, _again(run, registry.service_id))
        if drift is not None:
            drifts.append(drift)
    _keep(run, drifts, listed)


def _again(run: Comparison, service_id: str) -> NetworkService | None:
    for attempt in range(1, PAGE_ATTEMPTS_MAX):
        try:
            return run.tools.bss.find_service(run.bss, service_id)
        except Unavailable:
            time.sleep(PAGE_PAUSE_S * attempt)
    return run.tools.bss.find_service(run.bss, service_id)


def _keep(run: Comparison, drifts: Sequence[Drift], listed: Listed) -> None:
    """Repair, count, list and store differences: one transaction each, so that one line holds up no other."""
    for drift in drifts:
        kept = transact(run.tools.engine, partial(_keep_one, run, drift))
        run.found[kept.kind.value] += 1
        run.numbers["ordered"] += kept.order_id is not None
        run.listed += 1
        listed(kept)


def _keep_one(run: Comparison, drift: Drift, connection: Connection) -> Drift:
    asked = run.asked
    stop = stop_of_a_stranger(run.tools.policy().stops[StopReason.UNREGISTERED].level.value)
    stranger = drift.kind is DriftKind.UNREGISTERED
    wanted = asked.stop_unknown and drift.network != stop.value if stranger else asked.repair
    kept = replace(drift, order_id=_repair(run, connection, drift, stop)) if wanted else drift
    if run.listed < store.LISTED_MAX:
        store.add_drifts(connection, asked.reconciliation_id, [kept])
    return kept


def _repair(run: Comparison, connection: Connection, drift: Drift, stop: LineStatus) -> str:
    """Order what the registry says; a stranger is stopped as the policy has it, and never deleted."""
    known = {status.value for status in LineStatus}
    in_network = drift.network in known and drift.kind is not DriftKind.MISSING
    observed = DesiredService(LineStatus(drift.network)) if in_network and drift.network else None
    order = reorder(
        run.tools,
        connection,
        drift.service_id,
        run.asked.operator,
        DesiredService(stop),
        now=run.tools.clock.now(),
        observed=observed,
        is_observed=True,
    )
    return order.order_id


def _registry_side(
    tools: ProvisioningTools, connection: Connection, rows: Sequence[RegistryRow]
) -> list[RegistryService]:
    """Return what the registry says about lines; of those under way only that there is one."""
    settled = [row.line for row in rows if not row.is_under_way]
    profiles = profiles_of_lines(connection, settled, now=tools.clock.now())
    resources = resources_of_lines(connection, settled)
    sides = []
    for row in rows:
        line = row.line
        wanted = desired_service(network_status(connection, line), profiles.get(line.line_id, []), None)
        numbers = resources.get(line.line_id, frozenset())
        sides.append(RegistryService(line.line_id, wanted.status, wanted.profile, numbers))
    return sides
