"""`shiming iot`: industry cards - assess, contract, stock, sell, see, report, reconcile."""

import typer

from shiming.registrations.commands import iot_cards, iot_contracts, iot_reports

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Industry cards of companies.")
for _command in (
    iot_contracts.paper,
    iot_contracts.assess,
    iot_contracts.conclude,
    iot_contracts.contracts,
    iot_contracts.end,
    iot_cards.stock,
    iot_cards.sell,
    iot_cards.card,
    iot_cards.rebind,
    iot_cards.seen,
    iot_reports.end_users,
    iot_reports.declare,
    iot_reports.reconcile,
    iot_reports.resold,
    iot_reports.uphold,
    iot_reports.dismiss,
    iot_reports.appeal,
):
    app.command()(_command)
app.command("return")(iot_cards.take_back)
