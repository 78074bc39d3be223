"""`shiming confirmations`: let the customer confirm what is opened, and take what they read back."""

from typing import Annotated

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.contract_output import (
    AsJson,
    ContractPlatform,
    contract_policy,
    platform_of,
    print_outcome,
    refuse,
)
from shiming.registrations.connectors.qr_receipt import in_terminal
from shiming.registrations.model.confirmation import NotConfirmed
from shiming.registrations.use_cases import confirmations
from shiming.registrations.use_cases.terms import find_operator_of_order, unknown_order

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The customer confirms one line and its number.\n\nExample: shiming confirmations send SES-...",
)
Session = Annotated[str, typer.Argument(help="Reference of the order's session.")]
LINK_PATH = "/v1/confirmations"


@app.command()
def send(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Show the customer's link as a QR code for their own telephone; the code itself is not printed.

    Example: shiming confirmations send SES-0081-0G3G-50C7-1
    """
    platform = platform_of(context)
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.issue_code(
            platform.registrations,
            connection,
            session,
            operator=_operator(platform, session),
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, NotConfirmed):
        refuse(outcome.refusals, as_json=as_json, language=platform.language)
    link = f"{platform.settings.public_url}{LINK_PATH}/{outcome.link_token}"
    sent = {
        "session": session,
        "lines": outcome.matter.lines,
        "expires_at": outcome.expires_at.isoformat(),
        "attempts": outcome.attempts,
        "link": link,
    }
    print_outcome(sent, as_json=as_json, said=f"{in_terminal(link)}\n{link}\n{sent['expires_at']}")


@app.command()
def take(
    context: typer.Context,
    session: Session,
    code: Annotated[str, typer.Argument(help="The code that the customer read from their telephone.")],
    as_json: AsJson = False,
) -> None:
    """Take the code that the customer read back: it confirms one line and its number.

    Example: shiming confirmations take SES-0081-0G3G-50C7-1 482913
    """
    platform = platform_of(context)
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.confirm_line(
            platform.registrations,
            connection,
            session,
            code,
            operator=_operator(platform, session),
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, NotConfirmed):
        left = None if outcome.attempts_left is None else {"attempts_left": outcome.attempts_left}
        refuse(outcome.refusals, as_json=as_json, language=platform.language, details=left)
    given = {
        "session": session,
        "lines": outcome.matter.lines,
        "method": outcome.method.value,
        "confirmed_at": outcome.confirmed_at.isoformat(),
    }
    print_outcome(given, as_json=as_json, said=f"{session}  1  {given['confirmed_at']}")


def _operator(platform: ContractPlatform, session: str) -> str:
    with reading(platform.engine) as connection:
        operator = find_operator_of_order(connection, session)
    if operator is None:
        raise unknown_order()
    return operator
