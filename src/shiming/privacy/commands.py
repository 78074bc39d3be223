"""`shiming evidence`: see what is kept (never what is in it), erase it, check receipts and objects."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from shiming.vocabulary.errors import BadInput, Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from shiming.infrastructure.clock import Clock
    from shiming.privacy.model import EvidenceRef
    from shiming.privacy.use_cases.tools import PrivacyTools

REFUSED = 1
RECEIPT_BYTES_MAX = 100_000

evidence = typer.Typer(
    no_args_is_help=True, add_completion=False, help="What is kept of a person or a case; never its content."
)
app = evidence

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class PrivacyPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> "Engine": ...  # noqa: D102 - named by its type
    @property
    def privacy(self) -> "PrivacyTools": ...  # noqa: D102
    @property
    def clock(self) -> "Clock": ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


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
    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.vault import list_metadata

    _of_whom(subject, case)
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


@evidence.command()
def receipts(
    context: typer.Context,
    subject: Annotated[str | None, typer.Option(help="Pseudonym of the person.")] = None,
    case: Annotated[str | None, typer.Option(help="Reference of the case, such as a session.")] = None,
) -> None:
    """Print the signed deletion receipts of one person or one case, one JSON object a line.

    Example: shiming evidence receipts --case SES-0081-0G3G-50C7-1 > receipts.jsonl
    """
    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.erasure import list_deletion_receipts

    _of_whom(subject, case)
    platform: PrivacyPlatform = context.obj()
    with reading(platform.engine) as connection:
        for receipt in list_deletion_receipts(connection, subject=subject, case_reference=case):
            typer.echo(json.dumps(receipt, ensure_ascii=False))


@evidence.command("check-receipt")
def check_receipt(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file with one deletion receipt.")],
    public_key: Annotated[
        str | None, typer.Option(help="Key to trust, base64; without it that of this installation.")
    ] = None,
) -> None:
    """Check the signature of a deletion receipt; exit code 1 when it is not genuine.

    Example: shiming evidence check-receipt receipt.json
    """
    from shiming.infrastructure.canonical_json import parse_object
    from shiming.privacy.use_cases.erasure import deletion_receipt_is_genuine

    platform: PrivacyPlatform = context.obj()
    try:
        with file.open("rb") as opened:
            receipt = parse_object(opened.read(RECEIPT_BYTES_MAX + 1), bytes_max=RECEIPT_BYTES_MAX)
    except OSError as problem:
        raise BadInput(
            "RECEIPT_UNREADABLE",
            Text(zh="收据文件无法读取。", en="The file of the receipt cannot be read."),
            details={"reason": problem.strerror or type(problem).__name__},
        ) from problem
    genuine = deletion_receipt_is_genuine(receipt, public_key or platform.privacy.signer.public_key)
    said = (
        Text(zh="收据真实。", en="The receipt is genuine.")
        if genuine
        else Text(zh="收据不真实或由其他密钥签署。", en="The receipt was changed, or another key signed it.")
    )
    typer.echo(said.in_language(platform.language))
    raise typer.Exit(0 if genuine else REFUSED)


@evidence.command()
def erase(
    context: typer.Context,
    evidence_id: Annotated[str, typer.Argument(help="The piece; what shares its key is erased with it.")],
    why: Annotated[str, typer.Option(help="A code for the reason, such as holder_asked.")],
    actor: Annotated[str, typer.Option(help="Reference of who decided it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy the key of one piece of evidence: nobody can read it again, in no copy and no backup.

    Example: shiming evidence erase EVD-0081-0G3G-50C7-1 --why holder_asked --actor STF-0081-0G3G-50C7-1
    """
    from shiming.privacy.model import EvidenceUnknown
    from shiming.privacy.use_cases.erasure import erase_evidence, erasing

    platform: PrivacyPlatform = context.obj()
    question = Text(zh="销毁后无法恢复。继续？", en="This cannot be undone. Go on?")
    if not yes:
        typer.confirm(question.in_language(platform.language), abort=True)
    with erasing(platform.privacy, platform.engine) as connection:
        found = erase_evidence(
            platform.privacy, connection, evidence_id, why=why, actor=actor, now=platform.clock.now()
        )
    if isinstance(found, EvidenceUnknown):
        raise BadInput(
            "EVIDENCE_UNKNOWN",
            Text(zh="没有这份材料。", en="There is no such evidence."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    zh, en = f"已于 {found.erased_at.isoformat()} 销毁。", f"Erased at {found.erased_at.isoformat()}."
    typer.echo(Text(zh=zh, en=en).in_language(platform.language))


@evidence.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Look for evidence whose object is gone from its store; exit code 1 when there is any.

    Example: shiming evidence check
    """
    from shiming.privacy.use_cases.sweeping import list_missing_objects

    platform: PrivacyPlatform = context.obj()
    missing = list_missing_objects(platform.privacy, platform.engine)
    if as_json:
        typer.echo(json.dumps({"missing": list(missing)}))
    elif missing:
        zh, en = f"缺少 {len(missing)} 个材料文件：", f"{len(missing)} objects are missing:"
        typer.echo("\n".join((Text(zh=zh, en=en).in_language(platform.language), *missing)))
    else:
        typer.echo(Text(zh="材料文件齐全。", en="Every object is there.").in_language(platform.language))
    raise typer.Exit(REFUSED if missing else 0)


def _of_whom(subject: str | None, case: str | None) -> None:
    if subject is None and case is None:
        raise BadInput(
            "EVIDENCE_OF_WHOM",
            Text(zh="请指定人员或案件。", en="Name one person or one case."),
            Text(zh="使用 --subject 或 --case。", en="Use --subject or --case."),
        )


def _evidence_json(ref: "EvidenceRef") -> dict[str, Any]:
    return {
        "id": ref.evidence_id,
        "subject": ref.subject,
        "case": ref.case_reference,
        "operator": ref.operator,
        "line": ref.line_id,
        "kind": ref.kind.value,
        "purpose": ref.purpose.value,
        "retention_class": ref.retention_class.value,
        "bytes_stored": ref.bytes_stored,
        "stored_at": ref.stored_at.isoformat(),
        "retain_until": ref.retain_until and ref.retain_until.isoformat(),
        "erased_at": ref.erased_at and ref.erased_at.isoformat(),
        "erased_why": ref.erased_why,
    }
