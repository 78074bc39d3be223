"""What the commands of identity proofing share: the platform they run on, options, input and output."""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from shiming.infrastructure.canonical_json import parse_object
from shiming.vocabulary.errors import BadInput, Text

if TYPE_CHECKING:  # the commands import what they need when they run: --help stays fast
    from sqlalchemy.engine import Connection

    from shiming.identity_proofing.ports import AuthorityPort
    from shiming.identity_proofing.sandbox_authority.verification import Comparer
    from shiming.identity_proofing.use_cases.tools import ProofingTools
    from shiming.jurisdictions.model import Policy

NOT_VERIFIED = 1  # exit code: refused, or not verified
FILE_BYTES_MAX = 1_000_000  # of JSON and token files

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
#: The pack of the installation, as `policy` takes it.
OWN_PACK = ""
PackName = Annotated[
    str, typer.Option("--pack", help="Policy pack whose rules apply; the installation's own if none.")
]
ChannelName = Annotated[str, typer.Option("--channel", help="shop, agent or online.")]
RouteName = Annotated[
    str, typer.Option("--route", help="standard, no_blink, head_still, digits_tapped or assisted.")
]
Category = Annotated[
    str, typer.Option("--subject", help="Category of the person: adult, minor, foreigner, ...")
]
OnDay = Annotated[
    str | None,
    typer.Option("--on", metavar="DATE", help="Day of the session, YYYY-MM-DD; today if not given."),
]


class ProofingPlatform(Protocol):
    """What the commands need of the wired platform."""

    def today(self) -> date:
        """Return the day of the session where none is given."""
        ...

    def policy(self, pack: str, on: date) -> "Policy":
        """Return the rules of a pack (empty: the installation's own) on a day."""
        ...

    def begin(self) -> "AbstractContextManager[Connection]":
        """Open a transaction that is committed at its end."""
        ...

    def proofing_tools(self, authority: "AuthorityPort | None" = None) -> "ProofingTools":
        """Return the tools of proofing, with this authority (None: none is asked)."""
        ...

    def portrait_comparer(self) -> "Comparer":
        """Return how the sandbox authority compares two portraits of one person."""
        ...


def platform_of(context: typer.Context) -> ProofingPlatform:
    """Return the wired platform."""
    platform: ProofingPlatform = context.obj()
    return platform


def read_object(file: Path) -> dict[str, Any]:
    """Read one JSON object strictly."""
    return parse_object(read_bytes(file))


def read_bytes(file: Path) -> bytes:
    """Read a small file; BadInput when it is not there or too large."""
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _file_refusal("FILE_UNREADABLE", file) from error
    if len(content) > FILE_BYTES_MAX:
        raise _file_refusal("FILE_TOO_LARGE", file)
    return content


def require_file(file: Path | None) -> None:
    """Refuse a file that is named and not there."""
    if file is not None and not file.is_file():
        raise _file_refusal("FILE_UNREADABLE", file)


def read_token(file: Path | None) -> str | None:
    """Read a bearer token: the first line of the file."""
    return read_bytes(file).decode("utf-8", "replace").partition("\n")[0].strip() if file else None


def read_day(text: str | None) -> date | None:
    """Read a day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise bad_option("--on", "YYYY-MM-DD") from error


def bad_option(option: str, choices: str) -> BadInput:
    """Return the refusal of an option's value."""
    return BadInput(
        "OPTION_INVALID",
        Text(zh=f"选项 {option} 的值无效。", en=f"The value of {option} is not valid."),
        advice=Text(zh=f"可用：{choices}。", en=f"Use: {choices}."),
        details={"option": option},
    )


def user_language() -> str:
    """Return `zh` or `en` as the environment asks."""
    asked = os.environ.get("SHIMING_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    return "zh" if asked.lower().startswith("zh") else "en"


def waiting(language: str) -> AbstractContextManager[Any]:
    """Show on the terminal that recognition is at work; nothing where the output goes to a program."""
    from rich.console import Console

    words = Text(zh="正在识别证件、视频和数字…", en="Reading the document, the clip and the digits ...")
    return Console(stderr=True).status(words.in_language(language))


def print_json(value: Mapping[str, Any]) -> None:
    """Print JSON for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _file_refusal(code: str, file: Path) -> BadInput:
    return BadInput(
        code,
        Text(zh=f"无法读取文件 {file.name}。", en=f"The file {file.name} cannot be read."),
        advice=Text(zh="请检查路径和大小。", en="Check the path and the size."),
    )
