import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from shiming.entrypoints.demo import app
from shiming.entrypoints.law.topics import all_topics
from shiming.jurisdictions.pack_reader import PACKS

TOPICS = all_topics()


def run(*arguments: str, code: int = 0, language: str = "en") -> str:
    platform = SimpleNamespace(scenario_topics=TOPICS, language=language)
    result = CliRunner().invoke(app, ["law", *arguments], obj=lambda: platform)
    assert result.exit_code == code, result.output
    return result.stdout


def told(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code))


def test_every_kind_of_holder_and_line_has_its_stories() -> None:
    stories = told()["stories"]
    kinds = {story["story"] for story in stories if story["pack"] == "cn"}
    assert len(kinds) >= 20
    for kind in (
        "adult resident",
        "minor, with a guardian",
        "foreigner",
        "resident of Hong Kong, Macao or Taiwan",
        "soldier",
        "adult, by proxy",
        "organisation",
        "actual user of an organisation",
        "adult with a mobile line",
        "wireless data card",
        "fixed line",
        "internet access",
        "voice private line",
        "switchboard",
        "industry card with little traffic",
        "industry card with general traffic",
        "change of holder",
        "replacement of a SIM",
        "number that leaves",
    ):
        assert kind in kinds, kind
    assert {story["pack"] for story in stories} == {"cn", "mx", "pk"}


def test_stories_are_accepted_and_refused_with_code_and_citation() -> None:
    found = told()
    refused = [story for story in found["stories"] if story["outcome"] == "refused"]
    accepted = [story for story in found["stories"] if story["outcome"] == "accepted"]
    assert len(refused) >= 10
    assert len(accepted) >= 10
    assert all(story["refusals"] and all(each["citation"] for each in story["refusals"]) for story in refused)
    assert all(story["facts"] for story in found["stories"])
    assert found["differing"] == 0


@pytest.fixture
def a_wrong_pack(tmp_path: Path) -> str:
    folder = tmp_path / "cn"
    shutil.copytree(PACKS / "cn", folder)
    caps = folder / "caps.toml"
    caps.write_text(caps.read_text(encoding="utf-8").replace("value = 5", "value = 6", 1), encoding="utf-8")
    return str(folder)


def test_it_fails_when_an_outcome_differs(a_wrong_pack: str) -> None:
    found = told("--pack", a_wrong_pack, code=1)
    assert found["differing"] > 0
    wrong = [story for story in found["stories"] if not story["as_it_should_be"]]
    assert any("CAP_REACHED" in " ".join(story["differences"]) for story in wrong)
    assert "≠" in run("--pack", a_wrong_pack, code=1)


def test_it_speaks_chinese() -> None:
    printed = run("--pack", "cn", language="zh")
    assert "拒绝" in printed
    assert "第32条" in printed or "第31条" in printed or "通告" in printed


def test_every_scenario_about_lines_can_be_walked() -> None:
    assert len(told("--every")["stories"]) > len(told()["stories"])
