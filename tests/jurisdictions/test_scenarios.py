from pathlib import Path
from typing import Any

import pytest

from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.pack_reader import builtin_packs, read_pack
from shiming.jurisdictions.scenarios import (
    Scenario,
    ScenarioResult,
    differences,
    read_scenarios,
    run_scenarios,
)
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import CAP, a_pack, a_value

RESULTS = [
    (pack, result) for pack in builtin_packs() for result in run_scenarios(read_pack(pack), all_topics())
]


def scenario(given: dict[str, Any], then: dict[str, Any]) -> Scenario:
    return Scenario.model_validate({"scenario": "x", "given": {"date": "2026-03-01", **given}, "then": then})


@pytest.mark.parametrize(
    "result", [result for _, result in RESULTS], ids=[result.scenario.scenario for _, result in RESULTS]
)
def test_every_scenario_of_a_built_in_pack_holds(result: ScenarioResult) -> None:
    assert result.passed, result.differences


def test_scenarios_are_said_in_both_languages() -> None:
    assert len(RESULTS) > 30
    assert all(result.scenario.zh for pack, result in RESULTS if pack == "cn")


@pytest.mark.parametrize(
    ("given", "then", "difference"),
    [
        ({"lines held": 5}, {"line": "allowed"}, "line: expected allowed, the rules say refused"),
        (
            {"lines held": 5},
            {"refusal": {"cites": "order25:7"}},
            "refusal: cites: expected order25:7, the rules say six_agencies2016:five_lines",
        ),
        (
            {"subject": "adult", "document": "resident_id"},
            {"manual entry": "allowed"},
            "manual entry: expected allowed, the rules say forbidden",
        ),
        (
            {"channel": "shop", "route": "no_blink"},
            {"gestures": ["blink"]},
            "gestures: expected blink, the rules say turn_left, turn_right",
        ),
        (
            {"decided": "2026-03-01"},
            {"erased on": {"clip": "2036-03-01"}},
            "erased on: clip: expected 2036-03-01, the rules say 2026-03-01",
        ),
        ({}, {"line": "allowed"}, "line: expected allowed, the rules say nothing"),
        ({}, {"document": "accepted"}, "document: expected accepted, the rules say nothing"),
        ({"lines held": 1}, {"colour": "red"}, "colour: expected red, the rules say nothing"),
        ({"date": "2020-01-01"}, {"line": "allowed"}, "line: expected allowed, the rules say nothing"),
    ],
)
def test_a_wrong_scenario_fails(given: dict[str, Any], then: dict[str, Any], difference: str) -> None:
    assert differences(scenario(given, then), a_pack()) == (difference,)


def test_a_change_of_the_pack_breaks_the_scenario_that_guards_it() -> None:
    wrong = a_pack(CAP, a_value(CAP, value=6))
    named = {each.scenario.scenario: each.scenario for _, each in RESULTS}
    sixth = named["With five lines no sixth is opened"]
    assert differences(sixth, wrong, all_topics())


def test_a_pack_may_review_instead_of_refusing() -> None:
    pack = a_pack("caps.cards.at_cap", a_value("caps.cards.at_cap", value="enhanced_review"))
    assert differences(scenario({"lines held": 5}, {"line": "reviewed"}), pack) == ()


def test_a_channel_that_the_pack_does_not_offer() -> None:
    asked = scenario({"channel": "agent"}, {"refusal": {"code": "NOT_OFFERED"}})
    assert differences(asked, a_pack("channels.agent", None)) == ()


def test_a_pack_without_folder_has_no_scenarios() -> None:
    assert run_scenarios(a_pack()) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a: b",
        b"- [",
        b"- 1",
        b"\xff",
        b"- {scenario: x, given: {date: 2026-13-01}, then: {line: allowed}}",
        b"- {scenario: x, given: {date: 2026-03-01, weather: fine}, then: {line: allowed}}",
        b"- {scenario: x, given: {date: 2026-03-01}, then: {}}",
        b"- {scenario: x, given: {}, then: {line: allowed}}",
        b"- {scenario: x, given: {date: 2026-03-01, channel: moon}, then: {line: allowed}}",
        b"#" * 1_000_001,
        b"[" * 100_000,
    ],
)
def test_what_is_no_scenario_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInput, match="SCENARIO_INVALID"):
        read_scenarios(file)
