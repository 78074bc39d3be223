"""`shiming reader` and its key: what a terminal sees."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey, Server, session_in
from shiming.identity_proofing.reader_commands import app
from shiming.infrastructure.device_proofs import public_key
from shiming.vocabulary.errors import BadInput, Unavailable

run = CliRunner().invoke


def code_of(result: object) -> str:
    error = getattr(result, "exception", None)
    assert isinstance(error, BadInput | Unavailable), result
    return error.code


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "reader.key"
    made = run(app, ["--enrol", "--key", str(file)])
    assert made.exit_code == 0
    assert public_key(made.stdout.strip()) == DeviceKey.read(file).public
    assert "d" not in made.stdout.split('"')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code_of(run(app, ["--enrol", "--key", str(file)])) == "DEVICE_KEY_FILE"
    (tmp_path / "other").write_text("{}", encoding="ascii")
    with pytest.raises(BadInput, match="DEVICE_KEY_FILE"):
        DeviceKey.read(tmp_path / "other")


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--port", "/dev/null"],
        ["--port", "/dev/null", "--session", "http://x/SES-1", "--counter", "http://x"],
    ],
)
def test_a_reader_reads_for_one_session_or_for_a_counter(options: list[str]) -> None:
    assert code_of(run(app, options)) == "OPTION_INVALID"


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    options = ["--port", str(tmp_path / "tty"), "--counter", "http://localhost:1"]
    assert code_of(run(app, options)) == "PORT_UNAVAILABLE"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://host/v1/proofing-sessions/SES-0082-0C20-A1G7-D", "https://host"),
        ("https://host/registry/v1/proofing-sessions/SES-0082-0C20-A1G7-D", "https://host/registry"),
        ("http://localhost:8000/counter/SES-0082-0C20-A1G7-D/document", "http://localhost:8000"),
    ],
)
def test_the_url_of_a_session_or_of_its_page_will_do(url: str, address: str) -> None:
    assert session_in(url) == (address, "SES-0082-0C20-A1G7-D")


@pytest.mark.parametrize("url", ["", "host/SES-0082-0C20-A1G7-D", "https://host/counter", "ftp://x/SES-0082"])
def test_what_names_no_session_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInput, match="SESSION_ADDRESS"):
        session_in(url)
    with pytest.raises(BadInput, match="SESSION_ADDRESS"):
        Server.at("nowhere", DeviceKey.make(tmp_path / "k"))
