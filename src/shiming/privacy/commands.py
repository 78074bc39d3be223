"""`shiming ledger` and `shiming evidence`: check the record, and see what is kept - never what is in it."""

import json
import re
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.privacy.model import EvidenceRef, LedgerBroken, LedgerHead, LedgerVerified
from shiming.privacy.use_cases.ledger import verify_ledger
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import list_metadata
from shiming.vocabulary.errors import BadInput, Text

REFUSED = 1
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")

ledger = typer.Typer(no_args_is_help=True, add_completion=False, help="The tamper-evident ledger.")
evidence = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What is kept of a person or a case; never its content."
)
app = ledger

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class PrivacyPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def privacy(self) -> PrivacyTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@ledger.callback()
def ledger_root() -> None:
    """Keep `verify` a sub-command while it is the only one."""


@ledger.command()
def verify(
    context: typer.Context,
    known_head: Annotated[
        str | None, typer.Option(help="A head kept outside, SEQUENCE:HASH, as receipts carry it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every leaf of the ledger; exit code 1 when one was changed, removed, moved or added.

    Example: shiming ledger verify --known-head 12:5f0c...
    """
    platform: PrivacyPlatform = context.obj()
    head = None if known_head is None else _parse_head(known_head)
    found = _verify(platform, head, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(_found_json(found), ensure_ascii=False))
    elif isinstance(found, LedgerVerified):
        zh, en = f"账本完整：{found.head}", f"The ledger is whole; its head is {found.head}"
        typer.echo(Text(zh=zh, en=en).in_language(platform.language))
    else:
        why = found.why.text.in_language(platform.language)
        typer.echo(f"{found.why} ({found.at}): {why}")
    raise typer.Exit(0 if isinstance(found, LedgerVerified) else REFUSED)


@evidence.callback()
def evidence_root() -> None:
    """Keep `list` a sub-command while it is the only one."""


@evidence.command("list")
def list_evidence(
    context: typer.Context,
    subject: Annotated[str | None, typer.Option(help="Pseudonym of the person.")] = None,
    case: Annotated[str | None, typer.Option(help="Reference of the case, such as a session.")] = None,
    as_json: AsJson = False,
) -> None:
    """List kind, dates and state of the evidence of one person or one case.

    Example: shiming evidence list --case SES-0081-0G3G-50C7-1
    """
    if subject is None and case is None:
        raise BadInput(
            "EVIDENCE_OF_WHOM",
            Text(zh="请指定人员或案件。", en="Name one person or one case."),
            Text(zh="使用 --subject 或 --case。", en="Use --subject or --case."),
        )
    platform: PrivacyPlatform = context.obj()
    with reading(platform.engine) as connection:
        rows = [
            _evidence_json(ref) for ref in list_metadata(connection, subject=subject, case_reference=case)
        ]
    if as_json:
        typer.echo(json.dumps({"evidence": rows}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("evidence", "kind", "purpose", "stored", "keep until", "erased")
    for row in rows:
        names = ("id", "kind", "purpose", "stored_at", "retain_until", "erased_at")
        table.add_row(*(str(row[name] or "-") for name in names))
    Console().print(table)


def _verify(
    platform: PrivacyPlatform, head: LedgerHead | None, *, as_json: bool
) -> LedgerVerified | LedgerBroken:
    if as_json:
        return verify_ledger(platform.engine, platform.privacy.keys, known_head=head)
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} leaves"))
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("", total=None)
        return verify_ledger(
            platform.engine,
            platform.privacy.keys,
            known_head=head,
            progress=lambda sequence: progress.update(task, completed=sequence),
        )


def _parse_head(text: str) -> LedgerHead:
    found = _HEAD.fullmatch(text.strip())
    if not found:
        raise BadInput(
            "LEDGER_HEAD_FORMAT",
            Text(zh="账本头格式不正确。", en="This is no ledger head."),
            Text(zh="格式为 序号:哈希。", en="Write SEQUENCE:HASH, as on a receipt."),
        )
    return LedgerHead(int(found.group(1)), found.group(2))


def _found_json(found: LedgerVerified | LedgerBroken) -> dict[str, Any]:
    if isinstance(found, LedgerVerified):
        return {"verified": True, "leaves": found.head.sequence, "head": str(found.head)}
    return {"verified": False, "at": found.at, "why": found.why.value, "text": found.why.text.to_json()}


def _evidence_json(ref: EvidenceRef) -> dict[str, Any]:
    return {
        "id": ref.evidence_id,
        "subject": ref.subject,
        "case": ref.case_reference,
        "kind": ref.kind.value,
        "purpose": ref.purpose.value,
        "retention_class": ref.retention_class.value,
        "bytes_stored": ref.bytes_stored,
        "stored_at": ref.stored_at.isoformat(),
        "retain_until": ref.retain_until and ref.retain_until.isoformat(),
        "erased_at": ref.erased_at and ref.erased_at.isoformat(),
        "erased_why": ref.erased_why,
    }
