"""`shiming evidence`: see what is kept - never what is in it."""

import json
from typing import Annotated, Any, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.privacy.model import EvidenceRef
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import list_metadata
from shiming.vocabulary.errors import BadInput, Text

evidence = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What is kept of a person or a case; never its content."
)
app = evidence

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class PrivacyPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def privacy(self) -> PrivacyTools: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


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
