"""The commands about those who act for others, clocks, disputes and notices, as a clerk runs them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.http.asking import Caller, Forbidden
from shiming.jurisdictions.model import Policy
from shiming.registrations.commands import holder_clocks, notices, representatives, repudiations
from shiming.registrations.use_cases.notices import NoticeTools
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.permissions import Permission
from tests.privacy.builders import NOW
from tests.registrations.people_builders import PICTURE, PeopleDesk, a_people_desk
from tests.registrations.test_notices import KeepingChannel

root = typer.Typer()
for name, group in {
    "representatives": representatives.app,
    "holder-clocks": holder_clocks.app,
    "repudiations": repudiations.app,
    "notices": notices.app,
}.items():
    root.add_typer(group, name=name)


@dataclass
class Platform:
    people: PeopleDesk
    channel: KeepingChannel = field(default_factory=KeepingChannel)
    allowed: bool = True
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    language: str = "en"
    default_pack: str = "cn"

    @property
    def engine(self) -> Engine:
        return self.people.engine

    @property
    def registrations(self) -> Any:
        return self.people.desk.tools

    @property
    def registration_policy(self) -> Any:
        return self.people.desk.policy

    @property
    def notices(self) -> NoticeTools:
        return NoticeTools(self.people.desk.tools.privacy, self.channel)

    @property
    def gatekeeper(self) -> "Platform":
        return self

    def allow(self, _caller: Caller, _question: Permission) -> bool:
        return self.allowed

    def sign_in_staff(self, user_name: str, password: str) -> Caller:
        assert password
        return Caller(user_name, f"person:{user_name}", "staff")

    def today(self) -> date:
        return NOW.date()

    def policy(self, _pack: str, _on: date) -> Policy:
        return self.people.policy


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    desk = a_people_desk(tmp_path)
    yield Platform(desk)
    desk.engine.dispose()


def run(platform: Platform, *arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(root, list(map(str, arguments)), obj=lambda: platform, input=given)


def printed(result: Result) -> Any:
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.output)


def test_a_representative_is_named_with_the_document_and_shown(platform: Platform, tmp_path: Path) -> None:
    platform.people.prove("SES-H", "p1.principal")
    platform.people.prove("SES-P", "p1.proxy")
    platform.people.order("SES-H")
    nobody = run(platform, "representatives", "show", "SES-H")
    assert isinstance(nobody.exception, BadInput)
    letter, text = tmp_path / "letter.jpg", tmp_path / "letter.txt"
    letter.write_bytes(PICTURE)
    text.write_text("I allow it")
    refused = run(platform, "representatives", "name", "SES-H", "--by", "SES-P", "--json")
    assert refused.exit_code == 1
    assert [reason["code"] for reason in printed(refused)["reasons"]] == ["AUTHORITY_DOCUMENT_MISSING"]
    assert isinstance(run(platform, "representatives", "document", "SES-H", text).exception, BadInput)
    kept = printed(run(platform, "representatives", "document", "SES-H", letter, "--json"))
    document = kept["authority_document"]
    named = run(platform, "representatives", "name", "SES-H", "--by", "SES-P", "--document", document)
    assert named.exit_code == 0
    shown = printed(run(platform, "representatives", "show", "SES-H", "--json"))
    assert (shown["role"], shown["session"], shown["authority_document"]) == ("proxy", "SES-P", document)
    handler = run(platform, "representatives", "name", "SES-H", "--by", "SES-P", "--role", "handler")
    assert isinstance(handler.exception, BadInput)


def test_a_refusal_is_told_in_words(platform: Platform) -> None:
    platform.people.prove("SES-H", "p1.principal")
    platform.people.order("SES-H")
    told = run(platform, "representatives", "name", "SES-H", "--by", "SES-NONE")
    assert told.exit_code == 1
    assert "REPRESENTATIVE_UNKNOWN" in told.output
    assert "Tell the subscriber" in told.output


def test_clocks_are_listed_run_and_ended_by_a_new_proof(platform: Platform) -> None:
    people = platform.people
    people.prove("SES-M", "p1.child", category="minor", majority_on=date(2026, 5, 20))
    line = people.register("SES-M")
    assert printed(run(platform, "holder-clocks", "run", "--json")) == {"moved": 1}
    assert run(platform, "holder-clocks", "run").output.strip() == "0"
    (clock,) = printed(run(platform, "holder-clocks", "list", "--due-until", "2026-06-01", "--json"))[
        "clocks"
    ]
    assert (clock["line"], clock["clock"], clock["state"]) == (line, "majority", "reminded")
    refused = run(platform, "holder-clocks", "handover", line, "--session", "SES-NONE", "--json")
    assert refused.exit_code == 1
    people.prove("SES-GROWN", "p1.child")
    done = run(platform, "holder-clocks", "handover", line, "--session", "SES-GROWN")
    assert done.exit_code == 0
    assert "ended" in done.output


def test_a_line_is_repudiated_and_the_dispute_decided(platform: Platform, tmp_path: Path) -> None:
    line = platform.people.registered_by_proxy()
    platform.people.confirm(line)
    assert run(platform, "notices", "send").output.strip() == "1"
    (message,) = platform.channel.messages.values()
    code = "".join(character for character in message.text.en if character.isdecimal())
    assert run(platform, "repudiations", "make", line, given="1\n").exit_code == 1
    (tmp_path / "code").write_text(code)
    made = printed(run(platform, "repudiations", "make", line, "--code-file", tmp_path / "code", "--json"))
    (dispute,) = made["repudiations"]
    assert (dispute["line"], dispute["by"], dispute["state"]) == (line, "code", "open")
    (listed,) = printed(run(platform, "repudiations", "list", "--open", "--json"))["repudiations"]
    assert listed["id"] == dispute["id"]
    decide = ("repudiations", "decide", dispute["id"], "--upheld", "--as", "wang.fang")
    platform.allowed = False
    assert isinstance(run(platform, *decide, given="secret\n").exception, Forbidden)
    platform.allowed = True
    decided = run(platform, *decide, given="secret\n")
    assert decided.exit_code == 0
    assert "upheld" in decided.output
    assert run(platform, *decide, given="secret\n").exit_code == 1


def test_notices_are_listed_recorded_and_counted(platform: Platform) -> None:
    platform.people.registered_by_proxy()
    (notice,) = printed(run(platform, "notices", "list", "--json"))["notices"]
    assert (notice["template"], notice["state"]) == ("proxy_registered", "queued")
    assert "reached" in run(platform, "notices", "record", notice["id"], "reached").output
    assert printed(run(platform, "notices", "list", "--state", "queued", "--json")) == {"notices": []}
    counted = printed(run(platform, "notices", "unreached", "terms-1", "--json"))
    assert (counted["not_reached"], counted["lines"]) == (0, [])
    assert run(platform, "notices", "unreached", "terms-1").exit_code == 0
    assert printed(run(platform, "notices", "send", "--json")) == {"taken": 0}
