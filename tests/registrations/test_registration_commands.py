"""The commands as a clerk or a program runs them, on a real desk."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import FixedClock
from shiming.privacy import commands as privacy_commands
from shiming.privacy.model import IdentityRecord, LedgerBroken, LedgerVerified
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.verifying import parse_leaf, verify_ledger
from shiming.registrations.commands import registrations as commands
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_registration_policy, a_session


@dataclass(frozen=True)
class Platform:
    engine: Engine
    clock: FixedClock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    privacy: PrivacyTools
    language: str = "en"


root = typer.Typer()
root.add_typer(commands.app)
root.add_typer(commands.lines, name="lines")
root.add_typer(privacy_commands.evidence, name="evidence")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = a_desk(tmp_path, a_registration_policy(1, identity_record_required=True))
    for session_id in ("SES-1", "SES-2"):
        desk.sessions.add(a_session(session_id))
        desk.keep_identity(
            a_session(session_id), IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
        )
    return desk


def run(desk: Desk, *arguments: str, language: str = "en") -> Result:
    platform = Platform(
        desk.vault.engine, FixedClock(NOW), desk.tools, desk.policy, desk.vault.tools, language
    )
    return CliRunner().invoke(root, arguments, obj=lambda: platform)


def register(
    desk: Desk, *more: str, session: str = "SES-1", number: str = "13800138000", language: str = "en"
) -> Result:
    arguments = ("register", "--operator", "cn-mobile", "--number", number, "--session", session, *more)
    return run(desk, *arguments, language=language)


def test_register_prints_a_receipt_and_a_repeat_prints_the_same(desk: Desk) -> None:
    first, again = register(desk, "--json"), register(desk, "--json")
    assert (first.exit_code, again.exit_code) == (0, 0)
    printed, repeated = json.loads(first.output), json.loads(again.output)
    assert (printed["outcome"], printed["repeated"]) == ("Registered", False)
    assert printed["line"]["number"] == "+8613800138000"
    assert (repeated["repeated"], repeated["receipt"]) == (True, printed["receipt"])


def test_register_tells_a_person_what_happened(desk: Desk) -> None:
    told = register(desk)
    assert told.exit_code == 0
    assert "+8613800138000" in told.output
    assert "1 / 1" in told.output
    assert "已登记" in register(desk, language="zh").output
    with pytest.raises(json.JSONDecodeError):
        json.loads(told.output)


def test_a_refusal_ends_with_one_and_its_reasons(desk: Desk) -> None:
    register(desk)
    refused = register(desk, "--json", session="SES-2")
    assert refused.exit_code == 1
    printed = json.loads(refused.output)
    assert printed["outcome"] == "Refused"
    assert [reason["code"] for reason in printed["reasons"]] == ["NUMBER_TAKEN", "CAP_REACHED"]
    told = register(desk, session="SES-2")
    assert "CAP_REACHED" in told.output
    assert "Tell the subscriber" in told.output
    assert "告知用户" in register(desk, session="SES-2", language="zh").output


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "not a number"}, "MSISDN_FORMAT"),
        ({"session": "11010519491231002X"}, "SESSION_FORMAT"),
    ],
)
def test_what_cannot_be_a_command_is_bad_input(desk: Desk, change: dict[str, str], code: str) -> None:
    result = register(desk, **change)
    assert isinstance(result.exception, BadInput)
    assert result.exception.code == code


def test_an_operator_code_is_checked(desk: Desk) -> None:
    result = run(desk, "register", "--operator", "中国", "--number", "13800138000", "--session", "SES-1")
    assert isinstance(result.exception, BadInput)
    assert result.exception.code == "OPERATOR_FORMAT"


def test_a_line_is_shown_with_a_pseudonym_for_its_holder(desk: Desk) -> None:
    unknown = run(desk, "lines", "show", "+8613800138000", "--json")
    assert (unknown.exit_code, json.loads(unknown.output)) == (1, {"line": None})
    assert "never registered" in run(desk, "lines", "show", "13800138000").output
    register(desk)
    shown = run(desk, "lines", "show", "13800138000", "--json")
    line = json.loads(shown.output)["line"]
    assert (line["status"], line["holder"], line["terminated_at"]) == ("pending", "p1.someone", None)
    assert "pending" in run(desk, "lines", "show", "13800138000").output


def test_without_a_region_the_country_code_is_needed(desk: Desk) -> None:
    abroad = replace(desk, policy=replace(desk.policy, number_regions=()))
    assert isinstance(run(abroad, "lines", "show", "13800138000").exception, BadInput)
    assert isinstance(register(abroad).exception, BadInput)


def test_the_ledger_is_verified_against_a_receipt(desk: Desk) -> None:
    told = json.loads(register(desk, "--json").output)["receipt"]["ledger"]
    leaf = f"{told['leaf']}:{told['hash']}"
    keys = desk.vault.keys
    assert isinstance(verify_ledger(desk.engine, keys, known_leaf=parse_leaf(leaf)), LedgerVerified)
    wrong = parse_leaf(leaf[:-4] + "0000")
    assert isinstance(verify_ledger(desk.engine, keys, known_leaf=wrong), LedgerBroken)


def test_evidence_is_listed_without_content(desk: Desk) -> None:
    by_case = run(desk, "evidence", "list", "--case", "SES-1", "--json")
    (kept,) = json.loads(by_case.output)["evidence"]
    assert (kept["kind"], kept["erased_at"], kept["retain_until"]) == ("identity_record", None, None)
    assert (
        len(json.loads(run(desk, "evidence", "list", "--subject", "p1.someone", "--json").output)["evidence"])
        == 2
    )
    table = run(desk, "evidence", "list", "--case", "SES-1").output
    assert "张" not in table
    assert "11010519" not in table
    nobody = run(desk, "evidence", "list")
    assert isinstance(nobody.exception, BadInput)
    assert nobody.exception.code == "EVIDENCE_OF_WHOM"
