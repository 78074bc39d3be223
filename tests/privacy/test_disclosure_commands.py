"""`shiming disclosures` over a real vault, on both engines."""

import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shiming.infrastructure.http.asking import Caller, Forbidden
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.disclosure_command_line import DisclosureRefused
from shiming.privacy.disclosure_commands import disclosures
from shiming.vocabulary.errors import BadInput, Text
from tests.privacy.disclosure_builders import NOW
from tests.privacy.disclosure_desk import OPERATOR_NAME, Desk, a_desk
from tests.privacy.privacy_over_http import PEOPLE, Gatekeeper, MovingClock

RUNNER = CliRunner()


@dataclass
class Platform:
    desk: Desk
    clock: MovingClock = field(default_factory=MovingClock)
    gatekeeper: Gatekeeper = field(default_factory=Gatekeeper)
    language: str = "en"

    def __post_init__(self) -> None:
        self.engine = self.desk.vault.engine
        self.privacy = self.desk.vault.tools

    def today(self) -> date:
        return NOW.date()

    def policy(self, pack: str, on: date) -> Policy:
        return policy_on(read_pack(pack or "cn"), on)

    def operator_name(self, operator: str) -> str:
        return OPERATOR_NAME if operator else ""

    def sign_in_staff(self, user_name: str, password: str) -> Caller:
        if user_name not in PEOPLE or password != f"secret of {user_name}":
            raise BadInput("SIGN_IN_FAILED", Text(zh="登录失败。", en="Nobody was signed in."))
        return PEOPLE[user_name][0]


@pytest.fixture
def platform(tmp_path: Path, database_url: str) -> Iterator[Platform]:
    with a_desk(tmp_path, database_url) as desk:
        yield Platform(desk)


def run(platform: Platform, who: str, *words: str, password: str = "") -> dict[str, Any]:
    """Run a command as somebody; return what it prints as JSON; raise what it raises."""
    result = RUNNER.invoke(
        disclosures,
        [*words, "--as", who, "--password-file", "-", "--json"],
        obj=lambda: platform,
        input=password or f"secret of {who}\n",
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.output)
    return printed


def ask(platform: Platform, *evidence: str, who: str = "asker", **changes: str) -> dict[str, Any]:
    options = {
        "subject": platform.desk.vault.subject(),
        "recipient": "北京市公安局朝阳分局",
        "basis": "反电信网络诈骗法第二十六条",
        "case": "LAW-2026-0001",
    } | changes
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    pieces = [word for each in evidence for word in ("--evidence", each)]
    return run(platform, who, "request", *words, *pieces)


def test_from_asking_to_the_file(platform: Platform, tmp_path: Path) -> None:
    ref, copies = platform.desk.put(), tmp_path / "copies.zip"
    disclosure = ask(platform, ref.evidence_id, **{"defer-until": "2026-06-01"})["id"]
    with pytest.raises(DisclosureRefused) as refused:
        run(platform, "asker", "execute", disclosure, "--into", str(copies))
    assert (refused.value.code, refused.value.exit_code) == ("DISCLOSURE_NOT_APPROVED", 1)
    assert not copies.exists()
    assert run(platform, "first", "approve", disclosure)["state"] == "requested"
    assert run(platform, "second", "approve", disclosure)["state"] == "approved"
    done = run(platform, "asker", "execute", disclosure, "--into", str(copies))
    assert (done["state"], done["visible_from"]) == ("executed", "2026-06-01T00:00:00Z")
    assert stat.S_IMODE(copies.stat().st_mode) == 0o600
    assert zipfile.ZipFile(copies).namelist() == ["manifest.json", f"{ref.evidence_id}.jpg"]
    with pytest.raises(DisclosureRefused, match="DISCLOSURE_ALREADY_EXECUTED"):
        run(platform, "asker", "execute", disclosure, "--into", str(tmp_path / "again.zip"))
    assert not (tmp_path / "again.zip").exists()
    assert run(platform, "first", "show", disclosure) == done
    assert run(platform, "asker", "list")["disclosures"] == [done]


def test_a_file_that_cannot_be_made_costs_nothing(platform: Platform, tmp_path: Path) -> None:
    disclosure = ask(platform, platform.desk.put().evidence_id)["id"]
    for who in ("first", "second"):
        run(platform, who, "approve", disclosure)
    there = tmp_path / "there.zip"
    there.write_bytes(b"mine")
    for target in (there, tmp_path / "no" / "folder.zip"):
        with pytest.raises(BadInput, match="COPY_FILE_NOT_WRITTEN"):
            run(platform, "asker", "execute", disclosure, "--into", str(target))
    assert there.read_bytes() == b"mine"
    assert run(platform, "asker", "show", disclosure)["state"] == "approved"


def test_who_signs_in_decides(platform: Platform) -> None:
    disclosure = ask(platform, platform.desk.put().evidence_id)["id"]
    with pytest.raises(BadInput, match="SIGN_IN_FAILED"):
        run(platform, "first", "approve", disclosure, password="guess\n")
    with pytest.raises(DisclosureRefused, match="DISCLOSURE_SAME_PERSON"):
        run(platform, "asker-again", "approve", disclosure)
    with pytest.raises(DisclosureRefused, match="DISCLOSURE_NOT_A_PERSON"):
        run(platform, "program", "approve", disclosure)
    for words in (["approve", disclosure], ["show", disclosure], ["list"]):
        with pytest.raises(Forbidden):
            run(platform, "nobody", *words)
    with pytest.raises(BadInput, match="DISCLOSURE_UNKNOWN"):
        run(platform, "stranger", "show", disclosure)
    refused = run(platform, "first", "refuse", disclosure, "--why", "no legal basis")
    assert (refused["state"], refused["refused_why"]) == ("refused", "no legal basis")


def test_bad_input(platform: Platform) -> None:
    ref = platform.desk.put()
    with pytest.raises(BadInput, match="PURPOSE_UNKNOWN"):
        ask(platform, ref.evidence_id, purpose="curiosity")
    with pytest.raises(BadInput, match="DATE_FORMAT"):
        ask(platform, ref.evidence_id, **{"defer-until": "soon"})
    with pytest.raises(BadInput, match="CASE_REFERENCE_FORMAT"):
        ask(platform, ref.evidence_id, case="11010519491231002X")
    with pytest.raises(DisclosureRefused, match="DISCLOSURE_PURPOSE_NOT_ALLOWED"):
        ask(platform, ref.evidence_id, purpose="registration")
    with pytest.raises(Forbidden):
        ask(platform, ref.evidence_id, operator="cn-other")


def test_a_person_reads_one_line_and_is_asked_for_the_password(platform: Platform) -> None:
    disclosure = ask(platform, platform.desk.put().evidence_id)["id"]
    result = RUNNER.invoke(
        disclosures, ["list", "--as", "asker"], obj=lambda: platform, input="secret of asker\n"
    )
    assert result.exit_code == 0
    assert f"{disclosure}  requested  0/2 approvals" in result.output
    assert "secret of asker" not in result.output
    platform.clock.at += timedelta(days=4)
    missing = ["list", "--as", "asker", "--password-file", str(platform.desk.vault.settings.data_folder)]
    failed = RUNNER.invoke(disclosures, missing, obj=lambda: platform)
    assert isinstance(failed.exception, BadInput)
    assert failed.exception.code == "PASSWORD_FILE_UNREADABLE"
