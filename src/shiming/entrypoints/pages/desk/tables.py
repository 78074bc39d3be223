"""A table of a page: sorted, filtered and paged on the server, and written as CSV; pure.

    TABLE = Table("companies", Text(zh="单位", en="Companies"), (
        Column("name", Text(zh="名称", en="Name"), lambda each: each.name, href=...),
        ...))
    view = TABLE.view(rows, TableAsked.of(request.query_params), "en")     # for `desk/table.html`
    text = TABLE.csv(rows, asked, "en")                                    # the same rows, all pages of them

What a cell shows is what the CSV says: nothing is written that the page does not show. Query parameters are
`sort`, `order`, `page`, `q` and one a filter; whatever does not fit is as if it were not there.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from shiming.vocabulary.errors import Text

ROWS_A_PAGE = 25  # a screen or two
ROWS_MAX = 5_000  # sorted in memory; a longer list says that it is cut, and is narrowed by its filters
FETCHED_AT_ONCE = 100  # what lists of the API give at most
SEARCH_CHARACTERS_MAX = 80
PAGE_MAX = ROWS_MAX // ROWS_A_PAGE
#: A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection); full-width forms as well.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

CellValue = str | int | datetime | date | Text | None
Look = Literal["text", "code", "hash", "number", "state"]
Row = TypeVar("Row")


def _no_link(_row: Any) -> str | None:
    return None


def _no_tone(_row: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column. `tone` of a state: good, bad, waiting or nothing; the word says it, the colour helps."""

    name: str
    title: Text
    value: Callable[[Row], CellValue]
    href: Callable[[Row], str | None] = _no_link
    look: Look = "text"
    tone: Callable[[Row], str] = _no_tone


