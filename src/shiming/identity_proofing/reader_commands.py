"""`shiming reader`: the program beside a card reader.

It needs neither database nor account: the key of an enrolled device is its credential.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from shiming.identity_proofing.command_line import bad_option
from shiming.identity_proofing.connectors.sdt_reader.bridge import ASK_EVERY_S, Bridge, NoDecoder
from shiming.identity_proofing.connectors.sdt_reader.lines import SerialLine
from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey, HttpOffice, Server, session_in
from shiming.identity_proofing.connectors.sdt_reader.reader import SdtReader
from shiming.identity_proofing.ports import PortraitDecoder
from shiming.identity_proofing.sandbox_reader.decoder import SandboxPortraits
from shiming.identity_proofing.sandbox_reader.device import SAM_ID
from shiming.vocabulary.errors import Unavailable

NOT_READ = 1  # exit code: the session was over before a card was taken in
UNAVAILABLE, SANDBOX = "unavailable", "sandbox"

app = typer.Typer(add_completion=False)


@app.command()
def reader(
    *,
    port: Annotated[
        str, typer.Option("--port", help="/dev/ttyUSB0, COM3, or tcp://host:port of a serial server.")
    ] = "",
    session: Annotated[str, typer.Option("--session", help="URL of the session to read for.")] = "",
    counter: Annotated[
        str, typer.Option("--counter", help="Serve a counter all day: the server's address.")
    ] = "",
    key: Annotated[Path, typer.Option("--key", help="File with the device's private key.")] = Path(
        "reader.key"
    ),
    ca: Annotated[Path | None, typer.Option(help="CA that the server's certificate is of (PEM).")] = None,
    decoder: Annotated[
        str,
        typer.Option("--portrait-decoder", help="unavailable, or sandbox:FOLDER of the invented portraits."),
    ] = UNAVAILABLE,
    enrol: Annotated[
        bool, typer.Option("--enrol", help="Make the key file and print the public key to be enrolled.")
    ] = False,
) -> None:
    """Read resident cards and hand them in to a session, signed by this device.

    First: shiming reader --enrol --key reader.key, and let an administrator enrol the key that it prints.

    Example: shiming reader --port /dev/ttyUSB0 --session https://host/v1/proofing-sessions/SES-... --key
    reader.key
    """
    if enrol:
        typer.echo(DeviceKey.make(key).public)
        return
    if not port or bool(session) == bool(counter):
        raise bad_option("--port, --session", "--port PORT and one of --session URL, --counter URL")
    bridge = _bridge(port, decoder)
    if counter:
        _serve(Server.at(counter, DeviceKey.read(key), ca=ca), bridge)
        return
    address, reference = session_in(session)
    if not bridge.read_for(HttpOffice(Server.at(address, DeviceKey.read(key), ca=ca), reference)):
        raise typer.Exit(NOT_READ)


def _bridge(port: str, decoder: str) -> Bridge:
    def opened() -> SdtReader:
        return SdtReader(SerialLine.open(port))

    first = opened()
    first.check()
    portraits: PortraitDecoder = _sandbox_portraits(decoder) if decoder != UNAVAILABLE else NoDecoder()
    source = SANDBOX if first.sam_id() == SAM_ID.hex() else "reader"
    return Bridge(first, opened, portraits, source=source)


def _serve(server: Server, bridge: Bridge, going_on: Callable[[], bool] = lambda: True) -> None:
    """Read for one session after the other, as the counter asks for them, until interrupted."""
    while going_on():
        try:
            session = server.session_wanting()
        except Unavailable as problem:
            typer.echo(f"{problem.code}: {problem.text.en}", err=True)
            session = None
        if session is None:
            bridge.pause(ASK_EVERY_S)
            continue
        bridge.read_for(HttpOffice(server, session), going_on)


def _sandbox_portraits(decoder: str) -> PortraitDecoder:
    name, _, folder = decoder.partition(":")
    if name != SANDBOX or not folder:
        raise bad_option("--portrait-decoder", "unavailable, sandbox:FOLDER")
    return SandboxPortraits(Path(folder))
