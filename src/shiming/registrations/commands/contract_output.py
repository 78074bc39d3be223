"""What the commands about terms, confirmations and receipts share: the platform, and how they print."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol

import typer
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import ContractPolicy, Policy
from shiming.registrations.use_cases.notices import NoticeTools
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import Refusal

REFUSED = 1
FILE_BYTES_MAX = 1_000_000  # terms of an operator have some 30 kB, a PDF receipt 20
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class ContractPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> Engine: ...  # noqa: D102 - named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def registrations(self) -> RegistrationTools: ...  # noqa: D102
    @property
    def settings(self) -> Settings: ...  # noqa: D102
    @property
    def notices(self) -> NoticeTools: ...  # noqa: D102
    @property
    def default_pack(self) -> str: ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102
    def today(self) -> date: ...  # noqa: D102
    def policy(self, pack: str, on: date) -> Policy: ...  # noqa: D102
    def operator_name(self, operator: str) -> str: ...  # noqa: D102


def platform_of(context: typer.Context) -> ContractPlatform:
    """Return the wired program."""
    platform: ContractPlatform = context.obj()
    return platform


def contract_policy(platform: ContractPlatform) -> ContractPolicy:
    """Return today's rules about terms and confirmations."""
    return platform.policy(platform.default_pack, platform.today()).contracts


def print_outcome(content: Mapping[str, Any], *, as_json: bool, said: str) -> None:
    """Print the content for a program, or what is said for a person."""
    typer.echo(json.dumps(dict(content), ensure_ascii=False) if as_json else said)


def refuse(
    refusals: Iterable[Refusal], *, as_json: bool, language: str, details: Mapping[str, Any] | None = None
) -> NoReturn:
    """Print every reason with its words, and end with exit code 1."""
    found = tuple(refusals)
    if as_json:
        reasons = [refusal.to_json() for refusal in found]
        refused = {"outcome": "Refused", "reasons": reasons, **(details or {})}
        typer.echo(json.dumps(refused, ensure_ascii=False))
        raise typer.Exit(REFUSED)
    for refusal in found:
        words = refusal.words
        typer.echo(f"{refusal.code}: {words.clerk.in_language(language)} ({refusal.citation})", err=True)
        typer.echo(f"  → {words.next_step.in_language(language)}", err=True)
    raise typer.Exit(REFUSED)


def read_bytes(file: Path) -> bytes:
    """Read a file of bounded size; BadInput when there is none."""
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as problem:
        raise _unreadable(file, type(problem).__name__) from problem
    if len(content) > FILE_BYTES_MAX:
        raise _unreadable(file, "TooLarge")
    return content


def _unreadable(file: Path, why: str) -> BadInput:
    return BadInput(
        "FILE_UNREADABLE",
        Text(zh="文件无法读取。", en="The file cannot be read."),
        Text(zh="请检查文件名、权限和大小。", en="Check its name, permissions and size."),
        {"file": str(file), "reason": why},
    )
