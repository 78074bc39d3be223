"""Industry cards at a terminal: stock, sale, return, and what the network sees of them."""

from pathlib import Path
from typing import Annotated

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.iot_output import ContractId, card_fields, desk_of, do, print_fields
from shiming.registrations.commands.line_platform import (
    REFUSED,
    AsJson,
    LinePlatform,
    Operator,
    TableFile,
    print_import,
    print_refused,
)
from shiming.registrations.model.iot_profile import camara_bind_requests
from shiming.registrations.use_cases import (
    iot_cards,
    iot_contracts,
)
from shiming.registrations.use_cases.iot_contracts import IotRefused
from shiming.registrations.use_cases.iot_devices import Seen, Sighting, change_device, see_card
from shiming.registrations.use_cases.iot_sale import IotDesk, WantedCard
from shiming.registrations.use_cases.iot_stock import import_stock
from shiming.vocabulary.sim_identifiers import Iccid, Imei


def stock(context: typer.Context, table: TableFile, operator: Operator, as_json: AsJson = False) -> None:
    """Take cards into the stock from a table: iccid, imsi, number. Twice is once.

    Example: shiming iot stock cards.csv --operator north-mobile
    """
    platform: LinePlatform = context.obj()
    regions = platform.registration_policy.number_regions
    region = regions[0] if len(regions) == 1 else None
    with table.open("rb") as stream:
        report = import_stock(
            desk_of(platform),
            platform.engine,
            operator=operator,
            stream=stream,
            name=table.name,
            region=region,
        )
    print_import(report, as_json=as_json, language=platform.language)


def sell(
    context: typer.Context,
    contract: ContractId,
    iccid: Annotated[str | None, typer.Option(help="One card.")] = None,
    imei: Annotated[str | None, typer.Option(help="Its device.")] = None,
    session: Annotated[str | None, typer.Option(help="Proof of its actual user.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="Many: iccid, imei, session.", exists=True, dir_okay=False)
    ] = None,
    handler_session: Annotated[str | None, typer.Option(help="Fresh proof of the handler.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sell one card, or the cards of a table, under a contract.

    Example: shiming iot sell THG-0082-0C20-A1G7-D --iccid 89860112851234567891 --imei 356868000041418
    """
    platform: LinePlatform = context.obj()
    iot = IotDesk(desk_of(platform), platform.registration_policy)
    if table is not None:
        with table.open("rb") as stream:
            report = iot_cards.sell_table(
                iot,
                platform.engine,
                contract,
                stream=stream,
                name=table.name,
                handler_session=handler_session,
            )
        print_import(report, as_json=as_json, language=platform.language)
        return
    wanted = WantedCard(Iccid.parse(iccid or ""), Imei.parse(imei) if imei else None, session)
    (outcome,) = iot_cards.once_more(
        lambda: transact(
            platform.engine,
            lambda connection: iot_cards.sell_cards(
                iot, connection, contract, [wanted], handler_session=handler_session
            ),
        )
    )
    if isinstance(outcome, IotRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    print_fields(card_fields(outcome.card), as_json=as_json)


def card(
    context: typer.Context,
    iccid: Annotated[str, typer.Argument(help="Number of the card.")],
    as_json: AsJson = False,
) -> None:
    """Say where a card is, and how CAMARA iot-sim-fraud-prevention binds it.

    Example: shiming iot card 89860112851234567891 --json
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = iot_cards.find_card(connection, Iccid.parse(iccid))
        if found is None:
            raise iot_cards.card_unknown()
        contract = iot_contracts.find_contract(connection, found.contract or "")
    shown = card_fields(found)
    if contract is not None:
        shown["camara_bind"] = list(camara_bind_requests(contract.terms.binding, found.number))
    print_fields(shown, as_json=as_json)


def take_back(
    context: typer.Context,
    iccid: Annotated[str, typer.Argument(help="Number of the card.")],
    why: Annotated[str, typer.Option(help="A code such as device_broken.")],
    as_json: AsJson = False,
) -> None:
    """Take a sold card back: its line ends, its device and the place of its user are free.

    Example: shiming iot return 89860112851234567891 --why device_broken
    """
    platform: LinePlatform = context.obj()
    iot = IotDesk(desk_of(platform), platform.registration_policy)
    returned = transact(
        platform.engine,
        lambda connection: iot_cards.return_card(iot, connection, Iccid.parse(iccid), why=why),
    )
    print_fields(card_fields(returned), as_json=as_json)


def rebind(
    context: typer.Context,
    iccid: Annotated[str, typer.Argument(help="Number of the card.")],
    imei: Annotated[str, typer.Option(help="The device that it is in from now on.")],
    as_json: AsJson = False,
) -> None:
    """Bind a sold card to another device; the network gets the new fence.

    Example: shiming iot rebind 89860112851234567891 --imei 356868000041418
    """
    platform: LinePlatform = context.obj()
    card_number, device = Iccid.parse(iccid), Imei.parse(imei)
    outcome = do(platform, lambda desk, at: change_device(desk, at, card_number, device))
    if isinstance(outcome, IotRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    print_fields(card_fields(outcome), as_json=as_json)


def seen(
    context: typer.Context,
    iccid: Annotated[str, typer.Argument(help="Number of the card.")],
    imei: Annotated[str | None, typer.Option(help="Device that it was seen in.")] = None,
    outside_area: Annotated[
        bool, typer.Option("--outside-area", help="It was seen outside its area.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what the network saw with what a card is bound to; exit code 1 when its line was stopped.

    Example: shiming iot seen 89860112851234567891 --imei 356868000041418
    """
    sighting = Sighting(Iccid.parse(iccid), Imei.parse(imei) if imei else None, outside_area)
    outcome = do(context.obj(), lambda desk, at: see_card(desk, at, sighting))
    print_fields({"seen": outcome.value}, as_json=as_json)
    raise typer.Exit(REFUSED if outcome is Seen.BROKEN else 0)
