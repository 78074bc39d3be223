"""The commands, over a desk whose recognition is told what to see."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from shiming.identity_proofing import commands
from shiming.identity_proofing.connectors.fake import NullAuthority
from shiming.identity_proofing.sandbox_authority import server
from shiming.identity_proofing.sandbox_authority.faults import Fault
from shiming.identity_proofing.sandbox_authority.population import read_population
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.jurisdictions.model import Gesture, Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.vocabulary.errors import BadInput
from tests.identity_proofing.proofing_builders import ON
from tests.identity_proofing.proofing_desk import NAME, NUMBER, Desk

RUNNER = CliRunner()


@dataclass
class Platform:
    desk: Desk

    def today(self) -> date:
        return ON

    def policy(self, pack: str, on: date) -> Policy:
        return policy_on(read_pack(pack or "cn"), on)

    def begin(self) -> Any:
        return self.desk.begin()

    def proofing_tools(self, authority: Any = None) -> ProofingTools:
        self.desk.authority = authority or NullAuthority()
        return self.desk.tools

    def portrait_comparer(self) -> Any:
        return lambda sent, _on_record: sent == b"jpeg"


@pytest.fixture
def desk(tmp_path: Path, database: Engine) -> Desk:
    return Desk.open(tmp_path, database)


@pytest.fixture
def authority(desk: Desk) -> Iterator[str]:
    file = desk.folder / "people.json"
    file.write_text(json.dumps({"people": [{"number": NUMBER, "name": NAME, "portrait": "front.jpg"}]}))
    people = read_population(file)
    with server.serving(SandboxAuthority(people, lambda sent, _: sent == b"jpeg", ON.isoformat)) as url:
        yield url


def run(desk: Desk, app: typer.Typer, *arguments: Any, code: int = 0) -> Any:
    result = RUNNER.invoke(app, [str(a) for a in arguments], obj=lambda: Platform(desk))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.output


def challenge(desk: Desk, *options: str, code: int = 0) -> Path:
    drawn = run(desk, commands.app, "challenge", "--json", *options, code=code)
    desk.perform(tuple(Gesture(step["gesture"]) for step in drawn["steps"]))
    file = desk.folder / "challenge.json"
    file.write_text(json.dumps(drawn, ensure_ascii=False))
    return file


def prove(desk: Desk, asked: Path, *options: Any, code: int = 0) -> Any:
    files = ("--document", desk.folder / "front.jpg", "--clip", desk.folder / "clip.mp4")
    return run(desk, commands.app, "prove", *files, "--challenge", asked, *options, code=code)


def test_the_main_job(desk: Desk, authority: str) -> None:
    proved = prove(
        desk, challenge(desk), "--document-back", desk.folder / "back.jpg", "--authority", authority, "--json"
    )
    assert proved["outcome"] == "Verified"
    assert proved["reasons"] == []
    assert {check["outcome"] for check in proved["checks"]} == {"passed"}
    assert proved["session"] == proved["receipt"]["session"]
    file = desk.folder / "receipt.json"
    file.write_text(json.dumps(proved))
    key = desk.tools.signer.public_key
    assert run(desk, commands.receipts, "verify", file, "--key", key, "--json") == {
        "verified": True, "key_id": desk.tools.signer.key_id, "trusted": True,
    }  # fmt: skip
    assert "Genuine" in run(desk, commands.receipts, "verify", file)
    assert run(desk, commands.receipts, "replay", file, "--json")["same"] is True
    assert "核验通过" in run(desk, commands.receipts, "explain", file, "--language", "zh")
    assert run(desk, commands.receipts, "explain", file, "--json")["lines"]


def test_an_altered_receipt_is_refused(desk: Desk, authority: str) -> None:
    proved = prove(desk, challenge(desk), "--authority", authority, "--json")
    file = desk.folder / "receipt.json"
    file.write_text(json.dumps(proved["receipt"]).replace("Verified", "Vérified"))
    refused = run(desk, commands.receipts, "verify", file, "--json", code=1)
    assert refused["reason"] == "RECEIPT_ALTERED"
    run(desk, commands.receipts, "verify", file, code=1)
    changed = proved["receipt"]
    changed["evidence"]["face_clip_document"]["similarity"] = 0.0
    file.write_text(json.dumps(changed))
    assert "different" in run(desk, commands.receipts, "replay", file, "--pack", "cn", "--on", ON, code=1)


def test_without_an_authority_people_must_look(desk: Desk) -> None:
    proved = prove(desk, challenge(desk), "--json", code=1)
    assert proved["outcome"] == "NeedsReview"
    assert {reason["code"] for reason in proved["reasons"]} == {"AUTHORITY_NOT_ASKED", "VALIDITY_UNKNOWN"}


def test_for_people_it_is_told_in_words(desk: Desk, authority: str) -> None:
    asked = challenge(desk)
    assert "Verified" in prove(desk, asked, "--authority", authority)
    shown = run(desk, commands.app, "challenge", "--route", "no_blink")
    assert "CHA-" in shown
    assert "1." in shown
    assert "1." not in run(desk, commands.app, "challenge", "--route", "assisted")


@pytest.mark.parametrize(
    ("reviews", "outcome", "code"),
    [
        (("clerk-7:same", "lead-2:same"), "Verified", 0),
        (("clerk-7:same", "clerk-7:same"), "NeedsReview", 1),
        (("clerk-7:same", "lead-2:different"), "NotVerified", 1),
        (("clerk-7:same", "lead-2:forged"), "NotVerified", 1),
    ],
)
def test_two_members_of_staff_stand_in_for_the_camera(
    desk: Desk, authority: str, reviews: tuple[str, ...], outcome: str, code: int
) -> None:
    given = [word for review in reviews for word in ("--review", review)]
    sides = ("--document", desk.folder / "front.jpg", "--document-back", desk.folder / "back.jpg")
    options = (*sides, "--route", "assisted", "--authority", authority, *given, "--json")
    proof = run(desk, commands.app, "prove", *options, code=code)
    assert proof["outcome"] == outcome


def test_a_chosen_challenge_is_marked(desk: Desk, authority: str) -> None:
    asked = challenge(desk, "--gestures", "turn_left, blink", "--digits", "470913")
    proved = prove(desk, asked, "--authority", authority, "--json")
    assert (proved["outcome"], proved["receipt"]["challenge"]["origin"]) == ("Verified", "chosen")


def test_a_retry_goes_on_in_its_session(desk: Desk, authority: str) -> None:
    asked = challenge(desk)
    desk.perform(())
    again = prove(desk, asked, "--authority", authority, "--json", code=1)
    assert (again["what"], again["left"]) == ("clip", 2)
    asked = challenge(desk, "--session", again["session"])
    proved = prove(desk, asked, "--authority", authority, "--json")
    assert (proved["outcome"], proved["session"]) == ("Verified", again["session"])
    with pytest.raises(BadInput, match="SESSION_CLOSED"):
        challenge(desk, "--session", again["session"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--authority", "ftp://x"], "OPTION_INVALID"),
        (["--channel", "market"], "OPTION_INVALID"),
        (["--route", "by_post"], "OPTION_INVALID"),
        (["--on", "tomorrow"], "OPTION_INVALID"),
        (["--subject", "martian"], "POLICY_WITHOUT_RULES"),
        (["--digits", "none.wav"], "FILE_UNREADABLE"),
        (["--pack", "atlantis"], "PACK_NOT_FOUND"),
        (["--authority", "https://127.0.0.1", "--authority-ca", "none.pem"], "TLS_FILES_INVALID"),
        (["--authority", "https://127.0.0.1", "--token-file", "none"], "FILE_UNREADABLE"),
    ],
)
def test_bad_options_are_refused_with_a_code(desk: Desk, options: list[str], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        prove(desk, challenge(desk), *options)
    assert refused.value.code == code


@pytest.mark.parametrize("options", [["--gestures", "nod"], ["--language", "fra"], ["--digits", "12x"]])
def test_bad_challenges_are_refused(desk: Desk, options: list[str]) -> None:
    with pytest.raises(BadInput):
        challenge(desk, *options)


def test_challenge_files_that_are_none(desk: Desk) -> None:
    file = desk.folder / "challenge.json"
    for content in (b"", b"[]", b"\xff", b" " * 1_000_001, b'{"steps": ["nod"]}'):
        file.write_bytes(content)
        with pytest.raises(BadInput):
            prove(desk, file)


def test_the_sandbox_announces_itself(desk: Desk, authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert authority
    served: list[tuple[SandboxAuthority, int]] = []
    monkeypatch.setattr(server, "serve", lambda pretended, port: served.append((pretended, port)))
    token = desk.folder / "token"
    token.write_text("secret\n")
    told = run(
        desk, commands.sandbox, "authority", "--population", desk.folder / "people.json", "--port", 0,
        "--fault", "slow", "--fault", "lost_card", "--delay", 2, "--token-file", token,
    )  # fmt: skip
    assert "prove nothing" in told
    ((pretended, port),) = served
    assert (port, pretended.token, pretended.faults.delay_s) == (0, "secret", 2.0)
    assert pretended.faults.on == {Fault.SLOW, Fault.LOST_CARD}
    assert pretended.today() == ON.isoformat()
    with pytest.raises(BadInput, match="OPTION_INVALID"):
        run(
            desk,
            commands.sandbox,
            "authority",
            "--population",
            desk.folder / "people.json",
            "--fault",
            "rain",
        )
