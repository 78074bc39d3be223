"""Where each field stands in the five zones of ICAO Doc 9303 (parts 4 to 7).

A zone is taken as one string, its lines one after the other; positions count from 0, ends are exclusive.

>>> LAYOUTS["TD3"].document_number, LAYOUTS["TD3"].length
(Span(start=44, end=53), 88)
"""

from dataclasses import dataclass
from typing import Literal

Format = Literal["TD1", "TD2", "TD3", "MRV-A", "MRV-B"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a zone."""

    start: int
    end: int

    def of(self, zone: str) -> str:
        """Return this stretch of `zone`."""
        return zone[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Layout:
    """One format: its size and the stretch of each field. A check digit of -1 does not exist there."""

    format: Format
    line_count: int
    line_length: int
    document_number: Span
    birth_date: Span
    expiry_date: Span
    nationality: Span
    sex: int
    names: Span
    optional_data: Span
    optional_data_2: Span
    optional_check: int
    composite_check: int
    composite_covers: tuple[Span, ...]
    document_code: Span = Span(0, 2)
    issuing_state: Span = Span(2, 5)

    @property
    def length(self) -> int:
        """The number of characters of the whole zone."""
        return self.line_count * self.line_length

    @property
    def has_long_document_numbers(self) -> bool:
        """Whether a document number of more than nine characters goes on in the optional data."""
        return self.format in {"TD1", "TD2"}

    def lines_of(self, zone: str) -> tuple[str, ...]:
        """Cut a zone into its lines."""
        return tuple(zone[i : i + self.line_length] for i in range(0, self.length, self.line_length))


def _two_lines(
    format_: Format, length: int, *, optional_end: int, optional_check: bool, composite: bool
) -> Layout:
    """Return a layout with the names in the first line and the numbers in the second."""
    at = length
    return Layout(
        format=format_,
        line_count=2,
        line_length=length,
        names=Span(5, length),
        document_number=Span(at, at + 9),
        nationality=Span(at + 10, at + 13),
        birth_date=Span(at + 13, at + 19),
        sex=at + 20,
        expiry_date=Span(at + 21, at + 27),
        optional_data=Span(at + 28, at + optional_end),
        optional_data_2=Span(at, at),
        optional_check=at + optional_end if optional_check else -1,
        composite_check=at + length - 1 if composite else -1,
        composite_covers=(Span(at, at + 10), Span(at + 13, at + 20), Span(at + 21, at + length - 1))
        if composite
        else (),
    )


TD1 = Layout(
    format="TD1",
    line_count=3,
    line_length=30,
    document_number=Span(5, 14),
    optional_data=Span(15, 30),
    birth_date=Span(30, 36),
    sex=37,
    expiry_date=Span(38, 44),
    nationality=Span(45, 48),
    optional_data_2=Span(48, 59),
    optional_check=-1,
    composite_check=59,
    composite_covers=(Span(5, 30), Span(30, 37), Span(38, 45), Span(48, 59)),
    names=Span(60, 90),
)
TD2 = _two_lines("TD2", 36, optional_end=35, optional_check=False, composite=True)
TD3 = _two_lines("TD3", 44, optional_end=42, optional_check=True, composite=True)
MRV_A = _two_lines("MRV-A", 44, optional_end=44, optional_check=False, composite=False)
MRV_B = _two_lines("MRV-B", 36, optional_end=36, optional_check=False, composite=False)

LAYOUTS: dict[Format, Layout] = {layout.format: layout for layout in (TD1, TD2, TD3, MRV_A, MRV_B)}