@dataclass(frozen=True, slots=True)
class Choice(Generic[Row]):
    """A filter by one of a few words."""

    name: str
    label: Text
    options: Mapping[str, Text]
    of: Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class TableAsked:
    """How a table is wanted."""

    sort: str = ""
    descending: bool = False
    page: int = 1
    search: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "TableAsked":
        """Read query parameters."""
        page = query.get("page", "")
        own = {"sort", "order", "page", "q", "as"}
        return cls(
            sort=query.get("sort", ""),
            descending=query.get("order") == "desc",
            page=min(int(page), PAGE_MAX) if page.isascii() and page.isdigit() and int(page[:6]) else 1,
            search=query.get("q", "").strip()[:SEARCH_CHARACTERS_MAX],
            chosen={name: value for name, value in query.items() if name not in own and value},
        )

    def query(self, **changes: str) -> str:
        """Return the query string of the same table, changed here and there; an empty value is left out."""
        present = {
            **self.chosen,
            "q": self.search,
            "sort": self.sort,
            "order": "desc" if self.descending else "",
            "page": str(self.page) if self.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in (present | changes).items() if value})


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column: `sorted` is what aria-sort says, `query` sorts by it, or the other way round."""

    title: Text
    look: Look
    sorted: Literal["ascending", "descending", "none"]
    query: str  # empty: the table has no address, and stays as it is


@dataclass(frozen=True, slots=True)
class Cell:
    """One value as the page shows it."""

    value: CellValue
    look: Look
    href: str | None
    tone: str

    @property
    def is_instant(self) -> bool:
        """Whether it is a moment, not a day."""
        return isinstance(self.value, datetime)

    @property
    def is_day(self) -> bool:
        """Whether it is a day."""
        return isinstance(self.value, date) and not self.is_instant

    @property
    def is_words(self) -> bool:
        """Whether it has a text in each language."""
        return isinstance(self.value, Text)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter with what is chosen of it."""

    name: str
    label: Text
    options: Mapping[str, Text]
    chosen: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A table as its template draws it."""

    name: str
    caption: Text
    empty: Text
    search_label: Text | None
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    filters: tuple[Filter, ...]
    asked: TableAsked
    total: int
    first: int  # number of the first row that is shown; 0: none is
    cut: bool  # there is more than was read
    previous: str | None
    following: str | None
    csv: str | None
    kept: Mapping[str, str]
    address: str

    @property
    def last(self) -> int:
        """The number of the last row that is shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter leaves rows out."""
        return bool(self.asked.search or any(each.chosen for each in self.filters))


@dataclass(frozen=True, slots=True)
class Gathered(Generic[Row]):
    """The rows of a list; `cut`: there are more than a table sorts."""

    rows: tuple[Row, ...]
    cut: bool = False


_NOTHING = Text(zh="没有内容。", en="There is nothing here.")
Place = TypeVar("Place")


def gather(
    fetch: Callable[[Place | None, int], Sequence[Row]],
    place: Callable[[Row], Place],
    *,
    rows_max: int = ROWS_MAX,
) -> Gathered[Row]:
    """Walk a list of a use case, `fetch(after, limit)`, to its end or to what a table takes."""
    rows: list[Row] = []
    after: Place | None = None
    while len(rows) <= rows_max:
        found = fetch(after, FETCHED_AT_ONCE)
        rows.extend(found)
        if len(found) < FETCHED_AT_ONCE:
            break
        after = place(found[-1])
    return Gathered(tuple(rows[:rows_max]), cut=len(rows) > rows_max)


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """What a table shows of its rows. `order`: by which column it is sorted before anybody asks."""

    name: str
    caption: Text
    columns: tuple[Column[Row], ...]
    filters: tuple[Choice[Row], ...] = ()
    search: Text | None = None
    empty: Text = _NOTHING
    order: str = ""
    exported: bool = True
    kept: tuple[str, ...] = ()  # parameters of the page that its links and forms carry along
    address: str = ""  # of its page, where that is shown as the answer to a form too

    def view(self, gathered: Gathered[Row], asked: TableAsked, language: str) -> TableView:
        """Return the rows that are wanted, in the order that is wanted."""
        asked = self._known(asked)
        rows = self._wanted(gathered.rows, asked, language)
        pages = max(1, -(-len(rows) // ROWS_A_PAGE))
        page = min(asked.page, pages)
        shown = rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
        return TableView(
            name=self.name,
            caption=self.caption,
            empty=self.empty,
            search_label=self.search,
            headings=tuple(self._heading(column, asked) for column in self.columns),
            rows=tuple(self._cells(row) for row in shown),
            filters=tuple(
                Filter(each.name, each.label, each.options, asked.chosen.get(each.name, ""))
                for each in self.filters
            ),
            asked=asked,
            total=len(rows),
            first=(page - 1) * ROWS_A_PAGE + 1 if shown else 0,
            cut=gathered.cut,
            previous=asked.query(page=str(page - 1)) if page > 1 else None,
            following=asked.query(page=str(page + 1)) if page < pages else None,
            csv=asked.query(page="", **{"as": "csv"}) if self.exported and rows else None,
            address=self.address,
            kept={name: asked.chosen[name] for name in self.kept if name in asked.chosen},
        )

    def csv(self, gathered: Gathered[Row], asked: TableAsked, language: str) -> str:
        """Return all rows that are wanted as CSV (RFC 4180, with a mark by which spreadsheets see UTF-8)."""
        out = io.StringIO()
        out.write("\ufeff")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([guarded(column.title.in_language(language)) for column in self.columns])
        for row in self._wanted(gathered.rows, self._known(asked), language):
            writer.writerow([written(column.value(row), language) for column in self.columns])
        return out.getvalue()

    def _known(self, asked: TableAsked) -> TableAsked:
        """Forget what this table has not: columns and words of filters."""
        options = {each.name: each.options for each in self.filters}
        named = asked.sort in {column.name for column in self.columns}
        return TableAsked(
            sort=asked.sort if named else "",
            descending=asked.descending and named,
            page=asked.page,
            search=asked.search if self.search else "",
            chosen={
                name: value
                for name, value in asked.chosen.items()
                if name in self.kept or value in options.get(name, ())
            },
        )

    def _wanted(self, rows: Sequence[Row], asked: TableAsked, language: str) -> list[Row]:
        left = [row for row in rows if self._is_chosen(row, asked, language)]
        by = next((column for column in self.columns if column.name == (asked.sort or self.order)), None)
        if by is None:
            return left
        there = [row for row in left if by.value(row) is not None]
        missing = [row for row in left if by.value(row) is None]  # last, whichever way it is sorted
        value = by.value
        return sorted(there, key=lambda row: _key(value(row), language), reverse=asked.descending) + missing

    def _is_chosen(self, row: Row, asked: TableAsked, language: str) -> bool:
        for each in self.filters:
            wanted = asked.chosen.get(each.name)
            if wanted and each.of(row) != wanted:
                return False
        sought = asked.search.casefold()
        return not sought or any(
            sought in plain(column.value(row), language).casefold() for column in self.columns
        )

    def _heading(self, column: Column[Row], asked: TableAsked) -> Heading:
        current = column.name == (asked.sort or self.order)
        turned = current and not asked.descending
        return Heading(
            title=column.title,
            look=column.look,
            sorted=("descending" if asked.descending else "ascending") if current else "none",
            query=asked.query(sort=column.name, order="desc" if turned else "", page="")
            if self.exported
            else "",
        )

    def _cells(self, row: Row) -> tuple[Cell, ...]:
        return tuple(
            Cell(column.value(row), column.look, column.href(row), column.tone(row))
            for column in self.columns
        )


def plain(value: CellValue, language: str) -> str:
    """Return a value as text: instants and days as ISO 8601.

    >>> plain(date(2026, 11, 22), "en"), plain(None, "en"), plain(7, "zh")
    ('2026-11-22', '', '7')
    """
    if isinstance(value, Text):
        return value.in_language(language)
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return "" if value is None else str(value)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("+8613800138000"), guarded(" @x"), guarded("plain")
    ("'=1+1", "'+8613800138000", "' @x", 'plain')
    """
    first = text.lstrip(" \u3000\xa0")
    return f"'{text}" if text.startswith(FORMULA_SIGNS) or first.startswith(FORMULA_SIGNS) else text


def written(value: CellValue, language: str) -> str:
    """Return a value as a cell of a CSV; a number stays one."""
    text = plain(value, language)
    return text if isinstance(value, int) else guarded(text)


def _key(value: CellValue, language: str) -> tuple[int, Any]:
    """Return by what a value is sorted; values of different kinds never meet in a comparison."""
    match value:
        case bool() | int():
            return 0, value
        case datetime():
            return 1, value.timestamp()
        case date():
            return 2, value.toordinal()
        case _:
            return 3, plain(value, language).casefold()
