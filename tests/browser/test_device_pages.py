"""Capture devices in a real browser: a key that never leaves it, and the card reader beside a session."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from playwright.sync_api import Page, expect

from shiming.accounts.model import DeviceKind
from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device
from shiming.identity_proofing.connectors.sdt_reader.bridge import Bridge
from shiming.identity_proofing.connectors.sdt_reader.lines import SerialLine
from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey, Server
from shiming.identity_proofing.connectors.sdt_reader.reader import SdtReader
from shiming.identity_proofing.reader_commands import _serve
from shiming.identity_proofing.sandbox_reader.cards import read_cards
from shiming.identity_proofing.sandbox_reader.device import ReaderFaultMade, SandboxReader
from shiming.identity_proofing.sandbox_reader.server import at_terminal
from tests.browser.live_world import OPERATOR, SPECIMENS, World
from tests.browser.looking import PHONE, Visit
from tests.registrations.stock_builders import an_iccid

PEOPLE = SPECIMENS / "population" / "people.json"
_SIGNED = """async () => {
  const page = document.querySelector('script[src$="js/page.js"]').src;
  const {signedHeaders} = await import(page.replace("page.js", "device_key.js"));
  const url = "/v1/capture-devices/self/session";
  const answer = await fetch(url, {headers: await signedHeaders("GET", url)});
  return answer.status;
}"""
_MS = 20_000  # a loaded machine takes its time


def test_a_browser_is_enrolled_signs_and_is_revoked(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, "administrator", language="en")
    page = seen.go("/desk/devices/new")
    page.get_by_text("counter browser").click()
    page.get_by_label("Name of the device").fill("counter-3")
    page.get_by_label("Outlet").fill("People's Square")
    page.get_by_role("button", name="Make a key in this browser").click()
    expect(page.locator("[data-made-told]")).to_contain_text("It stays in this browser")
    seen.look("device-new")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.locator("[data-done]")).to_contain_text("The device is enrolled.")
    assert page.evaluate(_SIGNED) == 200
    seen.look("devices")
    page.get_by_role("link", name="counter-3").first.click()
    seen.look("device")
    page.get_by_label("This cannot be undone").check()
    page.get_by_role("button", name="Revoke the device").click()
    expect(page.locator("[data-done]")).to_contain_text("The device signs no more.")
    assert page.evaluate(_SIGNED) == 401
    phone = visit(world, "administrator", language="zh", size=PHONE)
    for path, name in (("/desk/devices", "devices"), ("/desk/devices/new", "device-new")):
        phone.go(path)
        phone.look(name)


@contextmanager
def a_reader_program(world: World, *faults: str) -> Iterator[None]:
    """Run the bridge of an enrolled reader with invented cards, as `shiming reader --counter` does."""
    key = DeviceKey.make(world.folder / f"reader{''.join(faults)}.key")
    platform = world.platform
    with platform.begin() as connection:
        wanted = NewDevice(f"reader {' '.join(faults)}", DeviceKind.READER, "outlet", key.public, OPERATOR)
        enrol_device(platform.accounts, connection, wanted, by=Actor())
    stop, pretended = Event(), SandboxReader(read_cards(PEOPLE), frozenset(map(ReaderFaultMade, faults)))
    with ExitStack() as stack:
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


def open_document_step(page: Page) -> None:
    """Begin a journey at the counter, with what is preset and a card."""
    page.goto("/counter")
    page.locator("#iccid").fill(an_iccid(7_301))
    page.locator("#opening button.primary").click()
    page.wait_for_url(re.compile("/counter/SES-.*/document"))


def test_the_page_fills_itself_when_the_card_is_read(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, "clerk", language="zh", size=PHONE)
    page = seen.page
    with a_reader_program(world, "removed"):
        open_document_step(page)
        panel = page.locator("[data-reader]")
        expect(panel.get_by_role("heading", name="读卡器")).to_be_visible(timeout=_MS)
        seen.look("reader-before")
        panel.get_by_role("button", name="读取证件").click()
        # the first reading fails: the card was taken away; the next one is taken in
        expect(panel.get_by_text("证件已读取。").first).to_be_visible(timeout=_MS)
        expect(panel.get_by_text("**林")).to_be_visible(timeout=_MS)
        expect(panel.get_by_text("22**************86")).to_be_visible(timeout=_MS)
        seen.look("reader-read")
    assert "柯爱林" not in page.content()
