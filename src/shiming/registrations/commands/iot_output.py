"""What the commands about industry cards share."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import transact
from shiming.registrations.commands.line_platform import (
    LinePlatform,
    print_json,
    print_table,
    rules_of,
)
from shiming.registrations.model.iot import (
    IotCard,
    IotContract,
)
from shiming.registrations.use_cases.organisations import Desk

T = TypeVar("T")
ContractId = Annotated[str, typer.Argument(help="Reference of the contract, THG-...")]
CaseId = Annotated[str, typer.Argument(help="Reference of the case, RSE-...")]
By = Annotated[str, typer.Option(help="Account of who decides.")]
Evidence = Annotated[str, typer.Option(help="Reference of the paper, such as EVD-...")]


def desk_of(platform: LinePlatform) -> Desk:
    """Return what the verbs work with."""
    return Desk(platform.registrations, rules_of(platform), platform.clock.now(), platform.today())


def do(platform: LinePlatform, work: Callable[[Desk, Connection], T]) -> T:
    """Run a verb in one transaction."""
    desk = desk_of(platform)
    return transact(platform.engine, lambda connection: work(desk, connection))


def print_fields(shown: dict[str, Any], *, as_json: bool) -> None:
    """Print one thing, for programs or for people."""
    if as_json:
        print_json(shown)
        return
    print_table(("", ""), ((name, value) for name, value in shown.items() if value is not None))


def contract_fields(contract: IotContract) -> dict[str, Any]:
    """Return what is shown of a contract."""
    return {
        "contract": contract.contract_id,
        "operator": contract.operator,
        "organisation": contract.organisation,
        "scene": contract.scene,
        "traffic": contract.traffic.value,
        "cards_max": contract.cards_max,
        "status": contract.status.value,
        "signed_at": contract.signed_at.isoformat(),
    }


def card_fields(card: IotCard) -> dict[str, Any]:
    """Return what is shown of a card, masked."""
    return {
        "iccid": card.iccid.masked(),
        "number": card.number.masked(),
        "state": card.state.value,
        "contract": card.contract,
        "imei": None if card.imei is None else card.imei.masked(),
        "line": card.line_id,
        "actual_user": card.actual_user,
    }
