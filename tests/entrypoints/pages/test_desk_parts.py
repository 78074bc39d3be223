"""What of the desk is open to whom, its tables and its languages; over real HTTP, without script."""

import re

import pytest

from shiming.entrypoints.pages.desk.areas import AREAS
from tests.entrypoints.pages.desk_builders import COMPANIES, a_number
from tests.entrypoints.pages.desk_site import Desk, areas_of


@pytest.mark.parametrize(
    "who", ["supervisor", "clerk", "compliance", "privacy", "other", "auditor", "administrator"]
)
def test_what_the_list_of_parts_names_can_be_opened_and_nothing_else(desk: Desk, who: str) -> None:
    shown = areas_of(desk.get(who, "/desk"))
    for area in AREAS:
        answer = desk.get(who, area.path)
        assert answer.status_code == (200 if area.path in shown else 403), (area.path, answer.text[:300])


def test_the_keys_of_the_parts_are_their_own() -> None:
    keys = [area.key for area in AREAS]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[a-z]", key) and key != "g" for key in keys)


def test_an_auditor_reads_the_ledger_and_the_rules_and_nothing_else(desk: Desk) -> None:
    assert areas_of(desk.get("auditor", "/desk")) == {"/desk", "/desk/packs", "/desk/ledger"}


def test_what_waits_is_counted_for_ones_own_operator(desk: Desk) -> None:
    assert "Disputes to decide" in desk.get("compliance", "/desk").text
    assert 'href="/desk/repudiations?state=open">\n    <span' in desk.get("compliance", "/desk").text
    assert "heap-count" not in desk.get("other", "/desk").text


@pytest.mark.parametrize(
    "path",
    [
        "/desk/companies/{company}",
        "/desk/lines/{line}",
        "/desk/registration-reviews/{review}",
        "/desk/repudiations/{dispute}",
        "/desk/transfers/{case}",
    ],
)
def test_what_belongs_to_another_operator_is_not_found(desk: Desk, path: str) -> None:
    world = desk.world
    named = path.format(
        company=world.companies[0],
        line=world.lines[0],
        review=world.review,
        dispute=world.dispute,
        case=world.case,
    )
    assert desk.get("compliance", named).status_code == 200
    assert desk.get("other", named).status_code == 404


def test_a_list_has_the_own_operators_rows_only(desk: Desk) -> None:
    mine, theirs = desk.get("supervisor", "/desk/companies").text, desk.get("other", "/desk/companies").text
    assert COMPANIES[0][1] in mine
    assert COMPANIES[1][1] not in mine
    assert COMPANIES[1][1] in theirs
    assert COMPANIES[0][1] not in theirs


def test_a_table_is_sorted_by_its_headings_and_refreshed_in_part(desk: Desk) -> None:
    whole = desk.get("supervisor", "/desk/numbers?sort=size&order=desc")
    assert re.search(r'aria-sort="descending">\s*<a href="/desk/numbers\?sort=size"', whole.text)
    part = desk.get("supervisor", "/desk/numbers?use=kept", **{"hx-request": "true"}).text
    assert "<html" not in part
    assert "never given out" in part
    assert a_number(50).reveal("test") in part
    assert "8613709999999" not in part


def test_a_csv_is_a_file_with_guarded_cells(desk: Desk) -> None:
    answer = desk.get("supervisor", "/desk/numbers?as=csv&use=given")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="number-blocks.csv"'
    assert "'+8613700000000" in answer.text
    assert not re.search(r"(?m)^\+|,\+", answer.text)
    assert desk.get("clerk", "/desk/numbers?as=csv").text.count("+86") == 0, "a clerk reads no ranges"


def test_every_page_of_the_desk_speaks_chinese(desk: Desk) -> None:
    for path in ("/desk", "/desk/numbers", "/desk/registration-reviews"):
        page = desk.get("supervisor", path, **{"accept-language": "zh"}).text
        body = page.split('<div class="desk-body">')[1].split("<dialog")[0]
        words = re.sub(r"<[^>]*>|[A-Z]+-[0-9A-Z-]+", " ", body)
        assert not re.search(r"\b(the|and|of|is|not)\b", words), path
