"""`shiming enterprise`: links by which actual users prove themselves, and how far they came."""

from typing import Annotated

import typer

from shiming.infrastructure.database import reading
from shiming.registrations.commands.enterprise_output import (
    LISTED_MAX,
    Contract,
    find,
    print_fields,
    run_verb,
)
from shiming.registrations.commands.organisation_output import (
    AsJson,
    EnterprisePlatform,
)
from shiming.registrations.use_cases import actual_user_links
from shiming.registrations.use_cases.link_tokens import LINK_PATH


def links(
    context: typer.Context,
    reference: Contract,
    number: Annotated[list[str] | None, typer.Option(help="For this line; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make links by which actual users prove themselves; each goes to the contact of its user.

    Where the table named no contact, the link is shown, this once.

    Example: shiming enterprise links ENT-0082-0C20-A1G7-D --number +8613800138000
    """
    platform: EnterprisePlatform = context.obj()
    made = run_verb(
        platform,
        reference,
        lambda desk, at, found: actual_user_links.make_links(desk, at, found, number or None),
        as_json=as_json,
    )
    rows = [
        {
            "number": link.number,
            "user": link.user_reference,
            "path": f"{LINK_PATH}/{link.token}" if link.token else None,
            "notice": link.notice_id,
            "expires_at": link.expires_at.isoformat(),
        }
        for link in made
    ]
    if as_json:
        print_fields({"links": rows}, as_json=True)
        return
    for row in rows:
        where = row["path"] or f"to the contact, {row['notice']}"
        typer.echo(f"{row['number']}  {row['user']}  {where}  {row['expires_at']}")


def sent(
    context: typer.Context,
    reference: Contract,
    arrived: Annotated[
        bool | None, typer.Option("--arrived/--not-arrived", help="Only those that did, or did not.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List links that are to be used, and how far they came; `links --number` sends a new one.

    Example: shiming enterprise sent ENT-0082-0C20-A1G7-D --not-arrived
    """
    platform: EnterprisePlatform = context.obj()
    with reading(platform.engine) as connection:
        found = find(connection, reference)
        listed = actual_user_links.list_sent_links(connection, found, arrived=arrived, limit=LISTED_MAX)
    rows = [
        {
            "number": link.number,
            "user": link.user_reference,
            "notice": link.notice_id,
            "state": link.state.value if link.state else None,
            "why": link.failure,
            "expires_at": link.expires_at.isoformat(),
        }
        for link in listed
    ]
    if as_json:
        print_fields({"links": rows}, as_json=True)
        return
    for row in rows:
        typer.echo(f"{row['number']}  {row['user']}  {row['state'] or '-':<10}  {row['why'] or ''}")
