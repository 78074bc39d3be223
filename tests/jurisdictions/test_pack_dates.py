from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.jurisdictions.pack_reader import parse_pack, policy_on
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import CAP, a_pack, a_value, content_with

EFFECTIVE = date(2025, 6, 1)


def problems(content: dict[str, Any]) -> list[str]:
    with pytest.raises(BadInput) as refused:
        parse_pack(content)
    found: list[str] = refused.value.details["problems"]
    return found


def dated_caps(starts: list[date], values: list[int]) -> list[dict[str, Any]]:
    ends = [*starts[1:], None]
    return [
        a_value(CAP, value=value, since=start, until=end)
        for value, start, end in zip(values, starts, ends, strict=True)
    ]


@given(
    days=st.lists(st.integers(1, 3000), min_size=1, max_size=5, unique=True).map(sorted),
    values=st.lists(st.integers(0, 50), min_size=6, max_size=6),
    asked=st.integers(0, 3500),
)
@settings(max_examples=15, deadline=None)
def test_the_value_of_a_day_is_the_latest_that_has_begun(
    days: list[int], values: list[int], asked: int
) -> None:
    starts = [EFFECTIVE, *(EFFECTIVE + timedelta(days=day) for day in days)]
    values = values[: len(starts)]
    pack = a_pack(CAP, dated_caps(starts, values))
    on = EFFECTIVE + timedelta(days=asked)
    expected = [value for start, value in zip(starts, values, strict=True) if start <= on][-1]
    assert policy_on(pack, on).caps["cards"].lines_per_holder_max.value == expected


@given(overlap=st.integers(1, 500))
@settings(max_examples=20, deadline=None)
def test_overlapping_dates_are_refused(overlap: int) -> None:
    later = date(2027, 1, 1)
    caps = dated_caps([EFFECTIVE, later], [5, 4])
    caps[0]["until"] = later + timedelta(days=overlap)
    assert problems(content_with(CAP, caps)) == [f"{CAP}: two values are in force on 2027-01-01"]


def test_an_open_value_overlaps_every_later_one() -> None:
    caps = dated_caps([EFFECTIVE, date(2027, 1, 1)], [5, 4])
    del caps[0]["until"]
    assert problems(content_with(CAP, caps)) == [f"{CAP}: two values are in force on 2027-01-01"]


def test_a_gap_in_time_is_refused() -> None:
    caps = dated_caps([EFFECTIVE, date(2027, 1, 1)], [5, 4])
    caps[0]["until"] = date(2026, 12, 1)
    assert problems(content_with(CAP, caps)) == [f"{CAP}: Field required (on 2026-12-01)"]


def test_a_value_that_ends_before_it_begins_is_refused() -> None:
    ended = a_value(CAP, until=date(2016, 9, 23))
    assert problems(content_with(CAP, ended)) == [f"{CAP}: until 2016-09-23 is not after since 2016-09-23"]


def test_a_later_wrong_value_is_found_at_once() -> None:
    caps = dated_caps([EFFECTIVE, date(2030, 1, 1)], [5, 4])
    caps[1]["value"] = "four"
    assert problems(content_with(CAP, caps))[0].endswith("(on 2030-01-01)")


def test_the_place_of_a_dated_value_is_named() -> None:
    caps = dated_caps([EFFECTIVE, date(2030, 1, 1)], [5, 4])
    del caps[1]["citation"]
    assert problems(content_with(CAP, caps)) == [f"{CAP}[1].citation: Field required"]
