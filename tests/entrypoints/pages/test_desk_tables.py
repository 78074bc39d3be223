"""Tables of the desk: order, filters, pages, and a CSV that says what the page shows and runs nothing."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.entrypoints.pages.desk.checkpoint_chain import BLOCK_WIDTH, Block, Drawing
from shiming.entrypoints.pages.desk.tables import (
    FETCHED_AT_ONCE,
    FORMULA_SIGNS,
    ROWS_A_PAGE,
    Choice,
    Column,
    Gathered,
    Table,
    TableAsked,
    gather,
    guarded,
    written,
)
from shiming.vocabulary.errors import Text

EN = "en"


@dataclass(frozen=True)
class Fruit:
    name: str
    weight: int | None = 1
    picked: datetime | None = None
    kind: str = "sweet"


KINDS = {"sweet": Text(zh="甜", en="sweet"), "sour": Text(zh="酸", en="sour")}
FRUITS: Table[Fruit] = Table(
    "fruits",
    Text(zh="水果", en="Fruits"),
    (
        Column(
            "name", Text(zh="名称", en="Name"), lambda fruit: fruit.name, href=lambda fruit: f"/{fruit.name}"
        ),
        Column("weight", Text(zh="重量", en="Weight"), lambda fruit: fruit.weight, look="number"),
        Column("picked", Text(zh="采摘", en="Picked"), lambda fruit: fruit.picked),
        Column("kind", Text(zh="种类", en="Kind"), lambda fruit: KINDS[fruit.kind], look="state"),
    ),
    filters=(Choice("kind", Text(zh="种类", en="Kind"), KINDS, lambda fruit: fruit.kind),),
    search=Text(zh="名称", en="Name"),
    order="name",
    kept=("shop",),
)
BASKET = (Fruit("pear", 3), Fruit("Apple", 20), Fruit("lemon", None, kind="sour"), Fruit("fig", 100))


def names(asked: TableAsked, rows: Sequence[Fruit] = BASKET, language: str = EN) -> list[object]:
    return [row[0].value for row in FRUITS.view(Gathered(tuple(rows)), asked, language).rows]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, ["Apple", "fig", "lemon", "pear"]),
        ({"sort": "weight"}, ["pear", "Apple", "fig", "lemon"]),  # by value, what is missing last
        ({"sort": "weight", "order": "desc"}, ["fig", "Apple", "pear", "lemon"]),
        ({"sort": "no such column", "order": "desc"}, ["Apple", "fig", "lemon", "pear"]),
        ({"kind": "sour"}, ["lemon"]),
        ({"kind": "no such kind"}, ["Apple", "fig", "lemon", "pear"]),
        ({"q": "PPL"}, ["Apple"]),
        ({"q": "sour"}, ["lemon"]),  # what a cell shows is found
        ({"q": "nothing of this"}, []),
    ],
)
def test_rows_come_in_the_order_and_choice_that_is_asked(query: dict[str, str], wanted: list[str]) -> None:
    assert names(TableAsked.of(query)) == wanted


def test_words_are_sorted_and_sought_in_the_language_of_the_page() -> None:
    assert names(TableAsked.of({"q": "酸"}), language="zh") == ["lemon"]
    assert names(TableAsked.of({"q": "酸"})) == []


def test_a_heading_says_how_the_table_is_sorted_and_turns_it_round() -> None:
    view = FRUITS.view(Gathered(BASKET), TableAsked.of({"sort": "weight", "kind": "sweet"}), EN)
    by_name = {heading.title.en: heading for heading in view.headings}
    assert [heading.sorted for heading in view.headings] == ["none", "ascending", "none", "none"]
    turned = parse_qs(by_name["Weight"].query[1:])
    assert turned == {"sort": ["weight"], "order": ["desc"], "kind": ["sweet"]}
    assert parse_qs(by_name["Name"].query[1:]) == {"sort": ["name"], "kind": ["sweet"]}


@given(st.integers(0, 120), st.integers(-2, 400))
def test_pages_together_are_the_whole_list(count: int, page: int) -> None:
    rows = Gathered(tuple(Fruit(f"{number:03d}") for number in range(count)))
    view = FRUITS.view(rows, TableAsked.of({"page": str(page)}), EN)
    assert len(view.rows) <= ROWS_A_PAGE
    assert view.total == count
    seen, query = 0, ""
    while True:
        asked = TableAsked.of({name: values[0] for name, values in parse_qs(query[1:]).items()})
        view = FRUITS.view(rows, asked, EN)
        assert view.first == (seen + 1 if count else 0)
        seen += len(view.rows)
        if view.following is None:
            break
        query = view.following
    assert seen == count == view.last


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=20), max_size=4))
def test_any_query_is_a_table(query: dict[str, str]) -> None:
    view = FRUITS.view(Gathered(BASKET), TableAsked.of(query), EN)
    assert view.total <= len(BASKET)


def test_what_the_page_is_about_is_carried_along() -> None:
    view = FRUITS.view(Gathered(BASKET), TableAsked.of({"shop": "p1.x", "said": "done"}), EN)
    assert view.kept == {"shop": "p1.x"}
    assert "shop=p1.x" in view.headings[0].query
    assert "said" not in view.headings[0].query


def read(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_csv_has_all_rows_of_the_choice_and_only_what_the_page_shows() -> None:
    rows = (*BASKET, *(Fruit(f"x{number:02d}") for number in range(60)))
    picked = Fruit("kiwi", 5, datetime(2026, 5, 1, 12, tzinfo=UTC))
    text = FRUITS.csv(Gathered((*rows, picked)), TableAsked.of({"kind": "sweet", "page": "2"}), EN)
    heading, *lines = read(text)
    assert heading == ["Name", "Weight", "Picked", "Kind"]
    assert len(lines) == 64
    assert ["kiwi", "5", "2026-05-01T12:00:00+00:00", "sweet"] in lines
    assert not any("/" in cell for line in lines for cell in line), "links are no cells"


@given(st.text(max_size=40))
def test_no_cell_is_a_formula_and_none_is_lost(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(FORMULA_SIGNS)
    assert not cell.lstrip(" \u3000\xa0").startswith(FORMULA_SIGNS)
    assert cell.removeprefix("'") == text or cell == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5, "-5"),
        ("-5", "'-5"),
        (date(2026, 1, 2), "2026-01-02"),
        (None, ""),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ],
)
def test_numbers_stay_numbers_in_a_csv(value: int | str | date | None, cell: str) -> None:
    assert written(value, EN) == cell


@pytest.mark.parametrize("count", [0, 1, FETCHED_AT_ONCE - 1, FETCHED_AT_ONCE, 2 * FETCHED_AT_ONCE + 1])
def test_a_list_is_walked_to_its_end(count: int) -> None:
    numbers = list(range(count))
    found = gather(lambda after, limit: [n for n in numbers if after is None or n > after][:limit], int)
    assert (list(found.rows), found.cut) == (numbers, False)


def test_a_list_that_is_too_long_is_cut_and_says_so() -> None:
    found = gather(lambda after, limit: [(after or 0) + n + 1 for n in range(limit)], int, rows_max=150)
    assert (len(found.rows), found.cut) == (150, True)
    view = FRUITS.view(Gathered(BASKET, cut=True), TableAsked(), EN)
    assert view.cut


def test_blocks_of_the_chain_stand_side_by_side() -> None:
    block = Block(1, 3, 3, "ab" * 32, None, is_signed=True, is_linked=False, witnesses=())
    drawing = Drawing.of((block, block, block))
    lefts = [left for _, left in drawing.places]
    assert all(after - before > BLOCK_WIDTH for before, after in pairwise(lefts))
    assert lefts[-1] + BLOCK_WIDTH < drawing.width
    assert (block.link.en, block.signature.en) == ("does not follow the one before", "signed")
