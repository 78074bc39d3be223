"""`shiming sims`: the stock of cards, and the cards of a line."""

from typing import Annotated, Any

import typer

from shiming.infrastructure.database import reading
from shiming.registrations.commands.line_platform import (
    REFUSED,
    AsJson,
    LinePlatform,
    TableFile,
    line_of,
    print_import,
    print_json,
    print_table,
)
from shiming.registrations.rules.projections import card_resource
from shiming.registrations.use_cases import sims
from shiming.vocabulary.sim_identifiers import Iccid

app = typer.Typer(no_args_is_help=True, add_completion=False, help="SIM cards and eSIM profiles.")


@app.command("import")
def import_sims(
    context: typer.Context,
    table: TableFile,
    operator: Annotated[str | None, typer.Option(help="Of this operator only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a table of cards: iccid, imsi, form, operator. Bad rows are reported and passed over.

    Example: shiming sims import cards.csv --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    with table.open("rb") as stream:
        report = sims.import_sims(
            platform.registrations,
            platform.engine,
            stream,
            table.name,
            operator=operator,
            now=platform.clock.now(),
        )
    print_import(report, as_json=as_json, language=platform.language)


@app.command()
def show(
    context: typer.Context,
    iccid: Annotated[str, typer.Argument(help="Number of the card.")],
    as_json: AsJson = False,
) -> None:
    """Say where a card stands.

    Example: shiming sims show 89860112851234567891
    """
    platform: LinePlatform = context.obj()
    wanted = Iccid.parse(iccid)
    with reading(platform.engine) as connection:
        card = sims.find_sim(connection, wanted)
    if card is None:
        if as_json:
            print_json({"sim": None})
        else:
            typer.echo({"zh": "没有这张卡。"}.get(platform.language, "There is no such card."))
        raise typer.Exit(REFUSED)
    told: dict[str, Any] = {
        "iccid": card.iccid.masked(),
        "imsi": card.imsi.masked(),
        "operator": card.operator,
        "form": card.form.value,
        "state": card.state.value,
        "line": card.line_id,
        "tmf639_resource": card_resource(card.state).to_json(),
    }
    if as_json:
        print_json({"sim": told})
    else:
        print_table(("", card.iccid.masked()), tuple(told.items())[1:])


@app.command()
def history(
    context: typer.Context,
    line: Annotated[str, typer.Argument(help="Reference of the line, or its number.")],
    as_json: AsJson = False,
) -> None:
    """Show the cards that a line has and had, and when the last change was.

    Example: shiming sims history REG-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    line_id = line_of(platform, line).line_id
    with reading(platform.engine) as connection:
        uses = sims.sims_of_line(connection, line_id)
        change = sims.swap_date(connection, line_id)
    if as_json:
        cards = [
            {
                "position": use.position,
                "iccid": use.iccid.masked(),
                "since": use.since.isoformat(),
                "until": use.until and use.until.isoformat(),
            }
            for use in uses
        ]
        swapped = change is not None and change.swapped
        print_json({"line": line_id, "cards": cards, "swapped": swapped})
        return
    rows = ((use.position, use.iccid.masked(), use.since.isoformat(), use.until) for use in uses)
    print_table(("", "ICCID", "since", "until"), rows)
