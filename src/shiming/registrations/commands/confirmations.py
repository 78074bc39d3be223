"""`shiming confirmations`: let the customer confirm what is opened, and take what they read back."""

from typing import Annotated, NoReturn

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
from shiming.registrations.errors.contracts import ConfirmationRefusal
from shiming.registrations.model.confirmation import CodeIssued, Confirmed, NotConfirmed
from shiming.registrations.model.enterprise_lines import LINES_CONFIRMED_MAX
from shiming.registrations.model.lines import Line
from shiming.registrations.use_cases import confirmations, contract_confirmations
from shiming.registrations.use_cases.confirmation_delivery import find_own_line, send_code
from shiming.registrations.use_cases.terms import find_operator_of_order, unknown_order
from shiming.vocabulary.refusals import Refusal

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The customer confirms one line and its number.\n\nExample: shiming confirmations send SES-...",
)
Session = Annotated[str, typer.Argument(help="Reference of the order's session.")]
Contract = Annotated[str, typer.Argument(help="Reference of the organisation's contract, ENT-...")]
Code = Annotated[str, typer.Argument(help="The code that the customer read from their telephone.")]
Lines = Annotated[int, typer.Option(min=1, max=LINES_CONFIRMED_MAX, help="Lines in all.")]
LINK_PATH = "/v1/confirmations"


@app.command()
def send(
    context: typer.Context,
    session: Session,
    own_line: Annotated[
        bool, typer.Option("--own-line", help="Send the code to a line that the customer holds, no link.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the customer's link as a QR code for their own telephone; the code itself is not printed.

    Example: shiming confirmations send SES-0081-0G3G-50C7-1
    """
    platform = platform_of(context)
    operator = _operator(platform, session)
    line = _own_line(platform, session, operator, as_json=as_json) if own_line else None
    outcome = transact(
        platform.engine,
        lambda connection: confirmations.issue_code(
            platform.registrations,
            connection,
            session,
            operator=operator,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if line is None or isinstance(outcome, NotConfirmed):
        _show(platform, outcome, {"session": session}, as_json=as_json)
    elif send_code(platform.notices.port, line, outcome):
        expires = outcome.expires_at.isoformat()
        sent = {"session": session, "lines": outcome.matter.lines, "expires_at": expires}
        said = f"{line.line_id}  {expires}"
        print_outcome({**sent, "sent_to": line.line_id}, as_json=as_json, said=said)
    else:
        _no_own_line(platform, as_json=as_json)


@app.command()
def take(
    context: typer.Context,
    session: Session,
    code: Code,
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
    _settle(platform, outcome, {"session": session}, as_json=as_json)


@app.command("send-contract")
def send_contract(context: typer.Context, contract: Contract, lines: Lines, as_json: AsJson = False) -> None:
    """Show the handler's link as a QR code: so many lines of a contract, present ones included.

    Example: shiming confirmations send-contract ENT-0082-0C20-A1G7-D --lines 120
    """
    platform = platform_of(context)
    outcome = transact(
        platform.engine,
        lambda connection: contract_confirmations.issue_contract_code(
            platform.registrations,
            connection,
            contract,
            lines,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    _show(platform, outcome, {"contract": contract}, as_json=as_json)


@app.command("take-contract")
def take_contract(
    context: typer.Context, contract: Contract, code: Code, lines: Lines, as_json: AsJson = False
) -> None:
    """Take the code that the handler read back: the contract has so many lines at most.

    Example: shiming confirmations take-contract ENT-0082-0C20-A1G7-D 482913 --lines 120
    """
    platform = platform_of(context)
    outcome = transact(
        platform.engine,
        lambda connection: contract_confirmations.confirm_contract_lines(
            platform.registrations,
            connection,
            contract,
            lines,
            code,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    _settle(platform, outcome, {"contract": contract}, as_json=as_json)


def _own_line(platform: ContractPlatform, session: str, operator: str, *, as_json: bool) -> Line:
    with reading(platform.engine) as connection:
        found = find_own_line(connection, session, operator)
    return found or _no_own_line(platform, as_json=as_json)


def _no_own_line(platform: ContractPlatform, *, as_json: bool) -> NoReturn:
    citation = contract_policy(platform).confirmation_digits.citation
    refusal = Refusal(ConfirmationRefusal.CONFIRMATION_NO_OWN_LINE, citation)
    refuse((refusal,), as_json=as_json, language=platform.language)


def _show(
    platform: ContractPlatform,
    outcome: CodeIssued | NotConfirmed,
    about: dict[str, str],
    *,
    as_json: bool,
) -> None:
    """Print the link of a code; the code itself is for the customer's eyes."""
    if isinstance(outcome, NotConfirmed):
        refuse(outcome.refusals, as_json=as_json, language=platform.language)
    link = f"{platform.settings.public_url}{LINK_PATH}/{outcome.link_token}"
    expires = outcome.expires_at.isoformat()
    sent = {**about, "lines": outcome.matter.lines, "expires_at": expires, "attempts": outcome.attempts}
    said = f"{in_terminal(link)}\n{link}\n{expires}"
    print_outcome({**sent, "link": link}, as_json=as_json, said=said)


def _settle(
    platform: ContractPlatform,
    outcome: Confirmed | NotConfirmed,
    about: dict[str, str],
    *,
    as_json: bool,
) -> None:
    if isinstance(outcome, NotConfirmed):
        left = None if outcome.attempts_left is None else {"attempts_left": outcome.attempts_left}
        refuse(outcome.refusals, as_json=as_json, language=platform.language, details=left)
    at, lines = outcome.confirmed_at.isoformat(), outcome.matter.lines
    given = {**about, "lines": lines, "method": outcome.method.value, "confirmed_at": at}
    print_outcome(given, as_json=as_json, said=f"{'  '.join(about.values())}  {lines}  {at}")


def _operator(platform: ContractPlatform, session: str) -> str:
    with reading(platform.engine) as connection:
        operator = find_operator_of_order(connection, session)
    if operator is None:
        raise unknown_order()
    return operator
