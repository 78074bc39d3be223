"""What the commands about lines of organisations share."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import transact
from shiming.registrations.commands.organisation_output import (
    REFUSED,
    EnterprisePlatform,
    desk_of,
    show_refusals,
)
from shiming.registrations.model.enterprise_lines import (
    EnterpriseContract,
    EnterpriseRefused,
)
from shiming.registrations.use_cases import enterprise_lines
from shiming.registrations.use_cases.enterprise_import import contract_unknown
from shiming.registrations.use_cases.organisations import Desk

LISTED_MAX = 1000  # a screen that can be scrolled; programs page through the API

Contract = Annotated[str, typer.Argument(help="Reference of the contract, ENT-...")]
Number = Annotated[str, typer.Argument(help="Number of the line, such as +8613800138000.")]


def run_verb(
    platform: EnterprisePlatform,
    reference: str,
    verb: Callable[[Desk, Connection, EnterpriseContract], Any],
    *,
    as_json: bool,
) -> Any:
    """Run a verb on a contract in a transaction; exit code 1 with every reason when it refuses."""
    desk = desk_of(platform)
    done = transact(platform.engine, lambda connection: verb(desk, connection, find(connection, reference)))
    return or_exit(platform, done, as_json=as_json)


def or_exit(platform: EnterprisePlatform, outcome: Any, *, as_json: bool) -> Any:
    """Return an outcome, or exit with every reason."""
    if isinstance(outcome, EnterpriseRefused):
        show_refusals(outcome.refusals, as_json=as_json, language=platform.language)
        raise typer.Exit(REFUSED)
    return outcome


def find(connection: Connection, reference: str) -> EnterpriseContract:
    """Return a contract by its reference; raise BadInput."""
    found = enterprise_lines.find_contract(connection, reference.upper())
    if found is None:
        raise contract_unknown()
    return found


def print_fields(shown: dict[str, Any], *, as_json: bool) -> None:
    """Print one object."""
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for name, value in shown.items():
        if value is not None:
            typer.echo(f"{name}: {value}")
