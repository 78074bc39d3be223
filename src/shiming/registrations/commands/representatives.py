"""`shiming representatives`: name who acts for the holder of an order."""

from pathlib import Path
from typing import Annotated

import typer

from shiming.infrastructure.database import reading, transact
from shiming.registrations.commands.line_platform import (
    AsJson,
    LinePlatform,
    print_json,
    print_refused,
    print_table,
    rules_of,
)
from shiming.registrations.model.orders import Relation, Representative, RepresentativeRole
from shiming.registrations.model.representation import RepresentationRefused
from shiming.registrations.use_cases import representation
from shiming.vocabulary.errors import BadInput, Text

PICTURE_BYTES_MAX = 30 << 20  # as an upload over HTTP
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Those who act for the holder of an order."
)
Order = Annotated[str, typer.Argument(help="Session of the holder, by which the order is known, SES-...")]


@app.command("document")
def keep_document(
    context: typer.Context,
    session: Order,
    picture: Annotated[Path, typer.Argument(help="JPEG or PNG.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Keep the letter of authority, or what shows the guardianship, with an order.

    Example: shiming representatives document SES-0082-0C20-A1G7-D letter.jpg
    """
    platform: LinePlatform = context.obj()
    _require_picture(picture)
    with picture.open("rb") as source:
        ref = representation.keep_authority_document(
            platform.registrations,
            platform.engine,
            session,
            source,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )
    if as_json:
        print_json({"order": session, "authority_document": ref.evidence_id})
    else:
        typer.echo(ref.evidence_id)


@app.command("name")
def name_representative(
    context: typer.Context,
    session: Order,
    by: Annotated[str, typer.Option(help="Session in which the representative was proven.")],
    role: Annotated[str, typer.Option(help="proxy or guardian.")] = RepresentativeRole.PROXY.value,
    document: Annotated[str | None, typer.Option(help="Reference of the document, EVD-...")] = None,
    relation: Annotated[Relation | None, typer.Option(help="What a guardian is to the minor.")] = None,
    as_json: AsJson = False,
) -> None:
    """Name the proxy or guardian of an order; the same one again changes nothing.

    Example: shiming representatives name SES-0082-0C20-A1G7-D --by SES-0083-0C20-A1G7-F --document EVD-1
    """
    platform: LinePlatform = context.obj()
    named = Representative(_role(role), by, authority_evidence=document, relation=relation)
    outcome = transact(
        platform.engine,
        lambda connection: representation.name_representative(
            platform.registrations,
            connection,
            session,
            named,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, RepresentationRefused):
        print_refused(outcome.refusals, as_json=as_json, language=platform.language)
        return
    _print(session, outcome.representative, as_json=as_json)


@app.command("show")
def show_representative(context: typer.Context, session: Order, as_json: AsJson = False) -> None:
    """Show who acts for the holder of an order.

    Example: shiming representatives show SES-0082-0C20-A1G7-D
    """
    platform: LinePlatform = context.obj()
    with reading(platform.engine) as connection:
        order = representation.find_order_of(connection, session)
    if order.representative is None:
        raise BadInput(
            "REPRESENTATIVE_NOT_NAMED",
            Text(zh="该办理单没有代办人。", en="Nobody acts for the holder of this order."),
            Text(zh="请先登记代办人。", en="Name a representative first."),
        )
    _print(session, order.representative, as_json=as_json)


def _role(text: str) -> RepresentativeRole:
    if text not in {RepresentativeRole.PROXY.value, RepresentativeRole.GUARDIAN.value}:
        raise BadInput(
            "REPRESENTATIVE_ROLE",
            Text(zh="角色应为 proxy 或 guardian。", en="The role is proxy or guardian."),
            Text(
                zh="单位的经办人请用 shiming organisations handler。",
                en="The handler of an organisation is named by `shiming organisations handler`.",
            ),
        )
    return RepresentativeRole(text)


def _require_picture(path: Path) -> None:
    with path.open("rb") as source:
        first = source.read(8)
    if not first.startswith(_PICTURES) or path.stat().st_size > PICTURE_BYTES_MAX:
        raise BadInput(
            "CONTENT_NOT_AS_STATED",
            Text(zh="文件不是可用的图片。", en="This file is no picture that can be used."),
            Text(zh="请提供不超过30MB的JPEG或PNG。", en="Give a JPEG or PNG of at most 30 MB."),
        )


def _print(session: str, behalf: Representative, *, as_json: bool) -> None:
    shown = {
        "order": session,
        "role": behalf.role.value,
        "session": behalf.session_id,
        "authority_document": behalf.authority_evidence,
        "relation": behalf.relation and behalf.relation.value,
    }
    if as_json:
        print_json(shown)
    else:
        print_table(("", ""), list(shown.items()))
