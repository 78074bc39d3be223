"""`shiming provisioning`: orders to the network, those that failed, and confirmations by hand."""

import json
from typing import Annotated, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.registrations.errors.provisioning import order_unknown
from shiming.registrations.model.provisioning import OrderState, ServiceOrder
from shiming.registrations.use_cases import service_orders
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Orders to operators' networks.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
OrderId = Annotated[str, typer.Argument(help="Reference of the order, PRV-...")]
LIMIT, LIMIT_MAX = 50, 1000  # a screen; more is walked by the API
TERMINAL = "terminal"  # who acts, where nobody signs in


class ProvisioningPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def provisioning(self) -> ProvisioningTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@app.command("list")
def list_orders(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    state: Annotated[list[OrderState] | None, typer.Option(help="Only in this state (repeat).")] = None,
    line: Annotated[str | None, typer.Option(help="Only of this line.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX)] = LIMIT,
    as_json: AsJson = False,
) -> None:
    """List orders, oldest first; `--state failed --state held` are those that need a person.

    Example: shiming provisioning list --state failed
    """
    platform: ProvisioningPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = service_orders.list_orders(
            connection, operator=operator, states=state or (), line_id=line, limit=limit
        )
    if as_json:
        typer.echo(json.dumps({"orders": [order.to_json() for order in found]}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Column, Table

    whole = (Column("order", no_wrap=True), Column("line", no_wrap=True))  # to be copied
    table = Table(*whole, "action", "state", "reason", "attempts", "since")
    for order in found:
        since = order.changed_at.isoformat(timespec="seconds")
        said = (order.state.value, order.reason or "-", str(order.attempts), since)
        table.add_row(order.order_id, order.line_id or f"? {order.service_id}", order.action.value, *said)
    Console().print(table)


@app.command()
def show(context: typer.Context, order: OrderId, as_json: AsJson = False) -> None:
    """Show one order and the whole state that it asks for.

    Example: shiming provisioning show PRV-0081-0G3G-50C7-1
    """
    platform: ProvisioningPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = service_orders.find_order(connection, order)
    if found is None:
        raise order_unknown()
    _print(found, as_json=as_json)


@app.command()
def retry(context: typer.Context, order: OrderId, as_json: AsJson = False) -> None:
    """Order again what a failed order wanted; prints the new order.

    Example: shiming provisioning retry PRV-0081-0G3G-50C7-1
    """
    platform: ProvisioningPlatform = context.obj()
    again = transact(
        platform.engine,
        lambda connection: service_orders.retry_order(
            platform.provisioning, connection, order, now=platform.clock.now()
        ),
    )
    _print(again, as_json=as_json)


@app.command()
def confirm(
    context: typer.Context,
    order: OrderId,
    reference: Annotated[str, typer.Option(help="Ticket on whose ground you say that it is done.")],
    as_json: AsJson = False,
) -> None:
    """Say that the network did what is ordered, where the operator has no BSS here.

    Example: shiming provisioning confirm PRV-0081-0G3G-50C7-1 --reference TICKET-4711
    """
    platform: ProvisioningPlatform = context.obj()
    done = transact(
        platform.engine,
        lambda connection: service_orders.confirm_by_hand(
            platform.provisioning,
            connection,
            order,
            reference=reference,
            by=TERMINAL,
            now=platform.clock.now(),
        ),
    )
    _print(done, as_json=as_json)


def _print(order: ServiceOrder, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(order.to_json(), ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False)
    for name, value in order.to_json().items():
        if value is not None:
            table.add_row(name, json.dumps(value) if isinstance(value, dict) else str(value))
    Console().print(table)
