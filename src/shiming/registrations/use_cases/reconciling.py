"""Compare what the network does with what the registry says, and order what differs.

A service that nobody registered is listed, and stopped only on demand; nothing is ever deleted that the
registry does not know. A line with an order under way is counted and left alone. How: `comparing`.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.outbox import Event, Fact, emit
from shiming.privacy.use_cases.ledger import record
from shiming.registrations.errors.provisioning import bss_unknown
from shiming.registrations.events.provisioning import INVENTORY_RECONCILED
from shiming.registrations.model.drift import Drift, Reconciliation
from shiming.registrations.permissions.provisioning import MayManageProvisioning, MayReadProvisioning
from shiming.registrations.store import reconciling as store
from shiming.registrations.store.inventory_shelf import InventoryShelf
from shiming.registrations.use_cases.bss_endpoints import find_endpoint
from shiming.registrations.use_cases.comparing import (
    Comparison,
    Listed,
    Progress,
    compare_lines,
    compare_rest,
    shelve,
)
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import asks, inside

RECONCILE = "provisioning.reconcile"


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
    listed: Listed = lambda _: None,
) -> Reconciliation:
    """Compare as `begin_reconciliation` wrote it; `listed` gets each difference. Raise Unavailable."""
    with reading(tools.engine) as connection:
        bss = find_endpoint(connection, tools.keys, asked.operator)
    if bss is None:
        raise bss_unknown()
    run = Comparison(tools, bss, asked, progress)
    try:
        with InventoryShelf() as shelf:
            shelve(run, shelf)
            compare_lines(run, shelf, listed)
            compare_rest(run, shelf, listed)
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
def list_reconciliations(
    connection: Connection, *, operator: str | None, limit: int
) -> tuple[Reconciliation, ...]:
    """Return the comparisons that began last, newest first; operator None: of all operators."""
    return store.list_reconciliations(connection, operator, limit)


@asks(MayReadProvisioning)
def list_drifts(
    connection: Connection, reconciliation_id: str, *, after: str, limit: int
) -> tuple[Drift, ...]:
    """Return differences that a comparison found, by service."""
    return store.list_drifts(connection, reconciliation_id, after=after, limit=limit)


def _finish(run: Comparison, connection: Connection) -> Reconciliation:
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
