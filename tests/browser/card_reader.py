"""The emulated card reader at a counter: its pseudo-terminal, and the program that serves it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from shiming.accounts.model import DeviceKind
from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device, revoke_device
from shiming.identity_proofing.connectors.sdt_reader.bridge import Bridge
from shiming.identity_proofing.connectors.sdt_reader.lines import SerialLine
from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey, Server
from shiming.identity_proofing.connectors.sdt_reader.reader import SdtReader
from shiming.identity_proofing.reader_commands import _serve
from shiming.identity_proofing.sandbox_reader.cards import read_cards
from shiming.identity_proofing.sandbox_reader.device import ReaderFaultMade, SandboxReader
from shiming.identity_proofing.sandbox_reader.server import at_terminal
from tests.browser.live_world import OPERATOR, SPECIMENS, World, drawn_anew

PEOPLE = SPECIMENS / "population" / "people.json"


@contextmanager
def a_reader_program(world: World, *faults: str) -> Iterator[None]:
    """Run the bridge of an enrolled reader with invented cards, as `shiming reader --counter` does."""
    key = DeviceKey.make(world.folder / f"reader{drawn_anew()}.key")
    platform = world.platform
    with platform.begin() as connection:
        wanted = NewDevice("reader", DeviceKind.READER, "outlet", key.public, OPERATOR)
        enrolled = enrol_device(platform.accounts, connection, wanted, by=Actor())
    stop, pretended = Event(), SandboxReader(read_cards(PEOPLE), frozenset(map(ReaderFaultMade, faults)))

    def leave() -> None:  # the next test is offered its own reader only
        with platform.begin() as connection:
            revoke_device(platform.accounts, connection, enrolled, by=Actor())

    with ExitStack() as stack:
        stack.callback(leave)
        line = SerialLine.open(stack.enter_context(at_terminal(pretended)))
        stack.callback(line.close)
        reader, server = SdtReader(line), Server.at(world.address, key)
        stack.callback(server.http.close)
        bridge = Bridge(
            reader, lambda: reader, source="sandbox", pause=lambda seconds: stop.wait(seconds) and None
        )
        program = Thread(target=_serve, args=(server, bridge, lambda: not stop.is_set()))
        program.start()
        stack.callback(program.join, 10)
        stack.callback(stop.set)
        yield
