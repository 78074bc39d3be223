"""What the routes about the status of lines, numbers and cards share."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Any, Protocol

from fastapi import Path, Request
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.uploads import MIB, FileKind, FilePart, UploadForm
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal

#: A table as programs and spreadsheets write it; 100 000 rows of numbers are about 5 MB of CSV.
TABLE = FileKind(
    "table",
    frozenset({"text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}),
    re.compile(rb"(?s)PK\x03\x04|[\t\r\n\x20-\x7e\x80-\xff]"),
    32 * MIB,
)
TABLE_FORM = UploadForm((FilePart("table", TABLE),))
_XLSX_MAGIC = b"PK\x03\x04"

LineId = Annotated[
    str, Path(description="Reference of the line.", max_length=40, examples=["REG-0082-0C20-A1G7-D"])
]
NumberPath = Annotated[str, Path(description="E.164.", max_length=40, examples=["+8613800138000"])]


class LinePlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    default_pack: str

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...


def line_platform(request: Request) -> LinePlatform:
    """Return the wired program."""
    platform: LinePlatform = request.app.state.platform
    return platform


def rules_of(platform: LinePlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def read_number(platform: LinePlatform, text: str) -> Msisdn:
    """Read a number as it was typed, in the numbering plan of the installation; raise BadInput."""
    return platform.registration_policy.read_number(text)


def table_name(path: FilePath) -> str:
    """Return a name that says what kind of table an upload is: its first bytes do."""
    with path.open("rb") as stream:
        return "table.xlsx" if stream.read(len(_XLSX_MAGIC)) == _XLSX_MAGIC else "table.csv"


def refused(code: str, text: Text, refusals: Iterable[Refusal]) -> Refused:
    """Return the problem of a refusal with all its reasons."""
    reasons = [refusal.to_json() for refusal in refusals]
    advice = Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons.")
    return Refused(code, text, advice, {"reasons": reasons})


def line_unknown() -> BadInput:
    """Return the error for a line that is not there, or not the caller's to know of."""
    return BadInput(
        "LINE_UNKNOWN",
        Text(zh="没有这条登记。", en="There is no such line."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def as_listing(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a list that has one page only."""
    return {"items": items, "next": None}
