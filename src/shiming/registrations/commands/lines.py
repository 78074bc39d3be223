"""`shiming lines`: see a line, stop and restore it, see why it is stopped, end it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopActor, StopReason
from shiming.registrations.commands.line_platform import (
    REFUSED,
    AsJson,
    LinePlatform,
    line_of,
    print_json,
    print_refused,
    print_table,
    rules_of,
)
from shiming.registrations.commands.reconciling import reconcile
from shiming.registrations.commands.registrations import show
from shiming.registrations.commands.reviews import over_cap
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import LineStanding, LineStop, StopLifted, StopRefused, StopSet
from shiming.registrations.rules.projections import line_projections
from shiming.registrations.use_cases import stops
from shiming.registrations.use_cases.lines import terminate_line
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Registered lines, their status and stops."
)
app.command()(show)
# Sub-commands of other topics are added here, a line each.
app.command()(reconcile)
app.command("over-cap")(over_cap)


class ActingAs(StrEnum):
    """For whom somebody at the terminal acts; a rule with a clock acts inside."""

    HOLDER = "holder"
    CLERK = "clerk"
    COMPLIANCE = "compliance"


LineNamed = Annotated[str, typer.Argument(help="Reference of the line, or its number.")]
Reason = Annotated[StopReason, typer.Option(help="Why.")]
As = Annotated[ActingAs, typer.Option("--as", help="For whom you act; the pack says who may.")]


@app.command()
def stop(
    context: typer.Context,
    line: LineNamed,
    reason: Reason,
    acting_as: As,
    reference: Annotated[str, typer.Option(help="The case, order or complaint, such as CASE-2026-17.")],
    at: Annotated[str | None, typer.Option(help="Since when, with time zone; without: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Stop a line for a reason; emergency calls stay.

    Example: shiming lines stop REG-0082-0C20-A1G7-D --reason lost_sim --as holder --reference CALL-77
    """
    platform: LinePlatform = context.obj()
    found, since = line_of(platform, line), _instant(at)

    def work(connection: Connection) -> StopSet | StopRefused:
        return stops.set_stop(
            platform.registrations,
            connection,
            found.line_id,
            reason=reason,
            actor=StopActor(acting_as.value),
            reference=reference,
            at=since,
            now=platform.clock.now(),
            policy=rules_of(platform),
        )

    outcome = transact(platform.engine, work)
    if isinstance(outcome, StopRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    changed = (outcome.stop,)
    _print_changed(found.line_id, outcome.before, outcome.after, changed, as_json=as_json, platform=platform)


@app.command()
def lift(
    context: typer.Context,
    line: LineNamed,
    reason: Reason,
    acting_as: As,
    reference: Annotated[str | None, typer.Option(help="Only the stop of this case or order.")] = None,
    as_json: AsJson = False,
) -> None:
    """Lift the stops of a reason; what else stops the line stays.

    Example: shiming lines lift REG-0082-0C20-A1G7-D --reason lost_sim --as clerk
    """
    platform: LinePlatform = context.obj()
    found = line_of(platform, line)

    def work(connection: Connection) -> StopLifted | StopRefused:
        return stops.lift_stop(
            platform.registrations,
            connection,
            found.line_id,
            reason=reason,
            actor=StopActor(acting_as.value),
            reference=reference,
            now=platform.clock.now(),
            policy=rules_of(platform),
        )

    outcome = transact(platform.engine, work)
    if isinstance(outcome, StopRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    _print_changed(
        found.line_id, outcome.before, outcome.after, outcome.stops, as_json=as_json, platform=platform
    )


@app.command()
def history(context: typer.Context, line: LineNamed, as_json: AsJson = False) -> None:
    """Show every stop that a line has or had, and what its holder is told about those that stand.

    Example: shiming lines history REG-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    standing = _standing(platform, line)
    if as_json:
        print_json({"line": standing.line.line_id, "stops": [_stop_json(each) for each in standing.stops]})
        return
    headings = ("stop", "reason", "level", "reference", "set", "by", "lifted", "by")
    print_table(headings, (_stop_row(each) for each in standing.stops))
    for each in standing.open_stops:
        for text in (each.words.reason, each.words.remedy, each.words.materials):
            typer.echo(f"{each.reason.value}: {text.in_language(platform.language)}")


@app.command()
def status(context: typer.Context, line: LineNamed, as_json: AsJson = False) -> None:
    """Show how a line stands, also in the words of CAMARA and TM Forum.

    Example: shiming lines status +8613800138000
    """
    platform: LinePlatform = context.obj()
    standing = _standing(platform, line)
    told: dict[str, Any] = {
        "line": standing.line.line_id,
        "status": standing.line.status.value,
        "reasons": sorted({each.reason.value for each in standing.open_stops}),
        **line_projections(standing.line.status),
    }
    if as_json:
        print_json(told)
    else:
        print_table(("", standing.line.line_id), tuple(told.items())[1:])


@app.command()
def terminate(
    context: typer.Context,
    line: LineNamed,
    why: Annotated[str, typer.Option(help="A code, such as holder_asked.")],
    as_json: AsJson = False,
) -> None:
    """End a line for good: its number rests, its place under the cap is free, retention clocks start.

    Example: shiming lines terminate REG-0082-0C20-A1G7-D --why holder_asked
    """
    platform: LinePlatform = context.obj()
    if not why.isascii() or not why.replace("_", "").isalpha() or not why.islower():
        raise BadInput(
            "TERMINATION_WHY",
            Text(zh="原因应为小写字母和下划线。", en="The reason is lower-case letters and underscores."),
        )
    found = line_of(platform, line)
    ended = transact(
        platform.engine,
        lambda connection: terminate_line(
            platform.registrations,
            connection,
            found.line_id,
            why=why,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    after = ended.status if ended else LineStatus.TERMINATED
    _print_changed(found.line_id, found.status, after, (), as_json=as_json, platform=platform)


def _standing(platform: LinePlatform, named: str) -> LineStanding:
    line_id = line_of(platform, named).line_id
    with reading(platform.engine) as connection:
        standing = stops.line_status(connection, line_id)
    if standing is None:  # lines are never removed
        raise typer.Exit(REFUSED)
    return standing


def _print_changed(
    line_id: str,
    before: LineStatus,
    after: LineStatus,
    changed: tuple[LineStop, ...],
    *,
    as_json: bool,
    platform: LinePlatform,
) -> None:
    if as_json:
        told = {"line": line_id, "before": before.value, "after": after.value}
        print_json({**told, "stops": [_stop_json(each) for each in changed]})
        return
    typer.echo(f"{line_id}: {before.value} -> {after.value}")
    for each in changed:
        typer.echo(
            f"  {each.stop_id} {each.reason.value}: {each.words.remedy.in_language(platform.language)}"
        )


def _stop_json(each: LineStop) -> dict[str, Any]:
    return {
        "id": each.stop_id,
        "reason": each.reason.value,
        "level": each.level.value,
        "reference": each.reference,
        "set_at": each.set_at.isoformat(),
        "set_by": each.set_by.value,
        "lifted_at": each.lifted_at and each.lifted_at.isoformat(),
        "lifted_by": each.lifted_by and each.lifted_by.value,
        "holder_is_told": each.words.to_json(),
    }


def _stop_row(each: LineStop) -> tuple[object, ...]:
    return (
        each.stop_id,
        each.reason.value,
        each.level.value,
        each.reference,
        each.set_at.isoformat(),
        each.set_by.value,
        each.lifted_at and each.lifted_at.isoformat(),
        each.lifted_by and each.lifted_by.value,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
