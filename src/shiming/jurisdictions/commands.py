"""`shiming packs`: list, check, explain, show and hash policy packs."""

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # the commands import what they need when they run: --help stays fast
    from shiming.jurisdictions.explanations import Explanation
    from shiming.jurisdictions.pack_reader import Pack

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help=(
        "Rules of jurisdictions: dated, cited data.\n\n"
        "Example: shiming packs explain cn --on 2026-03-01 --language zh"
    ),
)

PackName = Annotated[str, typer.Argument(help="A built-in pack such as cn, or the folder of your own pack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
On = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="Day of the rules, YYYY-MM-DD; today if not given.")
]
Language = Annotated[str, typer.Option("--language", envvar="SHIMING_LANGUAGE", help="zh or en.")]


@app.command("list")
def list_packs(*, as_json: AsJson = False) -> None:
    """List the built-in packs with version, first day and hash.

    Example: shiming packs list
    """
    from shiming.jurisdictions.pack_reader import builtin_packs, read_pack

    packs = [read_pack(name) for name in builtin_packs()]
    if as_json:
        _print_json([_header(pack) for pack in packs])
        return
    for pack in packs:
        typer.echo(f"{pack.id}  {pack.version}  from {pack.effective}  {pack.header.title.en}")


@app.command()
def check(
    context: typer.Context,
    pack: Annotated[
        str | None, typer.Argument(help="A pack or a folder; all built-in packs if none.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Read packs, run their scenarios, and print what failed.

    Exit code 0: all well. 1: a scenario fails. 2: the pack cannot be read.

    Example: shiming packs check cn
    """
    from shiming.jurisdictions.pack_reader import builtin_packs, read_pack
    from shiming.jurisdictions.scenarios import run_scenarios

    checked = [read_pack(name) for name in ([pack] if pack else builtin_packs())]
    topics = context.obj().scenario_topics  # those of features too
    results = [(each, result) for each in checked for result in run_scenarios(each, topics)]
    rows = [
        {
            "pack": each.id,
            "file": result.file,
            "scenario": result.scenario.scenario,
            "passed": result.passed,
            "differences": list(result.differences),
        }
        for each, result in results
    ]
    failed = sum(not row["passed"] for row in rows)
    if as_json:
        _print_json({"packs": [_header(each) for each in checked], "scenarios": rows, "failed": failed})
    else:
        _print_checks(checked, rows, failed)
    raise typer.Exit(1 if failed else 0)


@app.command()
def explain(pack: PackName, *, on: On = None, language: Language = "en", as_json: AsJson = False) -> None:
    """Say every rule of a day in plain words, with the place where it is written.

    Example: shiming packs explain cn --on 2026-03-01 --language zh
    """
    from shiming.jurisdictions.explanations import explain as explain_policy
    from shiming.jurisdictions.explanations import sources_cited
    from shiming.jurisdictions.pack_reader import policy_on, read_pack

    policy = policy_on(read_pack(pack), day_of(on))
    explanations = explain_policy(policy, language)
    if as_json:
        _print_json(
            {
                "pack": policy.pack_id,
                "version": policy.pack_version,
                "on": policy.on.isoformat(),
                "content_hash": policy.content_hash,
                "rules": [each.to_json() for each in explanations],
            }
        )
        return
    typer.echo(f"{policy.pack_id} {policy.pack_version} · {policy.on} · {policy.content_hash}")
    _print_explanations(explanations, language)
    _print_sources(sources_cited(policy, language), language)


@app.command()
def show(
    pack: PackName,
    path: Annotated[str, typer.Argument(help="Show only values under this path, such as caps.")] = "",
    *,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Show the values of a day as the program reads them.

    Example: shiming packs show cn thresholds.face_similarity_min
    """
    from shiming.jurisdictions.explanations import explain as explain_policy
    from shiming.jurisdictions.pack_reader import policy_on, read_pack

    policy = policy_on(read_pack(pack), day_of(on))
    shown = [
        each for each in explain_policy(policy) if f"{each.path}.".startswith(f"{path}." if path else "")
    ]
    if not shown:
        raise _no_such_path(path)
    if as_json:
        _print_json({each.path: {"value": each.value, "citation": each.citation} for each in shown})
        return
    for each in shown:
        typer.echo(f"{each.path} = {json.dumps(each.value, ensure_ascii=False)}   # {each.citation}")


@app.command()
def diff(
    pack: PackName,
    other: Annotated[str | None, typer.Argument(help="Compare with this pack; the same one if none.")] = None,
    *,
    on: On = None,
    other_on: Annotated[
        str | None, typer.Option("--other-on", metavar="DATE", help="Day of the other; --on if not given.")
    ] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Show every value that two packs, or two days of one pack, say differently, with citations and dates.

    Examples: shiming packs diff cn pk   shiming packs diff cn --on 2025-06-01 --other-on 2026-03-01
    """
    from shiming.jurisdictions.pack_differences import differences_between, in_words
    from shiming.jurisdictions.pack_reader import policy_on, read_pack

    before = policy_on(read_pack(pack), day_of(on))
    after = policy_on(read_pack(other or pack), day_of(other_on or on))
    found = differences_between(before, after, language)
    if not as_json:
        typer.echo("\n".join(in_words(found, before, after, language)))
        return
    sides = {
        name: {"pack": side.pack_id, "on": side.on.isoformat(), "content_hash": side.content_hash}
        for name, side in (("before", before), ("after", after))
    }
    _print_json({**sides, "differences": [each.to_json() for each in found]})


@app.command("hash")
def print_hash(pack: PackName, *, as_json: AsJson = False) -> None:
    """Print the content hash that decisions cite.

    Example: shiming packs hash cn
    """
    from shiming.jurisdictions.pack_reader import read_pack

    read = read_pack(pack)
    if as_json:
        _print_json(_header(read))
        return
    typer.echo(read.content_hash)


def _header(pack: "Pack") -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "effective": pack.effective.isoformat(),
        "title": {"zh": pack.header.title.zh, "en": pack.header.title.en},
        "content_hash": pack.content_hash,
    }


def day_of(text: str | None) -> date:
    """Parse `--on`; the day of the command if it is not given."""
    from shiming.vocabulary.errors import BadInput, Text

    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            "DATE_INVALID",
            Text(zh="这不是日期。", en="This is no date."),
            Text(zh="请用 YYYY-MM-DD。", en="Use YYYY-MM-DD."),
            {"on": text},
        ) from None


def _no_such_path(path: str) -> Exception:
    from shiming.vocabulary.errors import BadInput, Text

    return BadInput(
        "PATH_UNKNOWN",
        Text(zh="规则包中没有这一项。", en="The pack has no such value."),
        Text(zh="不带路径可列出全部。", en="Without a path all are shown."),
        {"path": path},
    )


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _print_checks(packs: "list[Pack]", rows: list[dict[str, Any]], failed: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("", "pack", "scenario", "difference")
    for row in rows:
        mark = "[green]✓[/]" if row["passed"] else "[red]✗[/]"
        table.add_row(mark, row["pack"], row["scenario"], "\n".join(row["differences"]))
    console.print(table)
    for pack in packs:
        console.print(f"{pack.id} {pack.version}: {pack.content_hash}", soft_wrap=True)
    console.print(f"{len(rows) - failed} of {len(rows)} scenarios hold")


def _print_explanations(explanations: "tuple[Explanation, ...]", language: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    from shiming.jurisdictions.explanations import labels

    console = Console(highlight=False)
    words = {
        name: labels().terms[f"word.{name}"].in_language(language)
        for name in ("since", "until", "chosen_for")
    }
    place: tuple[str, str] = ("", "")
    for each in explanations:
        if each.section != place[0]:
            console.print(f"\n[bold]{escape(each.section)}[/]")
        if each.group and (each.section, each.group) != place:
            console.print(f"  [bold]{escape(each.group)}[/]")
        place = (each.section, each.group)
        console.print(f"  • {escape(each.text)}", soft_wrap=True)
        until = f", {words['until']} {each.until}" if each.until else ""
        source = f"{each.source} ({each.confidence_words}; {words['since']} {each.since}{until})"
        chosen_for = f"{words['chosen_for']}: {each.chosen_for}" if each.chosen_for else ""
        for line in (source, each.note, chosen_for):
            if line:
                console.print(f"      [dim]{escape(line)}[/]", soft_wrap=True)


def _print_sources(sources: tuple[tuple[str, str], ...], language: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    from shiming.jurisdictions.explanations import labels

    console = Console(highlight=False)
    console.print(f"\n[bold]{labels().terms['word.sources'].in_language(language)}[/]")
    for title, confidence in sources:
        console.print(f"  {escape(title)} [dim]({escape(confidence)})[/]", soft_wrap=True)
