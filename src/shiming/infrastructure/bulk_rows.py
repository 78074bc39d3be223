"""Rows of a table that people send: CSV or XLSX, read as a stream, every bad row named and passed over.

    for row in read_rows(stream, "numbers.csv", COLUMNS):
        match row:
            case Row(): ...            the cells by column, as text, stripped
            case BadRow(): ...         line, column and why

The first line names the columns, in any order; an unknown or missing column refuses the whole file, because
nothing in it could be trusted. Empty lines are passed over. A bad row never stops the good ones.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from shiming.vocabulary.errors import BadInput, ShimingError, Text

ROWS_MAX = 1_000_000  # a larger file is sent in parts, so that its report can be read
CELL_CHARACTERS_MAX = 1000
_ADVICE = Text(
    zh="请使用UTF-8编码的CSV或XLSX，第一行为列名。",
    en="Send CSV in UTF-8, or XLSX, with the names of the columns in the first line.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `line` counts from 1 with the heading, as a spreadsheet shows it."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why a line is passed over. `code` is stable; the text holds nothing of the cell."""

    line: int
    column: str
    code: str
    text: Text

    @classmethod
    def of(cls, row: Row, column: str, problem: ShimingError) -> "BadRow":
        """Say what was wrong with one cell of a row."""
        return cls(row.line, column, problem.code, problem.text)

    def to_json(self) -> dict[str, Any]:
        """Return the report of the line."""
        return {"line": self.line, "column": self.column, "code": self.code, "text": self.text.to_json()}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; `required` refuses an empty cell."""

    name: str
    required: bool = True


def read_rows(stream: BinaryIO, name: str, columns: Sequence[Column]) -> Iterator[Row | BadRow]:
    """Yield the lines of a file; raise BadInput when it is no table with these columns."""
    lines = _xlsx_lines(stream) if name.lower().endswith(".xlsx") else _csv_lines(stream)
    heading = next(lines, None)
    if heading is None:
        raise _refusal("TABLE_EMPTY", "文件为空。", "The file is empty.")
    names = [cell.strip().lower().lstrip("\ufeff") for cell in heading[1]]
    _require_columns(names, columns)
    rows = 0
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        rows += 1
        if rows > ROWS_MAX:
            raise _refusal("TABLE_TOO_LONG", f"超过{ROWS_MAX}行。", f"More than {ROWS_MAX} lines.")
        yield _row(line, names, cells, columns)


def _row(line: int, names: list[str], cells: Sequence[str], columns: Sequence[Column]) -> Row | BadRow:
    if len(cells) > len(names):
        return _bad(line, names[-1], "CELLS_TOO_MANY", "列数过多。", "There are more cells than columns.")
    padded = [*cells, *[""] * (len(names) - len(cells))]
    found = {name: cell.strip() for name, cell in zip(names, padded, strict=True)}
    for column in columns:
        cell = found.setdefault(column.name, "")
        if column.required and not cell:
            return _bad(line, column.name, "CELL_EMPTY", "此项为空。", "This cell is empty.")
        if len(cell) > CELL_CHARACTERS_MAX:
            return _bad(line, column.name, "CELL_TOO_LONG", "内容过长。", "This cell is too long.")
    return Row(line, found)


def _require_columns(names: list[str], columns: Sequence[Column]) -> None:
    known = {column.name for column in columns}
    unknown = [name for name in names if name not in known]
    missing = [column.name for column in columns if column.required and column.name not in names]
    if unknown or missing or len(set(names)) != len(names):
        raise BadInput(
            "TABLE_COLUMNS",
            Text(zh="列名与要求不符。", en="The columns are not the expected ones."),
            _ADVICE,
            {"expected": [column.name for column in columns], "missing": missing, "unknown": unknown[:20]},
        )


def _csv_lines(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Read CSV; the delimiter is a comma, a semicolon or a tab, whichever the heading has."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        first = text.readline(CELL_CHARACTERS_MAX * 50)
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(_again(first, text), delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num, cells
    except UnicodeDecodeError:
        raise _refusal("TABLE_ENCODING", "文件不是UTF-8编码。", "The file is not UTF-8.") from None
    except csv.Error:
        raise _refusal("TABLE_UNREADABLE", "无法读取CSV。", "The CSV cannot be read.") from None
    finally:
        if not stream.closed:  # by a caller that was quicker than the collector of this generator
            text.detach()


def _again(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    #  `yield from` would close the caller's stream together with this generator
    for line in rest:  # noqa: UP028 - as said
        yield line


def _xlsx_lines(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Read the first sheet, row by row; entities in its XML are refused (defusedxml is installed)."""
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, and CSV does not need it
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - as above

    try:
        book = load_workbook(stream, read_only=True, data_only=True)
        sheet = book.worksheets[0]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError):
        raise _refusal("TABLE_UNREADABLE", "无法读取XLSX。", "The XLSX cannot be read.") from None
    try:
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, ["" if cell is None else _as_text(cell) for cell in cells]
    finally:
        book.close()


def _as_text(cell: object) -> str:
    """Return a cell as it was typed: a number of a spreadsheet has no `.0`."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _bad(line: int, column: str, code: str, zh: str, en: str) -> BadRow:
    return BadRow(line, column, code, Text(zh=zh, en=en))


def _refusal(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), _ADVICE)
