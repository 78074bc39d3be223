"""`shiming holder-clocks`: lines that wait for a new proof of their holder, and the proof."""

from datetime import date, datetime
from typing import Annotated

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    AsJson,
    LinePlatform,
    line_of,
    print_json,
    print_refused,
    print_table,
    rules_of,
)
from shiming.registrations.model.holder_clocks import HandoverRefused, HolderClock
from shiming.registrations.use_cases import holder_clocks
from shiming.registrations.use_cases.handovers import complete_handover

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Coming of age, and documents that end.")


@app.command("list")
def list_clocks(
    context: typer.Context,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    due_until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what is due until this day.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List lines that wait, or will wait, for a new proof.

    Example: shiming holder-clocks list --due-until 2026-12-31
    """
    platform: LinePlatform = context.obj()
    until: date | None = due_until.date() if due_until else None
    with reading(platform.engine) as connection:
        found = holder_clocks.list_clocks(connection, operator=operator, due_until=until, limit=LISTED_MAX)
    _print(found, as_json=as_json)


@app.command("handover")
def hand_over(
    context: typer.Context,
    line: Annotated[str, typer.Argument(help="Reference or number of the line.")],
    session: Annotated[str, typer.Option(help="Session in which the holder was proven anew.")],
    as_json: AsJson = False,
) -> None:
    """Put a line on a new proof of its holder; what it was stopped for is lifted.

    Example: shiming holder-clocks handover REG-0082-0C20-A1G7-D --session SES-0084-0C20-A1G7-H
    """
    platform: LinePlatform = context.obj()
    found = line_of(platform, line)
    outcome = transact(
        platform.engine,
        lambda connection: complete_handover(
            platform.registrations,
            connection,
            found.line_id,
            session,
            policy=rules_of(platform),
            now=platform.clock.now(),
            today=platform.today(),
        ),
    )
    if isinstance(outcome, HandoverRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    _print(outcome.clocks, as_json=as_json)


@app.command("run")
def run(context: typer.Context, as_json: AsJson = False) -> None:
    """Remind and stop what is due today, as the worker does each morning.

    Example: shiming holder-clocks run
    """
    platform: LinePlatform = context.obj()
    moved = 0
    while batch := holder_clocks.run_clocks(
        platform.registrations,
        platform.engine,
        policy=rules_of(platform),
        now=platform.clock.now(),
        today=platform.today(),
    ):
        moved += batch
    if as_json:
        print_json({"moved": moved})
    else:
        typer.echo(moved)


def _print(clocks: tuple[HolderClock, ...], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "line": clock.line_id,
                "operator": clock.operator,
                "clock": clock.kind.value,
                "due_on": clock.due_on.isoformat(),
                "state": clock.state.value,
            }
            for clock in clocks
        ]
        print_json({"clocks": rows})
        return
    rows_shown = [(clock.line_id, clock.kind.value, clock.due_on, clock.state.value) for clock in clocks]
    print_table(("line", "clock", "due on", "state"), rows_shown)
