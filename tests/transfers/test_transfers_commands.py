"""The commands about transfers as a clerk or a program runs them."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import unit_of_work
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.store.orders import add_order
from shiming.registrations.store.terms import add_terms
from shiming.transfers.commands.transfers import app
from shiming.transfers.connectors.fake import FakeDonor
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict
from shiming.transfers.use_cases.terms_upgrades import run_campaigns
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OPERATOR,
    RECEIVER,
    TransferDesk,
    a_line,
    a_transfer_desk,
    an_order_for,
)


@dataclass(frozen=True)
class Platform:
    desk: TransferDesk
    transfers: TransferTools
    clock: FixedClock
    language: str = "en"
    default_pack: str = "cn"

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def today(self) -> date:
        return LATER.date()

    def policy(self, pack: str, on: date) -> Policy:
        assert (pack, on) == ("cn", LATER.date())
        return self.desk.policy


root = typer.Typer()
root.add_typer(app, name="transfers")


@pytest.fixture
def desk(tmp_path: Path) -> TransferDesk:
    made = a_transfer_desk(tmp_path)
    donor = FakeDonor({"CODE-1": DonorAnswer(DonorVerdict.CONFIRMED, "DON-1")})
    return replace(made, tools=replace(made.tools, donor=donor))


def run(desk: TransferDesk, *arguments: str, language: str = "en", typed: str | None = None) -> Result:
    platform = Platform(desk, desk.tools, FixedClock(LATER), language)
    return CliRunner().invoke(root, ["transfers", *arguments], obj=lambda: platform, input=typed)


def test_a_holder_changes_and_the_history_shows_it(desk: TransferDesk) -> None:
    line_id = desk.line()
    desk.prepare(line_id)
    command = ("change-holder", "--line", line_id, "--giver", "SES-G", "--receiver", "SES-R")
    done = run(desk, *command, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["act"] == 2
    assert "已过户" in run(desk, *command, language="zh").output
    acts = json.loads(run(desk, "acts", line_id, "--json").stdout)["acts"]
    assert [act["kind"] for act in acts] == ["registered", "change_of_holder"]
    assert "change_of_holder SES-R" in run(desk, "acts", line_id).output


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_says_every_reason_and_what_to_do(desk: TransferDesk, language: str) -> None:
    line_id = desk.line()
    command = ("change-holder", "--line", line_id, "--giver", "SES-G", "--receiver", "SES-R")
    refused = run(desk, *command, language=language)
    assert refused.exit_code == 1
    assert "SESSION_UNKNOWN" in refused.output
    assert "TRANSFER_ORDER_MISSING" in refused.output
    as_json = json.loads(run(desk, *command, "--json").stdout)
    assert as_json["refused"][0]["next_step"]["zh"]


@pytest.mark.parametrize("command", ["replace-sim", "move"])
def test_a_new_sim_and_a_move_need_an_order(desk: TransferDesk, command: str) -> None:
    refused = run(desk, command, "--line", desk.line(), "--session", "SES-0", "--json")
    assert refused.exit_code == 1
    assert "TRANSFER_ORDER_MISSING" in refused.stdout


def test_a_number_leaves_by_its_code(desk: TransferDesk) -> None:
    line_id = desk.line()
    desk.prove("SES-P", GIVER)
    given = json.loads(run(desk, "port-out", "--line", line_id, "--session", "SES-P", "--json").stdout)
    complete = ("complete-port-out", given["port"], "--recipient", "cn-other")
    wrong = run(desk, *complete, typed="1\n")
    assert wrong.exit_code == 1
    assert "PORT_CODE_WRONG" in wrong.output
    assert "The number has left" in run(desk, *complete, typed=f"{given['code']}\n").output
    assert "PORT_STATE" in run(desk, "cancel-port-out", given["port"]).output


def test_a_port_is_called_off(desk: TransferDesk) -> None:
    line_id = desk.line()
    desk.prove("SES-P", GIVER)
    given = json.loads(run(desk, "port-out", "--line", line_id, "--session", "SES-P", "--json").stdout)
    off = json.loads(run(desk, "cancel-port-out", given["port"], "--json").stdout)
    assert off["state"] == "cancelled"


def test_a_number_comes_in(desk: TransferDesk) -> None:
    desk.prove("SES-IN", RECEIVER)
    with unit_of_work(desk.engine) as connection:
        add_order(connection, an_order_for(a_line(number=a_number(7)), "SES-IN", EntryKind.PORT_IN))
    number = a_number(7).reveal("typed")
    command = ("port-in", "--operator", OPERATOR, "--session", "SES-IN", "--donor", "cn-other")
    refused = run(desk, *command, "--number", number, typed="CODE-2\n")
    assert "PORT_DONOR_REFUSED" in refused.output
    confirmed = run(desk, *command, "--number", number, typed="CODE-1\n")
    assert "The donor agrees" in confirmed.output


def test_a_case_is_reported_assessed_sanctioned_and_appealed(desk: TransferDesk) -> None:
    line_id = desk.line()
    report = ("cases", "report", "--line", line_id, "--kind", "lending", "--reporter", "CMP-1", "--json")
    case = json.loads(run(desk, *report).stdout)["case"]
    found = run(desk, "cases", "assess", case, "--finding", "used_by_others", "--by", "ACC-1")
    assert found.exit_code == 0, found.output
    for what, by in (("sanction", "ACC-1"), ("appeal", "ACC-2"), ("reject", "ACC-2"), ("appeal", "ACC-2")):
        done = run(desk, "cases", "step", case, what, "--by", by)
        assert done.exit_code == 0, done.output
    assert "TRANSFER_CASE_OWN_JUDGE" in run(desk, "cases", "step", case, "uphold", "--by", "ACC-1").output
    assert run(desk, "cases", "step", case, "uphold", "--by", "ACC-2").exit_code == 0
    assert json.loads(run(desk, "cases", "show", case, "--json").stdout)["state"] == "lifted"
    wrong = run(desk, "cases", "step", case, "assess", "--by", "ACC-1")
    assert isinstance(wrong.exception, BadInput)


def test_new_terms_are_announced(desk: TransferDesk) -> None:
    line_id = desk.line()
    terms = Terms(OPERATOR, "2026-12", LATER.date(), Text(zh="协议", en="Terms"), ())
    with unit_of_work(desk.engine) as connection:
        add_terms(connection, PublishedTerms(terms, "sha256:0", NOW))
    by, then = ((LATER + timedelta(days=days)).isoformat() for days in (5, 40))
    draft = ("terms", "draft", "--operator", OPERATOR, "--version", "2026-12", "--notify-by", by)
    short = run(desk, *draft, "--takes-effect", by)
    assert "TERMS_NOTICE_TOO_SHORT" in short.output
    campaign = json.loads(run(desk, *draft, "--takes-effect", then, "--json").stdout)["campaign"]
    assert "TERMS_CAMPAIGN_STATE" in run(desk, "terms", "step", campaign, "finish").output
    assert run(desk, "terms", "step", campaign, "start").exit_code == 0
    run_campaigns(desk.tools, desk.engine, now=LATER)
    missed = run(desk, "terms", "not-reached", campaign).stdout.splitlines()
    assert missed[0] == "line,notice,state,failure"
    assert missed[1].startswith(f"{line_id},NTC-")
    assert run(desk, "terms", "accept", campaign, "--line", line_id).exit_code == 0
    reach = json.loads(run(desk, "terms", "reach", campaign, "--json").stdout)
    assert (reach["holders"], reach["accepted"], reach["not_reached"]) == (1, 1, 0)
