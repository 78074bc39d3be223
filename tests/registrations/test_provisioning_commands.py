"""The commands of provisioning as people and programs run them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.webhooks.destinations import DestinationRefused, Destinations
from shiming.registrations.commands import bss as bss_commands
from shiming.registrations.commands import provisioning as commands
from shiming.registrations.commands.reconciling import reconcile
from shiming.registrations.commands.secret_files import read_secret
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderState
from shiming.registrations.sandbox_bss.faults import Fault, Faults
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.errors import BadInput
from tests.registrations.provisioning_builders import OPERATOR, TOKEN, URL, Network, a_closed_network, follow


@dataclass(frozen=True)
class Platform:
    engine: Engine
    clock: FixedClock
    destinations: Destinations
    provisioning: ProvisioningTools
    language: str = "en"


lines = typer.Typer()
lines.callback()(lambda: None)
lines.command()(reconcile)
root = typer.Typer()
root.add_typer(bss_commands.app, name="bss")
root.add_typer(commands.app, name="provisioning")
root.add_typer(lines, name="lines")


@pytest.fixture
def bss() -> FakeBss:
    return FakeBss()


@pytest.fixture
def network(tmp_path: Path, database_url: str, bss: FakeBss) -> Iterator[Network]:
    with a_closed_network(tmp_path, database_url, bss) as found:
        yield found


def run(network: Network, *arguments: str, language: str = "en") -> Result:
    platform = Platform(network.engine, FixedClock(network.now), Destinations(), network.tools, language)
    return CliRunner().invoke(root, arguments, obj=lambda: platform)


def said(result: Result) -> dict[str, Any]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_bss_is_named_listed_and_removed(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    added = said(run(network, "bss", "add", OPERATOR, URL, "--token-file", str(file), "--json"))
    assert added["callback_url"] == f"{network.tools.public_url}/v1/bss/{OPERATOR}/callbacks"
    assert added["secret"].startswith("whsec_")
    shown = run(network, "bss", "add", OPERATOR, URL, "--token-file", str(file), language="zh")
    assert "whsec_" in shown.stdout
    assert "密钥只显示这一次" in shown.stderr
    listed = said(run(network, "bss", "list", "--json"))["bss"]
    assert [(each["operator"], each["url"]) for each in listed] == [(OPERATOR, URL)]
    assert OPERATOR in run(network, "bss", "list").stdout
    assert said(run(network, "bss", "remove", OPERATOR, "--json")) == {"removed": OPERATOR}
    again = run(network, "bss", "remove", OPERATOR)
    assert isinstance(again.exception, BadInput)
    assert again.exception.code == "BSS_UNKNOWN"


def test_a_bss_in_the_house_is_refused(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    refused = run(network, "bss", "add", OPERATOR, "https://10.0.0.1/", "--token-file", str(file))
    assert isinstance(refused.exception, DestinationRefused)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\nb", b"x" * 5000])
def test_a_file_without_a_secret_is_bad_input(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    for each in (file, tmp_path / "none"):
        with pytest.raises(BadInput, match="SECRET_FILE_UNREADABLE"):
            read_secret(each)


def test_what_needs_a_person_is_listed_and_sent_again(network: Network, bss: FakeBss) -> None:
    network.connect()
    bss.faults = Faults({Fault.REFUSE: 1.0})
    network.register("REG-1")
    follow(network, bss)
    (failed,) = said(run(network, "provisioning", "list", "--state", "failed", "--json"))["orders"]
    assert failed["reason"] == "SERVICE_NOT_POSSIBLE"
    assert failed["id"] in run(network, "provisioning", "list").stdout
    assert said(run(network, "provisioning", "show", failed["id"], "--json")) == failed
    assert "SERVICE_NOT_POSSIBLE" in run(network, "provisioning", "show", failed["id"]).stdout
    bss.faults = Faults()
    again = said(run(network, "provisioning", "retry", failed["id"], "--json"))
    assert again["id"] != failed["id"]
    follow(network, bss)
    assert network.line("REG-1").status is LineStatus.ACTIVE
    unknown = run(network, "provisioning", "show", "PRV-none")
    assert isinstance(unknown.exception, BadInput)


def test_a_held_order_is_confirmed_at_the_terminal(network: Network) -> None:
    network.register("REG-1")
    network.work_off()
    (held,) = said(run(network, "provisioning", "list", "--state", "held", "--json"))["orders"]
    done = said(run(network, "provisioning", "confirm", held["id"], "--reference", "T-1", "--json"))
    assert (done["state"], done["confirmation"]) == (OrderState.COMPLETED.value, "T-1")
    assert network.line("REG-1").status is LineStatus.ACTIVE


def test_differences_are_printed_and_the_exit_code_says_whether_they_stay(
    network: Network, bss: FakeBss
) -> None:
    network.connect()
    network.register("REG-1", "REG-2")
    follow(network, bss)
    network.later(network.tools.poll_pause)
    even = run(network, "lines", "reconcile", "--operator", OPERATOR, "--json")
    assert (even.exit_code, said(even)["drifts"]) == (0, [])
    bss.book.remove_service("REG-1")
    found = run(network, "lines", "reconcile", "--operator", OPERATOR)
    assert found.exit_code == 1
    assert "REG-1" in found.stdout
    assert "REG-2" not in found.stdout
    repaired = run(network, "lines", "reconcile", "--operator", OPERATOR, "--repair", "--json")
    assert repaired.exit_code == 0
    (drift,) = said(repaired)["drifts"]
    assert (drift["service"], drift["kind"]) == ("REG-1", "missing_in_network")
    assert drift["order"].startswith("PRV-")
