"""`shiming lines reconcile`: compare the network with the registry, and repair."""

import json
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import transact
from shiming.registrations.model.drift import Drift, Reconciliation
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.registrations.use_cases.reconciling import begin_reconciliation
from shiming.registrations.use_cases.reconciling import reconcile as compare

LISTED_MAX = 1000  # on a terminal; the rest is counted, and kept for `GET /v1/reconciliations`
DIFFERS = 1


class ReconcilingPlatform(Protocol):
    """What this command needs of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def provisioning(self) -> ProvisioningTools: ...  # noqa: D102


def reconcile(
    context: typer.Context,
    operator: Annotated[str, typer.Option(help="Code of the operator, such as cn-mobile.")],
    repair: Annotated[
        bool, typer.Option("--repair", help="Order anew what the registry says, where it differs.")
    ] = False,
    stop_unknown: Annotated[
        bool, typer.Option("--stop-unknown", help="With --repair: stop services that nobody registered.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Compare an operator's network (TMF638) with the registry; exit code 1 where they differ and stay so.

    Example: shiming lines reconcile --operator cn-mobile --repair
    """
    platform: ReconcilingPlatform = context.obj()
    tools = platform.provisioning
    asked = transact(
        platform.engine,
        lambda connection: begin_reconciliation(
            tools,
            connection,
            operator=operator,
            repair=repair,
            stop_unknown=stop_unknown,
            now=platform.clock.now(),
        ),
    )
    drifts: list[Drift] = []

    def listed(drift: Drift) -> None:
        if len(drifts) < LISTED_MAX:
            drifts.append(drift)

    done = _with_progress(tools, asked, listed)
    if as_json:
        shown: dict[str, Any] = {**done.to_json(), "drifts": [drift.to_json() for drift in drifts]}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    else:
        _print(done, drifts)
    raise typer.Exit(DIFFERS if done.drifts > done.ordered else 0)


def _with_progress(tools: ProvisioningTools, asked: Reconciliation, listed: Any) -> Reconciliation:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reconcile", total=None)

        def step(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        return compare(tools, asked, progress=step, listed=listed)


def _print(done: Reconciliation, drifts: list[Drift]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    console = Console()
    if drifts:
        service, order = Column("service", no_wrap=True), Column("order", no_wrap=True)  # to be copied
        table = Table(service, "how", "registry", "network", "differs", order)
        for drift in drifts:
            row = (drift.registry or "-", drift.network or "-", " ".join(drift.differs) or "-")
            table.add_row(drift.service_id, drift.kind.value, *row, drift.order_id or "-")
        console.print(table)
    console.print("  ".join(f"{name} {number}" for name, number in done.counts().items()))
