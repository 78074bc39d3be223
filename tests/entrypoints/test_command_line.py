"""The command line as a person or a program uses it: processes, exit codes, JSON, languages."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shiming.entrypoints.lazy_commands import COMMANDS, load

ROOT = Path(__file__).parents[2]
SPECIMENS = ROOT / "specimens"


def shiming(
    *arguments: str | Path, data: Path | None = None, language: str = "en"
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SHIMING_LANGUAGE": language, "SHIMING_SANDBOX": "1"}
    if data:
        environment["SHIMING_DATA"] = str(data)
    command = [sys.executable, "-m", "shiming", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)  # noqa: S603 - our own program


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_help_lists_every_command_without_loading_any() -> None:
    done = shiming("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


SUBCOMMANDS = {
    "demo": {"law"},
    "transfers": {
        "change-holder",
        "replace-sim",
        "move",
        "acts",
        "port-out",
        "complete-port-out",
        "cancel-port-out",
        "port-in",
        "cases",
        "terms",
    },
    "representatives": {"document", "name", "show"},
    "holder-clocks": {"list", "handover", "run"},
    "repudiations": {"make", "list", "decide"},
    "notices": {"list", "unreached", "record", "send"},
    "lines": {"over-cap", "reconcile", "show", "stop", "lift", "history", "status", "terminate"},
    "applicant-links": {"make", "revoke"},
    "orders": {"open", "change", "show", "abandon", "keep-place"},
    "devices": {"enrol", "list", "revoke"},
    "reviews": {"ask", "list", "decide"},
    "numbers": {"add-block", "blocks", "import", "free", "show", "reserve", "release"},
    "sims": {"import", "show", "history"},
    "enterprise": {
        "contract",
        "terms",
        "import",
        "lines",
        "links",
        "sent",
        "user",
        "card",
        "left",
        "return",
        "uses",
    },
    "key-services": {"open", "authorisation", "add", "withdraw", "numbers"},
    "organisations": {
        "record",
        "licence",
        "legal-representative",
        "handler",
        "power-of-attorney",
        "responsible-person",
        "suspend",
        "resume",
        "close",
        "show",
        "list",
    },
    "terms": {"publish", "list", "show", "diff", "accept"},
    "confirmations": {"send", "take", "send-contract", "take-contract"},
    "receipts": {
        "verify",
        "explain",
        "replay",
        "paper",
        "send",
        "portable",
        "verify-qr",
        "verify-portable",
        "key",
        "verify-registration",
    },
    "measure": {"document", "face", "clip", "digits"},
    "iot": {
        "paper",
        "assess",
        "conclude",
        "contracts",
        "end",
        "stock",
        "sell",
        "card",
        "return",
        "rebind",
        "seen",
        "end-users",
        "declare",
        "reconcile",
        "resold",
        "uphold",
        "dismiss",
        "appeal",
    },
    "packs": {"list", "check", "explain", "show", "diff", "simulate", "hash"},
    "models": {"list", "verify", "add"},
    "evidence": {"list", "receipts", "check-receipt", "erase", "check"},
    "kek": {"list", "new", "rotate"},
    "ledger": {
        *("verify", "seal", "checkpoint", "prove", "consistency", "check-proof", "witness"),
        "add-cosignatures",
    },
    "disclosures": {"request", "approve", "refuse", "execute", "show", "list"},
    "db": {"init", "upgrade", "check", "backup", "restore"},
    "jobs": {"list", "show", "retry", "discard"},
    "webhooks": {"add", "list", "remove", "replay", "rotate-secret", "enable"},
    "accounts": {"create", "list", "roles", "disable", "enable", "end-sessions", "reset-password", "link"},
    "clients": {"create", "list", "disable"},
    "bss": {"add", "list", "remove"},
    "provisioning": {"list", "show", "retry", "confirm"},
    "sandbox": {"authority", "bss", "reader"},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_loads_and_says_what_it_does(name: str) -> None:
    command = load(name)
    assert set(getattr(command, "commands", ())) == SUBCOMMANDS.get(name, set())
    assert name in SUBCOMMANDS or command.name == name
    assert command.help


def test_help_loads_no_recognition_engine() -> None:
    code = (
        "import sys; sys.argv = ['shiming', '--help']\n"
        "from shiming.entrypoints.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'av', 'sqlalchemy', 'pydantic'} & set(sys.modules)\n"
        "sys.stderr.write(','.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stderr == ""


def test_an_unknown_pack_is_bad_input_in_both_languages(tmp_path: Path) -> None:
    english = shiming("challenge", "--pack", "nowhere", data=tmp_path / "a")
    chinese = shiming("challenge", "--pack", "nowhere", data=tmp_path / "b", language="zh")
    assert (english.returncode, chinese.returncode) == (2, 2)
    assert "PACK_NOT_FOUND" in english.stderr
    assert "找不到规则包" in chinese.stderr


def test_an_error_is_one_json_object_for_programs(tmp_path: Path) -> None:
    done = shiming("measure", "document", tmp_path / "absent.jpg", "--json")
    assert done.returncode == 2
    assert set(result_of(done)) == {"error", "text", "advice", "details"}


def test_a_drawn_challenge_is_unpredictable_and_says_what_to_do(tmp_path: Path) -> None:
    drawn = [result_of(shiming("challenge", "--json", data=tmp_path / "data")) for _ in range(2)]
    assert drawn[0]["digits"] != drawn[1]["digits"]
    for challenge in drawn:
        gestures = [step["gesture"] for step in challenge["steps"]]
        assert {"turn_left", "turn_right"} <= set(gestures)
        assert challenge["origin"] == "drawn"
        assert all(step["instruction"]["zh"] and step["instruction"]["en"] for step in challenge["steps"])


def test_a_session_that_does_not_exist_registers_nothing(tmp_path: Path) -> None:
    number = ("--operator", "cn-mobile", "--number", "+8613800138000")
    done = shiming("register", *number, "--session", "SES-0081-0G3G-50C7-1", "--json", data=tmp_path / "data")
    assert done.returncode in {1, 2}
    shown = shiming("lines", "show", "+8613800138000", "--json", data=tmp_path / "data")
    assert shown.returncode == 1


@pytest.mark.models
def test_the_demo_tells_its_story_and_leaves_nothing(tmp_path: Path) -> None:
    done = shiming("demo", "--json", data=tmp_path / "unused")
    result = result_of(done)
    assert done.returncode == 0
    assert result["decision"]["outcome"] == "Verified"
    assert result["stranger"]["outcome"] == "NotVerified"
    assert result["line"] == {"number": "+8613800138000", "status": "active", "operator": "cn-mobile"}
    assert result["ledger"] == {"verified": True}
    assert not (tmp_path / "unused").exists()


@pytest.mark.models
def test_plots_are_pictures(tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415 - only here

    target = tmp_path / "timeline.png"
    done = shiming("measure", "clip", SPECIMENS / "clips/demo.mp4", "--plot", target, "--json")
    assert done.returncode == 0
    with Image.open(target) as picture:
        assert picture.size[0] > 1000
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 5


@pytest.mark.models
def test_pairs_give_a_line_each_and_an_error_spoils_only_its_own(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    portrait = SPECIMENS / "population/demo_portrait.jpg"
    pairs.write_text(
        f"a,b\n{portrait},{SPECIMENS / 'documents/demo_front.jpg'}\n{portrait},{tmp_path / 'no.jpg'}\n"
    )
    done = shiming("measure", "face", "--pairs", pairs, "--json")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["above_threshold"] is True
    assert second["error"]
