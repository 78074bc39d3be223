"""`shiming orders`: what is asked for with one proof, until it is registered."""

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Channel, EntryKind, ProductClass
from shiming.registrations.commands.line_platform import (
    AsJson,
    LinePlatform,
    Operator,
    print_json,
    print_refused,
    print_table,
    rules_of,
)
from shiming.registrations.model.lines import LineKind, SimForm, read_identifier
from shiming.registrations.model.ordering import (
    NewOrder,
    OrderDetails,
    OrderRefused,
    OrderTaken,
    PlaceKept,
)
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import check_operator, check_session
from shiming.registrations.use_cases import orders, places
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Orders: what is asked for with one proof."
)

Session = Annotated[str, typer.Argument(help="Reference of the proofing session, SES-...")]
Identifier = Annotated[str | None, typer.Option(help="Number (E.164), or account of internet access.")]
IccidText = Annotated[str | None, typer.Option("--iccid", help="ICCID of the card or eSIM profile.")]
ImsiText = Annotated[str | None, typer.Option("--imsi", help="IMSI.")]
Form = Annotated[SimForm | None, typer.Option("--sim-form", help="A card, or an eSIM.")]
Address = Annotated[
    Path | None, typer.Option("--install-address-file", help="File with the install address.", exists=True)
]


@app.command("open")
def open_(
    context: typer.Context,
    session: Session,
    operator: Operator,
    kind: Annotated[LineKind, typer.Option(help="What the line is, technically.")],
    product: Annotated[ProductClass, typer.Option(help="What is sold.")],
    channel: Annotated[Channel, typer.Option(help="Where the person applies.")],
    entry: Annotated[EntryKind, typer.Option(help="What is done.")] = EntryKind.OPEN,
    identifier: Identifier = None,
    iccid: IccidText = None,
    imsi: ImsiText = None,
    sim_form: Form = None,
    install_address_file: Address = None,
    organisation: Annotated[str | None, typer.Option(help="The holder, ORG-...")] = None,
    contract: Annotated[str | None, typer.Option(help="Contract of the organisation.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open the order of a session.

    Example: shiming orders open SES-0082-0C20-A1G7-D --operator north-mobile --kind mobile --product voice
    --channel shop --identifier +8613800138000 --iccid 89860112851234567891 --sim-form physical
    """
    platform: LinePlatform = context.obj()
    check_operator(operator)
    check_session(session)
    wanted = NewOrder(
        session_id=session,
        operator=operator,
        kind=kind,
        product_class=product,
        channel=channel,
        entry=entry,
        organisation=organisation,
        contract=contract,
        details=_details(platform, kind, (identifier, iccid, imsi), sim_form, install_address_file),
    )
    outcome = transact(
        platform.engine,
        lambda connection: orders.open_order(
            platform.registrations,
            connection,
            wanted,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )
    _print_taken(outcome, platform, as_json=as_json)


@app.command()
def change(
    context: typer.Context,
    session: Session,
    identifier: Identifier = None,
    iccid: IccidText = None,
    imsi: ImsiText = None,
    sim_form: Form = None,
    install_address_file: Address = None,
    as_json: AsJson = False,
) -> None:
    """Change number, SIM or install address; another number takes the confirmation back.

    Example: shiming orders change SES-0082-0C20-A1G7-D --identifier +8613800138001
    """
    platform: LinePlatform = context.obj()

    def work(connection: Connection) -> OrderTaken | OrderRefused:
        order = orders.hold_order(connection, session, operator=None)
        return orders.change_order(
            platform.registrations,
            connection,
            order,
            _details(platform, order.kind, (identifier, iccid, imsi), sim_form, install_address_file),
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    _print_taken(transact(platform.engine, work), platform, as_json=as_json)


@app.command()
def show(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Show the order of a session.

    Example: shiming orders show SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        order = orders.find_order(connection, session, operator=None)
    if order is None:
        raise orders.order_unknown()
    _print_order(order, as_json=as_json)


@app.command()
def abandon(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Give an order up, and the place under the cap that it keeps.

    Example: shiming orders abandon SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()

    def work(connection: Connection) -> OrderRefused | None:
        order = orders.hold_order(connection, session, operator=None)
        now, policy = platform.clock.now(), rules_of(platform)
        return orders.abandon_order(platform.registrations, connection, order, policy=policy, now=now)

    outcome = transact(platform.engine, work)
    if outcome is not None:
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
    if as_json:
        print_json({"session": session, "abandoned": True})
    else:
        typer.echo({"zh": "订单已放弃。"}.get(platform.language, "The order is abandoned."))


@app.command("keep-place")
def keep_place(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Keep one place under the cap for the proven holder of an order; it runs out by itself.

    Example: shiming orders keep-place SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()

    def work(connection: Connection) -> PlaceKept | OrderRefused:
        order = orders.hold_order(connection, session, operator=None)
        policy, now = platform.registration_policy, platform.clock.now()
        return places.keep_place(platform.registrations, connection, order, policy=policy, now=now)

    kept = transact(platform.engine, work)
    if isinstance(kept, OrderRefused):
        print_refused(kept.refusals, as_json=as_json, language=platform.language)
    else:
        print_json(
            {"session": session, "until": kept.until and kept.until.isoformat(), "remaining": kept.remaining}
        )


def _details(
    platform: LinePlatform,
    kind: LineKind,
    typed: tuple[str | None, str | None, str | None],
    sim_form: SimForm | None,
    address: Path | None,
) -> OrderDetails:
    identifier, iccid, imsi = typed
    policy = platform.registration_policy
    regions = policy.number_regions
    region = regions[0] if len(regions) == 1 else None
    return OrderDetails(
        identifier=read_identifier(identifier, kind, region, also=policy.number_series)
        if identifier
        else None,
        iccid=Iccid.parse(iccid) if iccid else None,
        imsi=Imsi.parse(imsi) if imsi else None,
        sim_form=sim_form,
        install_address=address.read_text(encoding="utf-8") if address else None,
    )


def _print_taken(outcome: OrderTaken | OrderRefused, platform: LinePlatform, *, as_json: bool) -> None:
    if isinstance(outcome, OrderRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
    else:
        _print_order(outcome.order, as_json=as_json)


def _print_order(order: LineOrder, *, as_json: bool) -> None:
    fields = _order_json(order)
    if as_json:
        print_json({"order": fields})
        return
    print_table(("order", order.session_id), ((name, value) for name, value in fields.items() if value))


def _order_json(order: LineOrder) -> dict[str, Any]:
    said, terms, behalf = order.confirmation, order.terms, order.representative
    return {
        "session": order.session_id,
        "operator": order.operator,
        "entry": order.entry.value,
        "kind": order.kind.value,
        "product_class": order.product_class.value,
        "channel": order.channel.value,
        "holder_kind": order.holder_kind.value,
        "organisation": order.organisation,
        "category": order.category,
        "identifier": order.identifier.reveal("shown to who orders") if order.identifier else None,
        "iccid": order.iccid,
        "imsi": order.imsi,
        "sim_form": order.sim_form and order.sim_form.value,
        "install_address": order.install_address,
        "representative": behalf and behalf.role.value,
        "terms": terms and terms.version,
        "confirmed": said and said.method.value,
        "place_kept_until": order.cap_reserved_until and order.cap_reserved_until.isoformat(),
        "review": order.review,
    }
