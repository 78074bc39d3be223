"""Two sets of rules side by side: what differs is told with citation and days, what is the same is not."""

import json
from datetime import date
from itertools import permutations

import pytest
from typer.testing import CliRunner

from shiming.jurisdictions.commands import app
from shiming.jurisdictions.explanations import explain
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_differences import Change, differences_between, in_words
from shiming.jurisdictions.pack_reader import builtin_packs, policy_on, read_pack
from shiming.jurisdictions.pack_supposition import supposing
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import A_DAY, CAP, a_pack, a_policy, a_value

PAIRS = list(permutations(builtin_packs(), 2))


def _policy(name: str) -> Policy:
    return policy_on(read_pack(name), A_DAY)


@pytest.mark.parametrize("name", builtin_packs())
def test_the_same_rules_do_not_differ(name: str) -> None:
    assert differences_between(_policy(name), _policy(name)) == ()


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_every_value_is_the_same_or_told(first: str, second: str) -> None:
    before, after = _policy(first), _policy(second)
    told = {each.path: each for each in differences_between(before, after)}
    values = [{each.path: each.value for each in explain(policy)} for policy in (before, after)]
    for path in values[0].keys() | values[1].keys():
        if path in told and told[path].change is not Change.FOUNDED_OTHERWISE:
            assert values[0].get(path, ...) != values[1].get(path, ...)
        else:
            assert values[0][path] == values[1][path]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_seen_from_the_other_side_it_is_the_mirror(first: str, second: str) -> None:
    mirror = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    there = {each.path: each.change for each in differences_between(_policy(first), _policy(second))}
    back = {each.path: each.change for each in differences_between(_policy(second), _policy(first))}
    assert there == {path: mirror.get(change, change) for path, change in back.items()}


def test_one_changed_value_is_the_only_difference() -> None:
    (found,) = differences_between(a_policy(), a_policy(CAP, a_value(CAP, value=3)))
    assert (found.path, found.change) == (CAP, Change.CHANGED)
    assert found.before
    assert found.after
    assert (found.before.value, found.after.value) == (5, 3)
    assert found.to_json()["after"]["citation"] == "six_agencies2016:five_lines"


def test_another_confidence_of_the_same_value_is_told_apart() -> None:
    (found,) = differences_between(a_policy(), a_policy(CAP, a_value(CAP, confidence="judgement")))
    assert found.change is Change.FOUNDED_OTHERWISE


def test_added_and_removed_values() -> None:
    gap = "caps.cards.gap_hours_min"
    with_gap = a_policy(gap, a_value(CAP, value=8))
    (added,) = differences_between(a_policy(), with_gap)
    (removed,) = differences_between(with_gap, a_policy())
    assert (added.change, added.before) == (Change.ADDED, None)
    assert (removed.change, removed.after) == (Change.REMOVED, None)


def test_two_days_of_one_pack() -> None:
    dated = [a_value(CAP, until="2026-01-01"), a_value(CAP, since="2026-01-01", value=3)]
    pack = a_pack(CAP, dated)
    before, after = policy_on(pack, date(2025, 12, 31)), policy_on(pack, date(2026, 1, 1))
    (found,) = differences_between(before, after)
    assert found.before
    assert found.before.until == date(2026, 1, 1)
    lines = "\n".join(in_words([found], before, after, "en"))
    assert "2016-09-23 – 2026-01-01" in lines or "– 2026-01-01" in lines


@pytest.mark.parametrize(("language", "word"), [("zh", "改变"), ("en", "changed")])
def test_the_words(language: str, word: str) -> None:
    before, after = a_policy(), a_policy(CAP, a_value(CAP, value=3))
    lines = "\n".join(in_words(differences_between(before, after, language), before, after, language))
    assert f"{CAP} · {word}" in lines
    same = "\n".join(in_words((), before, before, language))
    assert {"zh": "规则相同", "en": "The rules are the same"}[language] in same


def test_the_command() -> None:
    arguments = ["diff", "cn", "pk", "--on", A_DAY.isoformat()]
    printed = CliRunner().invoke(app, [*arguments, "--language", "zh"])
    assert printed.exit_code == 0
    assert "caps.cards" in printed.stdout
    report = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert report["before"]["pack"] == "cn"
    assert {"path", "change", "before", "after"} == set(report["differences"][0])
    alone = json.loads(CliRunner().invoke(app, ["diff", "cn", "--on", A_DAY.isoformat(), "--json"]).stdout)
    assert alone["differences"] == []


def test_supposing_replaces_the_value_of_the_day_and_nothing_else() -> None:
    dated = [a_value(CAP, until="2026-01-01"), a_value(CAP, since="2026-01-01", value=4)]
    pack = a_pack(CAP, dated)
    supposed = supposing(pack, [f"{CAP}=2", "caps.cards.scope=national"], A_DAY)
    policy = policy_on(supposed, A_DAY)
    assert policy.caps["cards"].lines_per_holder_max.value == 2
    assert policy.caps["cards"].scope.value == "national"
    assert policy_on(supposed, date(2025, 12, 31)).caps["cards"].lines_per_holder_max.value == 5
    assert supposing(pack, (), A_DAY).content_hash == pack.content_hash


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("caps.cards", "PATH_UNKNOWN"),
        ("caps.cards=5", "PATH_UNKNOWN"),
        ("caps.none.lines_per_holder_max=5", "PATH_UNKNOWN"),
        (f"{CAP}.value.x=5", "PATH_UNKNOWN"),
        (f"{CAP}=many", "PACK_INVALID"),
        (f"{CAP}=-1", "PACK_INVALID"),
    ],
)
def test_what_cannot_be_supposed(setting: str, code: str) -> None:
    with pytest.raises(BadInput, match=code):
        supposing(a_pack(), [setting], A_DAY)
