"""What the commands of the ledger share: the platform they run on, files, output."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from shiming.vocabulary.errors import BadInput, Text

if TYPE_CHECKING:  # the commands import what they need when they run: --help stays fast
    from sqlalchemy.engine import Engine

    from shiming.infrastructure.clock import Clock
    from shiming.infrastructure.encryption import KeyProvider
    from shiming.infrastructure.signed_notes import NoteKey, NoteSigner
    from shiming.privacy.model import LedgerFinding

REFUSED = 1  # exit code: not verified, refused
FILE_BYTES_MAX = 65_536  # of checkpoints and proofs; a proof has at most 65 hashes

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class LedgerPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> "Engine":
        """The database."""
        ...

    @property
    def keys(self) -> "KeyProvider":
        """The keys that authenticate leaves."""
        ...

    @property
    def ledger_signer(self) -> "NoteSigner":
        """Who signs the checkpoints of this installation."""
        ...

    @property
    def ledger_keys(self) -> "tuple[NoteKey, ...]":
        """The keys that verify its checkpoints: the present one and older ones."""
        ...

    @property
    def witness_keys(self) -> "tuple[NoteKey, ...]":
        """The keys of the witnesses that are known."""
        ...

    @property
    def clock(self) -> "Clock":
        """The clock."""
        ...

    @property
    def language(self) -> str:
        """The user's language."""
        ...


def platform_of(context: typer.Context) -> LedgerPlatform:
    """Return the wired platform."""
    platform: LedgerPlatform = context.obj()
    return platform


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(content, ensure_ascii=False))


def print_findings(findings: "Sequence[LedgerFinding]", found: int, language: str) -> None:
    """Print one line for each finding, and how many more there are."""
    for one in findings:
        typer.echo(f"{one.why.value} ({one.at}): {one.why.text.in_language(language)}")
    if found > len(findings):
        zh, en = f"另有 {found - len(findings)} 处。", f"And {found - len(findings)} more."
        typer.echo(Text(zh=zh, en=en).in_language(language))


def read_file(path: Path) -> str:
    """Read a checkpoint or a proof; `-` is standard input; raise BadInput when it cannot be one."""
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) <= FILE_BYTES_MAX:
            return raw.decode()
    except (OSError, UnicodeDecodeError) as problem:
        raise _file_refused(path) from problem
    raise _file_refused(path)


def write_file(path: Path, content: str) -> None:
    """Replace a file as a whole, or leave it as it was."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise _file_refused(path) from problem


def _file_refused(path: Path) -> BadInput:
    return BadInput(
        "LEDGER_FILE_UNUSABLE",
        Text(zh="文件无法读写，或不是检查点或证明。", en="The file cannot be used."),
        Text(
            zh="请使用 shiming ledger 输出的原文件。",
            en="Use a file that `shiming ledger` printed, in a folder that may be written to.",
        ),
        {"file": path.name},
    )
