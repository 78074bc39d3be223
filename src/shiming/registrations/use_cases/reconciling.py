"""Compare what the network does with what the registry says, and order what differs.

(1) the BSS's inventory (TMF638) is read page by page and put aside; (2) the lines of the registry are walked
beside it; (3) what the network has and no line took is unregistered or should have ended; (4) repair orders
the registry's state anew. A service that nobody registered is listed, and stopped only on demand; nothing is
ever deleted that the registry does not know. A line with an order under way is counted and left alone.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.outbox import Event, Fact, emit
from shiming.jurisdictions.model import StopReason
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.errors.provisioning import bss_unknown
from shiming.registrations.events.provisioning import INVENTORY_RECONCILED
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation, RegistryService
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import DesiredService
from shiming.registrations.permissions.provisioning import MayManageProvisioning, MayReadProvisioning
from shiming.registrations.ports.bss import BssEndpoint, InventoryPage, NetworkService
from shiming.registrations.rules.drift import decide_drift, stop_of_a_stranger
from shiming.registrations.store import provisioning as orders_store
from shiming.registrations.store import reconciling as store
from shiming.registrations.store.inventory_shelf import InventoryShelf
from shiming.registrations.store.reconciling import RegistryRow
from shiming.registrations.use_cases.bss_endpoints import find_endpoint
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.registrations.use_cases.sending_orders import resources_of
from shiming.registrations.use_cases.service_orders import reorder, wanted_of
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import asks, inside

RECONCILE = "provisioning.reconcile"
SERVICES_A_PAGE = 1000  # of the inventory: some megabytes of JSON
LINES_A_PAGE = 200  # of the registry: one short read transaction
PAGE_ATTEMPTS_MAX, PAGE_PAUSE_S = 6, 0.5
RECHECKED_MAX = 1000  # what looks missing is asked for once more: pages shift while orders complete

Progress = Callable[[int, int | None], None]  # services and lines looked at; how many in all, if known


@dataclass(slots=True)
class _Run:
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
        self.done += count
        self.progress(self.done, None if self.total is None else 2 * self.total)


@asks(MayManageProvisioning)
def begin_reconciliation(
    tools: ProvisioningTools,
    connection: Connection,
    *,
    operator: str,
    repair: bool,
    stop_unknown: bool,
    now: datetime,
    queued: bool = False,
) -> Reconciliation:
    """Write that a comparison begins; `queued`: a worker does it. Raise BadInput BSS_UNKNOWN."""
    if find_endpoint(connection, tools.keys, operator) is None:
        raise bss_unknown()
    wanted = Reconciliation(
        tools.new_reference("REC"), operator, now, repair=repair, stop_unknown=stop_unknown and repair
    )
    store.add_reconciliation(connection, wanted)
    if queued:
        job = NewJob(RECONCILE, {"reconciliation": wanted.reconciliation_id})
        enqueue(connection, replace(job, unique_key=f"{RECONCILE}:{wanted.reconciliation_id}"), now=now)
    return wanted


@asks(MayManageProvisioning)
def reconcile(
    tools: ProvisioningTools,
    asked: Reconciliation,
    *,
    progress: Progress = lambda _done, _total: None,
    listed: Callable[[Drift], None] = lambda _: None,
) -> Reconciliation:
    """Compare as `begin_reconciliation` wrote it; `listed` gets each difference. Raise Unavailable."""
    with reading(tools.engine) as connection:
        bss = find_endpoint(connection, tools.keys, asked.operator)
    if bss is None:
        raise bss_unknown()
    run = _Run(tools, bss, asked, progress)
    try:
        with InventoryShelf() as shelf:
            _shelve(run, shelf)
            _compare_lines(run, shelf, listed)
            _compare_rest(run, shelf, listed)
    except Unavailable as problem:
        reason = str(problem.details.get("reason", problem.code))
        failed = replace(asked, finished_at=tools.clock.now(), failure=reason[:80])
        transact(tools.engine, lambda connection: store.finish_reconciliation(connection, failed))
        raise
    return transact(tools.engine, partial(_finish, run))


@asks(MayReadProvisioning)
def find_reconciliation(connection: Connection, reconciliation_id: str) -> Reconciliation | None:
    """Return a comparison."""
    return store.find_reconciliation(connection, reconciliation_id)


@asks(MayReadProvisioning)
def list_drifts(
    connection: Connection, reconciliation_id: str, *, after: str, limit: int
) -> tuple[Drift, ...]:
    """Return differences that a comparison found, by service."""
    return store.list_drifts(connection, reconciliation_id, after=after, limit=limit)


def _shelve(run: _Run, shelf: InventoryShelf) -> None:
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


def _page(run: _Run, offset: int) -> InventoryPage:
    for attempt in range(1, PAGE_ATTEMPTS_MAX):
        try:
            return run.tools.bss.list_services(run.bss, offset=offset, limit=SERVICES_A_PAGE)
        except Unavailable:
            time.sleep(PAGE_PAUSE_S * attempt)
    return run.tools.bss.list_services(run.bss, offset=offset, limit=SERVICES_A_PAGE)


def _compare_lines(run: _Run, shelf: InventoryShelf, listed: Callable[[Drift], None]) -> None:
    """Walk the lines that have not ended."""
    after, operator, since = "", run.asked.operator, run.asked.started_at
    while True:
        with reading(run.tools.engine) as connection:
            rows = store.page_of_lines(connection, operator, after=after, limit=LINES_A_PAGE, since=since)
            wanted = [_registry_side(run.tools, connection, row) for row in rows]
        if not rows:
            return
        after = rows[-1].line.line_id
        network = shelf.take([row.line.line_id for row in rows])
        run.numbers["lines"] += len(rows)
        _compare(run, rows, wanted, network, listed)
        run.step(len(rows))


def _compare_rest(run: _Run, shelf: InventoryShelf, listed: Callable[[Drift], None]) -> None:
    """Look at what the network has and no living line took."""
    operator, since = run.asked.operator, run.asked.started_at
    for services in shelf.unseen():
        ids = [service.service_id for service in services]
        with reading(run.tools.engine) as connection:
            rows = store.lines_with_standing(connection, ids, operator, since=since)
            busy = store.services_under_way(connection, ids, operator, since=since)
            wanted = [_registry_side(run.tools, connection, row) for row in rows]
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
    run: _Run,
    rows: Sequence[RegistryRow],
    wanted: Sequence[RegistryService],
    network: dict[str, NetworkService],
    listed: Callable[[Drift], None],
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


def _again(run: _Run, service_id: str) -> NetworkService | None:
    for attempt in range(1, PAGE_ATTEMPTS_MAX):
        try:
            return run.tools.bss.find_service(run.bss, service_id)
        except Unavailable:
            time.sleep(PAGE_PAUSE_S * attempt)
    return run.tools.bss.find_service(run.bss, service_id)


def _keep(run: _Run, drifts: Sequence[Drift], listed: Callable[[Drift], None]) -> None:
    """Repair, count, list and store differences: one transaction each, so that one line holds up no other."""
    for drift in drifts:
        kept = transact(run.tools.engine, partial(_keep_one, run, drift))
        run.found[kept.kind.value] += 1
        run.numbers["ordered"] += kept.order_id is not None
        run.listed += 1
        listed(kept)


def _keep_one(run: _Run, drift: Drift, connection: Connection) -> Drift:
    asked = run.asked
    stop = stop_of_a_stranger(run.tools.policy().stops[StopReason.UNREGISTERED].level.value)
    stranger = drift.kind is DriftKind.UNREGISTERED
    wanted = asked.stop_unknown and drift.network != stop.value if stranger else asked.repair
    kept = replace(drift, order_id=_repair(run, connection, drift, stop)) if wanted else drift
    if run.listed < store.LISTED_MAX:
        store.add_drifts(connection, asked.reconciliation_id, [kept])
    return kept


def _repair(run: _Run, connection: Connection, drift: Drift, stop: LineStatus) -> str:
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


def _registry_side(tools: ProvisioningTools, connection: Connection, row: RegistryRow) -> RegistryService:
    line, now = row.line, tools.clock.now()
    service = orders_store.find_service(connection, line.line_id, line.operator)
    wanted = wanted_of(connection, line, sim=None if service is None else service.sim, now=now)
    resources = frozenset((each.kind, each.value) for each in resources_of(connection, line))
    return RegistryService(line.line_id, wanted.status, wanted.profile, resources)


def _finish(run: _Run, connection: Connection) -> Reconciliation:
    tools, asked, now = run.tools, run.asked, run.tools.clock.now()
    done = replace(
        asked,
        finished_at=now,
        lines=run.numbers["lines"],
        services=run.numbers["services"],
        unreadable=run.numbers["unreadable"],
        under_way=run.numbers["under_way"],
        ordered=run.numbers["ordered"],
        found=dict(run.found),
    )
    store.finish_reconciliation(connection, done)
    facts: dict[str, Fact] = {
        "reconciliation": done.reconciliation_id,
        "repair": done.repair,
        **done.counts(),
    }
    record(connection, tools.keys, kind=INVENTORY_RECONCILED, facts=facts, now=now, operator=done.operator)
    emit(connection, Event(INVENTORY_RECONCILED, done.reconciliation_id, done.operator, now, facts))
    return done


@inside("the job of a comparison that was asked for over HTTP")
def reconcile_queued(tools: ProvisioningTools, reconciliation_id: str) -> None:
    """Do a comparison that waits; one that is finished or that failed is left alone."""
    with reading(tools.engine) as connection:
        asked = store.find_reconciliation(connection, reconciliation_id)
    if asked is not None and asked.finished_at is None:
        reconcile(tools, asked)
