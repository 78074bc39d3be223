"""`shiming terms`: publish terms of service, read and compare versions, record an acceptance."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.infrastructure.canonical_json import parse_object
from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import Channel
from shiming.registrations.commands.contract_output import (
    AsJson,
    contract_policy,
    platform_of,
    print_outcome,
    read_bytes,
    refuse,
)
from shiming.registrations.model.terms import AcceptTerms, PublishedTerms, TermsRefused
from shiming.registrations.model.terms_document import TermsDocument
from shiming.registrations.use_cases import terms
from shiming.vocabulary.errors import BadInput, Text

LISTED_MAX = 100  # a version a quarter for twenty-five years

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Terms of service by version.\n\nExample: shiming terms publish terms.toml",
)
Operator = Annotated[str, typer.Option(help="Code of the operator, such as cn-mobile.")]
Version = Annotated[str, typer.Argument(help="Name of the version, such as 2026-01.")]


@app.command()
def publish(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML or JSON: operator, version, effective_from, clauses.")],
    as_json: AsJson = False,
) -> None:
    """Publish a version; it never changes and is never deleted. The same file again changes nothing.

    Example: shiming terms publish terms-2026-01.toml
    """
    platform, document = platform_of(context), TermsDocument.read(_read(file))
    outcome = transact(
        platform.engine,
        lambda connection: terms.publish_terms(
            platform.registrations,
            connection,
            document.terms(),
            policy=contract_policy(platform),
            today=platform.today(),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, TermsRefused):
        refuse(outcome.refusals, as_json=as_json, language=platform.language)
    published = outcome.published
    said = f"{published.terms.version}  {published.content_hash}"
    print_outcome({**_listed(published), "repeated": outcome.repeated}, as_json=as_json, said=said)


@app.command("list")
def list_versions(context: typer.Context, operator: Operator, as_json: AsJson = False) -> None:
    """List the versions of an operator, the one that takes effect last first.

    Example: shiming terms list --operator cn-mobile
    """
    platform = platform_of(context)
    with reading(platform.engine) as connection:
        found = terms.list_terms(connection, operator, limit=LISTED_MAX)
        current = terms.find_terms_in_force(connection, operator, platform.today())
    rows = [{**_listed(each), "in_force": each == current} for each in found]
    lines = [
        f"{'*' if row['in_force'] else ' '} {row['version']}  {row['effective_from']}  {row['content_hash']}"
        for row in rows
    ]
    print_outcome({"items": rows}, as_json=as_json, said="\n".join(lines))


@app.command()
def show(
    context: typer.Context,
    operator: Operator,
    version: Annotated[
        str | None, typer.Argument(help="Name of the version; in force today if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a version as customers read it, in the user's language.

    Example: shiming terms show --operator cn-mobile
    """
    platform = platform_of(context)
    with reading(platform.engine) as connection:
        found = (
            terms.find_terms_in_force(connection, operator, platform.today())
            if version is None
            else terms.find_terms(connection, operator, version)
        )
    if found is None:
        raise _unknown()
    spoken = platform.language
    clauses = [f"[{each.name}]\n{each.text.in_language(spoken)}" for each in found.terms.clauses]
    title = found.terms.title.in_language(spoken)
    said = "\n\n".join([f"{title} ({found.terms.version})", *clauses])
    content = {**found.terms.content(), "content_hash": found.content_hash}
    print_outcome(content, as_json=as_json, said=said)


@app.command()
def diff(
    context: typer.Context,
    before: Version,
    after: Version,
    operator: Operator,
    as_json: AsJson = False,
) -> None:
    """Show which clauses differ between two versions.

    Example: shiming terms diff 2026-01 2026-02 --operator cn-mobile
    """
    platform = platform_of(context)
    with reading(platform.engine) as connection:
        changes = terms.compare_terms(connection, operator, before, after)
    if changes is None:
        raise _unknown()
    lines, rows = [], []
    for change in changes:
        was, now = (
            None if text is None else text.in_language(platform.language)
            for text in (change.before, change.after)
        )
        lines += [f"[{change.name}]", *(f"- {was}" for _ in "1" if was), *(f"+ {now}" for _ in "1" if now)]
        pair = (change.before, change.after)
        rows.append({"name": change.name, "before": _json(pair[0]), "after": _json(pair[1])})
    print_outcome({"changes": rows}, as_json=as_json, said="\n".join(lines))


@app.command()
def accept(
    context: typer.Context,
    session: Annotated[str, typer.Argument(help="Reference of the order's session.")],
    version: Annotated[str, typer.Option(help="Version that the customer was shown.")],
    content_hash: Annotated[str, typer.Option("--hash", help="Its hash, as it was shown with it.")],
    *,
    spoken: Annotated[
        str, typer.Option("--language", help="Language that it was shown in: zh or en.")
    ] = "zh",
    channel: Annotated[Channel | None, typer.Option(help="Where; the order's if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record that the customer of an order accepted the terms in force.

    Example: shiming terms accept SES-0081-0G3G-50C7-1 --version 2026-01 --hash sha256:...
    """
    platform = platform_of(context)
    if spoken not in {"zh", "en"}:
        raise BadInput(
            "LANGUAGE_UNKNOWN",
            Text(zh="语言应为 zh 或 en。", en="The language is zh or en."),
        )
    with reading(platform.engine) as connection:
        operator = terms.find_operator_of_order(connection, session)
    if operator is None:
        raise terms.unknown_order()
    outcome = transact(
        platform.engine,
        lambda connection: terms.accept_terms(
            platform.registrations,
            connection,
            AcceptTerms(session, version, content_hash, spoken, channel),
            operator=operator,
            policy=contract_policy(platform),
            today=platform.today(),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, TermsRefused):
        refuse(outcome.refusals, as_json=as_json, language=platform.language)
    accepted = {
        "session": session,
        "version": version,
        "accepted_at": outcome.acceptance.accepted_at.isoformat(),
        "repeated": outcome.repeated,
    }
    print_outcome(accepted, as_json=as_json, said=f"{session}  {version}  {accepted['accepted_at']}")


def _read(file: Path) -> dict[str, Any]:
    content = read_bytes(file)
    if file.suffix.lower() == ".json":
        return parse_object(content)
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(
            "TERMS_DOCUMENT_INVALID",
            Text(zh="服务协议文件不是有效的 TOML。", en="The document of terms is no valid TOML."),
            Text(zh="请检查文件；示例见 docs/how-to/receipts.md。", en="See docs/how-to/receipts.md."),
        ) from problem


def _listed(published: PublishedTerms) -> dict[str, Any]:
    return {
        "operator": published.terms.operator,
        "version": published.terms.version,
        "effective_from": published.terms.effective_from.isoformat(),
        "content_hash": published.content_hash,
        "published_at": published.published_at.isoformat(),
    }


def _json(text: Text | None) -> dict[str, str] | None:
    return None if text is None else text.to_json()


def _unknown() -> BadInput:
    return BadInput(
        "TERMS_UNKNOWN",
        Text(zh="没有这个服务协议版本。", en="There is no such version of the terms."),
        Text(zh="可用版本见 shiming terms list。", en="See: shiming terms list"),
    )
