"""`shiming lines`, `numbers` and `sims` as a clerk or a program runs them, on a real desk."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import FixedClock
from shiming.jurisdictions.model import Policy
from shiming.registrations.commands import lines, numbers, sims
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number
from tests.registrations.stock_builders import StockDesk, a_card, a_stock_desk, an_iccid, the_rules

root = typer.Typer()
root.add_typer(lines.app, name="lines")
root.add_typer(numbers.app, name="numbers")
root.add_typer(sims.app, name="sims")


@dataclass(frozen=True)
class Platform:
    engine: Engine
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    language: str
    clock: FixedClock
    default_pack: str = "cn"

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", NOW.date())
        return the_rules()


@pytest.fixture
def desk(tmp_path: Path) -> StockDesk:
    return a_stock_desk(tmp_path)


def run(desk: StockDesk, *arguments: object, language: str = "en") -> Result:
    platform = Platform(desk.engine, desk.desk.tools, desk.desk.policy, language, FixedClock(NOW))
    return CliRunner().invoke(root, [str(each) for each in arguments], obj=lambda: platform)


def told(desk: StockDesk, *arguments: object, code: int = 0) -> Any:
    result = run(desk, *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def problem_of(result: Result) -> str:
    assert isinstance(result.exception, BadInput)
    return result.exception.code


STOP = ("--reason", "lost_sim", "--as", "holder", "--reference", "CALL-1")


def test_a_line_is_stopped_shown_and_restored(desk: StockDesk) -> None:
    line, number = desk.line(1), a_number(1).reveal("t")
    stopped = told(desk, "lines", "stop", number, *STOP)
    assert (stopped["before"], stopped["after"]) == ("active", "two_way_stopped")
    assert told(desk, "lines", "status", line)["camara_subscription_status"]["voiceSmsIn"] == "suspended"
    assert "lost_sim" in run(desk, "lines", "status", line).output
    history = run(desk, "lines", "history", line).output
    assert "reported lost" in history
    assert "报失" in run(desk, "lines", "history", line, language="zh").output
    refused = told(desk, "lines", "lift", line, "--reason", "lost_sim", "--as", "holder", code=1)
    assert [reason["code"] for reason in refused["reasons"]] == ["LIFT_ROLE"]
    assert "active" in run(desk, "lines", "lift", line, "--reason", "lost_sim", "--as", "clerk").output
    assert told(desk, "lines", "history", line)["stops"][0]["lifted_by"] == "clerk"
    assert told(desk, "lines", "show", number)["line"]["status"] == "active"


def test_a_refusal_tells_clerk_and_subscriber(desk: StockDesk) -> None:
    line = desk.line(1)
    wrong = ("--reason", "fraud", "--as", "clerk", "--reference", "CALL-1")
    result = run(desk, "lines", "stop", line, *wrong)
    assert result.exit_code == 1
    assert "STOP_ROLE" in result.output
    assert "Tell the subscriber" in result.output
    assert "告知用户" in run(desk, "lines", "stop", line, *wrong, language="zh").output
    late = told(desk, "lines", "stop", line, *STOP, "--at", "2027-01-01T00:00:00+08:00", code=1)
    assert [reason["code"] for reason in late["reasons"]] == ["STOP_IN_FUTURE"]
    assert problem_of(run(desk, "lines", "stop", "REG-nothing", *STOP)) == "LINE_UNKNOWN"
    assert run(desk, "lines", "stop", line, "--reason", "lost_sim", "--as", "system").exit_code == 2


def test_a_line_is_ended_with_a_reason(desk: StockDesk) -> None:
    line = desk.line(1)
    assert problem_of(run(desk, "lines", "terminate", line, "--why", "No!")) == "TERMINATION_WHY"
    ended = told(desk, "lines", "terminate", line, "--why", "holder_asked")
    assert ended["after"] == "terminated"
    assert told(desk, "lines", "terminate", line, "--why", "holder_asked")["before"] == "terminated"


def test_the_pool_is_kept_from_the_terminal(desk: StockDesk) -> None:
    block = ("numbers", "add-block", "--operator", OPERATOR)
    made = told(desk, *block, "--first", "+8613800000xxx")
    assert (made["last"], made["repeated"]) == ("+8613800000999", False)
    assert "(1000)" in run(desk, *block, "--first", "+8613800000xxx").output
    assert run(desk, *block, "--first", "+8613800000500", "--last", "+8613800001500").exit_code == 1
    excluded = told(desk, *block, "--first", "+86138000009xx", "--excluded")
    assert len(told(desk, "numbers", "blocks")["blocks"]) == 2
    assert excluded["id"] in run(desk, "numbers", "blocks", "--operator", OPERATOR).output.replace("\n", "")
    free = told(desk, "numbers", "free", "--operator", OPERATOR, "--ending", "88")["numbers"]
    assert len(free) == 9
    assert "88" in run(desk, "numbers", "free", "--operator", OPERATOR, "--ending", "88").output
    assert told(desk, "numbers", "free", "--operator", "nobody", code=1) == {"numbers": []}
    assert "没有" in run(desk, "numbers", "free", "--operator", "nobody", language="zh").output


def test_a_number_is_kept_and_let_go_from_the_terminal(desk: StockDesk) -> None:
    run(desk, "numbers", "add-block", "--operator", OPERATOR, "--first", "+8613800000xxx")
    number, mine = a_number(8).reveal("t"), ("--operator", OPERATOR, "--for", "SES-1")
    assert told(desk, "numbers", "reserve", number, *mine)["repeated"] is False
    assert "SES-1" in run(desk, "numbers", "reserve", number, *mine).output
    other = told(desk, "numbers", "reserve", number, "--operator", OPERATOR, "--for", "SES-2", code=1)
    assert other["reasons"][0]["code"] == "NUMBER_RESERVED"
    assert told(desk, "numbers", "show", number)["state"] == "reserved"
    assert "reserved" in run(desk, "numbers", "show", number).output
    assert told(desk, "numbers", "release", number, *mine) == {"released": True}
    assert told(desk, "numbers", "release", number, *mine, code=1) == {"released": False}
    assert "not kept" in run(desk, "numbers", "release", number, *mine).output


def test_tables_are_taken_in_from_the_terminal(desk: StockDesk, tmp_path: Path) -> None:
    table = tmp_path / "ranges.csv"
    table.write_text("operator,first\ncn-mobile,+8613800000xxx\ncn-mobile,nothing\n", "utf-8")
    report = told(desk, "numbers", "import", table, code=1)
    assert (report["added"], report["refused"], report["bad_rows"][0]["line"]) == (1, 1, 3)
    again = run(desk, "numbers", "import", table)
    assert "there already 1" in again.output
    assert "RANGE_FORMAT" in again.output
    assert "已有 1" in run(desk, "numbers", "import", table, language="zh").output
    cards = tmp_path / "cards.csv"
    cards.write_text(f"iccid,imsi,form,operator\n{a_card(1)}\n{a_card(2)}\n", "utf-8")
    assert told(desk, "sims", "import", cards)["added"] == 2


def test_cards_are_shown_masked(desk: StockDesk) -> None:
    desk.import_sims(a_card(1), a_card(2))
    line = desk.line(1)
    desk.assign(line, 1)
    card = told(desk, "sims", "show", an_iccid(1))["sim"]
    assert (card["state"], card["line"]) == ("assigned", line)
    assert an_iccid(1) not in run(desk, "sims", "show", an_iccid(1)).output
    assert told(desk, "sims", "show", an_iccid(9), code=1) == {"sim": None}
    assert "没有" in run(desk, "sims", "show", an_iccid(9), language="zh").output
    desk.replace(line, 2)
    history = told(desk, "sims", "history", line)
    assert (history["swapped"], len(history["cards"])) == (True, 2)
    assert "898601" in run(desk, "sims", "history", a_number(1).reveal("t")).output
