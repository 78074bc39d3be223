"""`shiming applicant-links`: hand an order over to the applicant's own phone."""

from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import transact
from shiming.infrastructure.settings import Settings
from shiming.registrations.commands.line_platform import (
    AsJson,
    LinePlatform,
    print_json,
    print_refused,
    rules_of,
)
from shiming.registrations.model.applicant_links import ApplicantLinkMade, ApplicantLinkRefused
from shiming.registrations.use_cases import applicant_links, orders

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Links for applicants: an order on their own phone."
)
Session = Annotated[str, typer.Argument(help="Reference of the proofing session of the order, SES-...")]


class _Platform(LinePlatform):
    settings: Settings


@app.command()
def make(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Make a link to an order; it is shown once, and the one before opens nothing any more.

    Example: shiming applicant-links make SES-0082-0C20-A1G7-D
    """
    platform: _Platform = context.obj()

    def work(connection: Connection) -> ApplicantLinkMade | ApplicantLinkRefused:
        order = orders.hold_order(connection, session, operator=None)
        return applicant_links.make_link(
            platform.registrations,
            connection,
            order,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    made = transact(platform.engine, work)
    if isinstance(made, ApplicantLinkRefused):
        print_refused(made.refusals, as_json=as_json, language=platform.language)
        return
    link = f"{platform.settings.public_url}/a/{made.token}"
    if as_json:
        print_json({"session": session, "link": link, "expires_at": made.expires_at.isoformat()})
        return
    typer.echo(f"{link}\n{made.expires_at.isoformat()}")  # the link whole, on a line of its own


@app.command()
def revoke(context: typer.Context, session: Session, as_json: AsJson = False) -> None:
    """Let no link of an order open anything any more.

    Example: shiming applicant-links revoke SES-0082-0C20-A1G7-D
    """
    platform: _Platform = context.obj()

    def work(connection: Connection) -> bool:
        order = orders.hold_order(connection, session, operator=None)
        return applicant_links.revoke_links(platform.registrations, connection, order, platform.clock.now())

    revoked = transact(platform.engine, work)
    if as_json:
        print_json({"session": session, "revoked": revoked})
        return
    zh = "链接已撤回。" if revoked else "没有可用的链接。"
    en = "The link is revoked." if revoked else "There was no link that worked."
    typer.echo(zh if platform.language.startswith("zh") else en)
