"""`shiming ledger`: seal, verify and prove the record."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.privacy.ledger_command_line import (
    REFUSED,
    AsJson,
    platform_of,
    print_findings,
    print_json,
    read_file,
)
from shiming.privacy.ledger_cosignature_commands import add_cosignatures
from shiming.privacy.ledger_proof_commands import check_proof, consistency, prove, witness
from shiming.vocabulary.errors import Text

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The tamper-evident ledger: a leaf for whatever was decided, sealed under signed checkpoints."
    "\n\nExample: shiming ledger verify --from checkpoint.txt",
)


@app.command()
def seal(context: typer.Context, as_json: AsJson = False) -> None:
    """Seal what was committed up to now; `shiming worker` does it every second.

    Exit code 1 when a leaf is not as it was written: its lane waits there. Example: shiming ledger seal
    """
    from shiming.privacy.use_cases.sealing import seal_ledger

    platform = platform_of(context)
    older = tuple(key for key in platform.ledger_keys if key != platform.ledger_signer.key)
    done = seal_ledger(
        platform.engine, platform.keys, platform.ledger_signer, platform.clock, older_keys=older
    )
    if as_json:
        print_json(
            {
                "leaves": done.leaves,
                "batches": done.batches,
                "size": done.size,
                "stopped": [{"at": one.at, "why": one.why.value} for one in done.stopped],
            }
        )
    else:
        zh, en = (
            f"封存 {done.leaves} 条，共 {done.size} 条。",
            f"Sealed {done.leaves} leaves; {done.size} in all.",
        )
        typer.echo(Text(zh=zh, en=en).in_language(platform.language))
        print_findings(done.stopped, len(done.stopped), platform.language)
    raise typer.Exit(REFUSED if done.stopped else 0)


@app.command()
def verify(
    context: typer.Context,
    kept: Annotated[
        Path | None,
        typer.Option("--from", metavar="CHECKPOINT", help="A checkpoint that was kept outside; - is stdin."),
    ] = None,
    leaf: Annotated[
        str | None,
        typer.Option(help="A leaf that was kept outside, LEAF:HASH, the two that a receipt carries."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every leaf, the tree and all checkpoints; exit code 1 when anything was tampered with.

    Example: shiming ledger verify --from checkpoint.txt
    """
    from shiming.privacy.model import LedgerVerified
    from shiming.privacy.use_cases.signed_checkpoints import known_checkpoint
    from shiming.privacy.use_cases.verifying import parse_leaf, verify_ledger

    platform = platform_of(context)
    known = None if kept is None else known_checkpoint(read_file(kept), platform.ledger_keys)
    known_leaf = None if leaf is None else parse_leaf(leaf)
    with _progress(quiet=as_json) as progress:
        found = verify_ledger(
            platform.engine,
            platform.keys,
            platform.ledger_keys,
            witnesses=platform.witness_keys,
            known_checkpoint=known,
            known_leaf=known_leaf,
            progress=progress,
        )
    if as_json:
        print_json(_found_json(found))
    elif isinstance(found, LedgerVerified):
        zh = f"账本完整：{found.leaves} 条记录，其中 {found.sealed} 条已封存。"
        en = f"The ledger is whole: {found.leaves} leaves, {found.sealed} of them sealed."
        typer.echo(Text(zh=zh, en=en).in_language(platform.language))
    else:
        print_findings(found.findings, found.found, platform.language)
    raise typer.Exit(0 if isinstance(found, LedgerVerified) else REFUSED)


@app.command()
def checkpoint(
    context: typer.Context,
    key: Annotated[
        bool, typer.Option("--key", help="Print the key that verifies checkpoints instead.")
    ] = False,
) -> None:
    """Print the newest checkpoint, a signed note; keep it where nobody can change both it and the ledger.

    Example: shiming ledger checkpoint > checkpoint.txt
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.proving import latest_checkpoint

    platform = platform_of(context)
    if key:
        typer.echo(platform.ledger_signer.key.text)
        return
    with reading(platform.engine) as connection:
        newest = latest_checkpoint(connection)
    if newest is None:
        nothing = Text(zh="尚未封存任何记录。", en="Nothing is sealed yet; run: shiming ledger seal")
        typer.echo(nothing.in_language(platform.language), err=True)
        raise typer.Exit(REFUSED)
    typer.echo(newest.note, nl=False)


app.command()(prove)
app.command()(consistency)
app.command("check-proof")(check_proof)
app.command()(witness)
app.command("add-cosignatures")(add_cosignatures)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Show a bar on stderr with leaves done, leaves in all and the time left; nothing when quiet."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _found_json(found: Any) -> dict[str, Any]:
    from shiming.privacy.model import LedgerVerified

    if isinstance(found, LedgerVerified):
        return {"verified": True, "leaves": found.leaves, "sealed": found.sealed}
    return {
        "verified": False,
        "at": found.at,
        "why": found.why.value,
        "text": found.why.text.to_json(),
        "found": found.found,
        "findings": [{"at": one.at, "why": one.why.value} for one in found.findings],
    }
