"""`shiming numbers`: the pool of an operator."""

from typing import Annotated, Any

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.line_platform import (
    LISTED_MAX,
    REFUSED,
    AsJson,
    LinePlatform,
    Operator,
    TableFile,
    print_import,
    print_json,
    print_refused,
    print_table,
    read_number,
    rules_of,
)
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberBlock, NumberNotGiven
from shiming.registrations.rules.number_pool import state_of
from shiming.registrations.rules.projections import number_resource
from shiming.registrations.use_cases import free_numbers, number_blocks, numbers
from shiming.registrations.use_cases.free_numbers import NumbersWanted

app = typer.Typer(no_args_is_help=True, add_completion=False, help="An operator's pool of numbers.")
FREE_SHOWN_MAX = 100

Number = Annotated[str, typer.Argument(help="Number, such as +8613800138000.")]
HeldFor = Annotated[str, typer.Option("--for", help="Session or organisation: SES-... or ORG-...")]
OnlyOperator = Annotated[str | None, typer.Option("--operator", help="Of this operator only.")]


@app.command("add-block")
def add_block(
    context: typer.Context,
    operator: Operator,
    first: Annotated[str, typer.Option(help="First number, or a prefix with an x for each open digit.")],
    last: Annotated[str, typer.Option(help="Last number.")] = "",
    kind: Annotated[LineKind, typer.Option(help="Lines that the numbers are for.")] = LineKind.MOBILE,
    excluded: Annotated[bool, typer.Option("--excluded", help="Never to be given out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a range to the pool, or take one out for good; the same one again changes nothing.

    Example: shiming numbers add-block --operator north-mobile --first +861380013xxxx
    """
    platform: LinePlatform = context.obj()
    new = number_blocks.read_block(operator, first, last, kind, excluded=excluded)
    plan = platform.registration_policy
    number_blocks.require_plan(new.range, plan.number_regions, also=plan.number_series)
    outcome = transact(
        platform.engine,
        lambda connection: number_blocks.add_block(
            platform.registrations,
            connection,
            new,
            now=platform.clock.now(),
            policy=rules_of(platform),
        ),
    )
    if isinstance(outcome, NumberNotGiven):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    if as_json:
        print_json({**_block_json(outcome.block), "repeated": outcome.repeated})
    else:
        typer.echo(f"{outcome.block.block_id}: {new.range.first} - {new.range.last} ({new.range.size})")


@app.command("blocks")
def list_blocks(context: typer.Context, operator: OnlyOperator = None, as_json: AsJson = False) -> None:
    """List ranges and exclusions, at most 200; programs page through the API.

    Example: shiming numbers blocks --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = numbers.list_blocks(connection, operator, limit=LISTED_MAX)
    if as_json:
        print_json({"blocks": [_block_json(block) for block in found]})
        return
    headings = ("block", "operator", "first", "last", "kind", "excluded")
    print_table(headings, (tuple(_block_json(block).values()) for block in found))


@app.command("import")
def import_blocks(
    context: typer.Context, table: TableFile, operator: OnlyOperator = None, as_json: AsJson = False
) -> None:
    """Take in a table of ranges: operator, first, last, kind, excluded. Bad rows are reported.

    Example: shiming numbers import ranges.csv --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    with table.open("rb") as stream:
        report = number_blocks.import_blocks(
            platform.registrations,
            platform.engine,
            stream,
            table.name,
            operator=operator,
            regions=platform.registration_policy.number_regions,
            now=platform.clock.now(),
            policy=rules_of(platform),
        )
    print_import(report, as_json=as_json, language=platform.language)


@app.command()
def free(
    context: typer.Context,
    operator: Operator,
    kind: Annotated[LineKind | None, typer.Option(help="For lines of this kind.")] = None,
    ending: Annotated[str, typer.Option(help="Last digits that are wished for.")] = "",
    block: Annotated[str | None, typer.Option(help="Only in this range, RNG-...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=FREE_SHOWN_MAX, help="How many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Find free numbers, from a place that chance chooses.

    Example: shiming numbers free --operator north-mobile --ending 88
    """
    platform: LinePlatform = context.obj()
    wanted = NumbersWanted.parse(operator, kind, ending, block)
    with reading(platform.engine) as connection:
        found = free_numbers.find_free(
            platform.registrations, connection, wanted, limit=limit, now=platform.clock.now()
        )
    shown = [number.reveal("shown to who chooses") for number in found.numbers]
    if as_json:
        print_json({"numbers": shown})
    else:
        typer.echo("\n".join(shown) or {"zh": "没有空闲号码。"}.get(platform.language, "None is free."))
    raise typer.Exit(0 if shown else REFUSED)


@app.command("show")
def show_number(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Say where a number stands: free, reserved, in service, resting, excluded or outside of every pool.

    Example: shiming numbers show +8613800138000
    """
    platform: LinePlatform = context.obj()
    wanted = read_number(platform, number)
    with reading(platform.engine) as connection:
        facts = numbers.number_facts(connection, wanted)
    state = state_of(facts, platform.clock.now())
    told: dict[str, Any] = {
        "number": wanted.reveal("shown to who named it"),
        "state": state.value,
        "operator": facts.operator,
        "line": facts.line_id,
        "until": facts.hold and facts.hold.until.isoformat(),
        "tmf639_resource": number_resource(state).to_json(),
    }
    if as_json:
        print_json(told)
    else:
        print_table(("", state.value), tuple(told.items()))


@app.command()
def reserve(
    context: typer.Context, number: Number, operator: Operator, held_for: HeldFor, as_json: AsJson = False
) -> None:
    """Keep a number for a session or an organisation.

    Example: shiming numbers reserve +8613800138000 --operator north-mobile --for SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    wanted = read_number(platform, number)
    outcome = transact(
        platform.engine,
        lambda connection: numbers.reserve_number(
            platform.registrations,
            connection,
            wanted,
            operator=operator,
            held_for=held_for,
            now=platform.clock.now(),
            policy=rules_of(platform),
        ),
    )
    if isinstance(outcome, NumberNotGiven):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    told = {"held_for": held_for, "until": outcome.until.isoformat(), "repeated": outcome.repeated}
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{held_for}: {outcome.until.isoformat()}")


@app.command()
def release(
    context: typer.Context, number: Number, operator: Operator, held_for: HeldFor, as_json: AsJson = False
) -> None:
    """Keep a number no longer.

    Example: shiming numbers release +8613800138000 --operator north-mobile --for SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    wanted = read_number(platform, number)
    released = transact(
        platform.engine,
        lambda connection: numbers.release_number(
            platform.registrations,
            connection,
            wanted,
            operator=operator,
            held_for=held_for,
            now=platform.clock.now(),
        ),
    )
    if as_json:
        print_json({"released": released})
    elif not released:
        typer.echo({"zh": "该号码未为其预留。"}.get(platform.language, "It was not kept for this one."))
    raise typer.Exit(0 if released else REFUSED)


def _block_json(block: NumberBlock) -> dict[str, Any]:
    return {
        "id": block.block_id,
        "operator": block.operator,
        "first": block.range.first,
        "last": block.range.last,
        "kind": block.kind.value,
        "excluded": block.excluded,
    }
