import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.commands import app
from shiming.jurisdictions.explanations import cited_values
from shiming.jurisdictions.pack_reader import PACKS, read_pack
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import a_policy

ON = ("--on", "2026-03-01")


def run(*arguments: str, code: int = 0) -> str:
    platform = SimpleNamespace(scenario_topics=all_topics())
    result = CliRunner().invoke(app, list(arguments), obj=lambda: platform)
    if isinstance(result.exception, BadInput):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def read_json(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code))


@pytest.fixture
def broken_pack(tmp_path: Path) -> str:
    folder = tmp_path / "cn"
    shutil.copytree(PACKS / "cn", folder)
    caps = folder / "caps.toml"
    caps.write_text(caps.read_text(encoding="utf-8").replace("value = 5", "value = 6"), encoding="utf-8")
    return str(folder)


def test_list_names_every_pack() -> None:
    assert "cn" in run("list")
    assert [pack["id"] for pack in read_json("list")] == ["cn", "mx", "pk"]


def test_check_runs_all_scenarios() -> None:
    printed = run("check")
    assert "✓" in printed
    assert "✗" not in printed
    report = read_json("check", "cn")
    assert report["failed"] == 0
    assert all(row["passed"] for row in report["scenarios"])
    assert report["packs"][0]["content_hash"] == read_pack("cn").content_hash


def test_check_refuses_with_exit_code_1_what_breaks_a_scenario(broken_pack: str) -> None:
    assert "✗" in run("check", broken_pack, code=1)
    report = read_json("check", broken_pack, code=1)
    failed = [row["scenario"] for row in report["scenarios"] if not row["passed"]]
    assert "With five lines no sixth is opened" in failed
    assert report["failed"] == len(failed)


def test_check_says_with_exit_code_2_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "pack.toml").write_text("nonsense", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        run("check", str(tmp_path))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("language", ["zh", "en"])
def test_explain_prints_every_value_and_its_source(language: str) -> None:
    printed = run("explain", "cn", *ON, "--language", language)
    policy = a_policy()
    rules = read_json("explain", "cn", *ON, "--language", language)["rules"]
    assert len(rules) == len(list(cited_values(policy)))
    for rule in rules:
        assert f"• {rule['text']}" in printed
        assert f"{rule['source']} ({rule['confidence_words']}" in printed
        assert rule["confidence"] in {"primary", "secondary", "judgement"}
        assert rule["note"] in printed
        assert rule["chosen_for"] in printed


def test_explain_answers_for_today_without_a_date() -> None:
    assert read_json("explain", "cn")["pack"] == "cn"


def test_explain_says_when_a_value_ends(tmp_path: Path) -> None:
    folder = tmp_path / "cn"
    shutil.copytree(PACKS / "cn", folder)
    caps = folder / "caps.toml"
    first, rest = caps.read_text(encoding="utf-8").split("[caps.cards.scope]")
    value = first[first.index("value") :]
    dated = f"[[caps.cards.lines_per_holder_max]]\n{value}until = 2026-06-01\n"
    dated += f"[[caps.cards.lines_per_holder_max]]\n{value.replace('2016-09-23', '2026-06-01')}"
    caps.write_text(f"{dated}[caps.cards.scope]{rest}", encoding="utf-8")
    assert "since 2016-09-23, until 2026-06-01" in run("explain", str(folder), *ON)


@pytest.mark.parametrize("on", ["yesterday", "2026-02-30", "2024-01-01"])
def test_a_day_that_cannot_be_asked_is_refused(on: str) -> None:
    with pytest.raises(BadInput, match=r"DATE_INVALID|POLICY_NOT_IN_FORCE"):
        run("explain", "cn", "--on", on)


def test_show_prints_values_as_the_program_reads_them() -> None:
    assert "caps.cards.lines_per_holder_max = 5   # six_agencies2016:five_lines" in run(
        "show", "cn", "caps.cards", *ON
    )
    assert read_json("show", "cn", "caps.cards.scope", *ON) == {
        "caps.cards.scope": {"value": "operator", "citation": "six_agencies2016:five_lines"}
    }
    assert len(read_json("show", "cn", *ON)) == len(list(cited_values(a_policy())))


@pytest.mark.parametrize("path", ["line", "caps.cards.lines", "nothing"])
def test_show_refuses_a_path_that_is_not_there(path: str) -> None:
    with pytest.raises(BadInput, match="PATH_UNKNOWN"):
        run("show", "cn", path, *ON)


def test_hash_is_the_one_that_decisions_cite() -> None:
    assert run("hash", "cn").strip() == read_pack("cn").content_hash == a_policy().content_hash
    assert read_json("hash", "cn")["content_hash"] == read_pack("cn").content_hash
