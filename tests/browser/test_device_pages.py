"""Capture devices in a real browser: a key that never leaves it, and the card reader beside a session."""

import base64
import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Request, expect

from shiming.accounts.model import DeviceKind
from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device
from shiming.identity_proofing.held_tables import uploads
from shiming.identity_proofing.model.uploads import CaptureStamp
from shiming.identity_proofing.store import find_evidence
from shiming.infrastructure.device_proofs import HEADER
from tests.browser.card_reader import a_reader_program
from tests.browser.counter_steps import opens
from tests.browser.live_world import DEMO, OPERATOR, SPECIMENS, World, drawn_anew
from tests.browser.looking import PHONE, Visit

_SIGNED = """async () => {
  const page = document.querySelector('script[src$="js/page.js"]').src;
  const {signedHeaders} = await import(page.replace("page.js", "device_key.js"));
  const url = "/v1/capture-devices/self/session";
  const answer = await fetch(url, {headers: await signedHeaders("GET", url)});
  return answer.status;
}"""
_MAKE_KEY = """async () => {
  const page = document.querySelector('script[src$="js/page.js"]').src;
  return (await import(page.replace("page.js", "device_key.js"))).makeKey();
}"""
_BEGIN_UPLOAD = """async (base) => {
  const page = document.querySelector('script[src$="js/page.js"]').src;
  const {csrfToken, signedFetch} = await import(page);
  const {encodeMetadata, pageRequest} = await import(page.replace("page.js", "capture/upload.js"));
  const said = encodeMetadata({kind: "document", filetype: "image/jpeg", device: "till 7"});
  const headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": said};
  const request = pageRequest(csrfToken, signedFetch);
  const made = await request("POST", `${base}/uploads`, headers);
  const type = {"Content-Type": "application/offset+octet-stream"};
  const chunk = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", ...type};
  const at = made.headers.get("Location");
  const sent = await request("PATCH", at, chunk, new Blob(["a chunk. "]));
  return [made.status, sent.status, at.split("/").pop()];
}"""
_HAND_IN = """async ([base, upload, front]) => {
  const {send} = await import(document.querySelector('script[src$="js/page.js"]').src);
  const form = new FormData();
  const picture = Uint8Array.from(atob(front), (letter) => letter.charCodeAt(0));
  if (upload) form.append("upload", upload);
  else form.append("front", new Blob([picture], {type: "image/jpeg"}), "front.jpg");
  return send("PUT", `${base}/document`, form).then(() => "taken", (problem) => problem.code);
}"""
_MS = 20_000  # a loaded machine takes its time


def test_a_browser_is_enrolled_signs_and_is_revoked(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, "administrator", language="en")
    page, name = seen.go("/desk/devices/new"), f"counter-{drawn_anew()}"
    page.get_by_text("counter browser").click()
    page.get_by_label("Name of the device").fill(name)
    page.get_by_label("Outlet").fill("People's Square")
    page.get_by_role("button", name="Make a key in this browser").click()
    expect(page.locator("[data-made-told]")).to_contain_text("It stays in this browser")
    seen.look("device-new")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.locator("[data-done]")).to_contain_text("The device is enrolled.")
    assert page.evaluate(_SIGNED) == 200
    seen.look("devices")
    seen.follow(page.get_by_role("link", name=name))
    seen.look("device")
    page.get_by_label("This cannot be undone").check()
    page.get_by_role("button", name="Revoke the device").click()
    expect(page.locator("[data-done]")).to_contain_text("The device signs no more.")
    assert page.evaluate(_SIGNED) == 401
    phone = visit(world, "administrator", language="zh", size=PHONE)
    for path, picture in (("/desk/devices", "devices"), ("/desk/devices/new", "device-new")):
        phone.go(path)
        phone.look(picture)


def enrol_this_browser(page: Page, world: World, name: str) -> str:
    """Make a key in the browser and enrol it; return the reference of the device."""
    wanted = NewDevice(name, DeviceKind.BROWSER, "outlet", page.evaluate(_MAKE_KEY), OPERATOR)
    with world.platform.begin() as connection:
        return enrol_device(world.platform.accounts, connection, wanted, by=Actor()).reference


def test_an_enrolled_browser_signs_chunks_and_forms(world: World, visit: Callable[..., Visit]) -> None:
    page = visit(world, "clerk", language="en").page
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - a bound method of a list is no handler
    page.goto("/counter")
    opens(page)
    session = page.url.rsplit("/", 2)[1]
    base = f"/v1/proofing-sessions/{session}"
    assert page.evaluate(_BEGIN_UPLOAD, base)[:2] == [201, 204]
    assert not [each for each in asked if "device_key" in each.url], "no key, and nothing is loaded for one"
    page.evaluate(_MAKE_KEY)
    assert page.evaluate(_BEGIN_UPLOAD, base)[:2] == [201, 204], "a key that nobody enrolled stops nobody"
    device = enrol_this_browser(page, world, "counter-5")
    *statuses, upload = page.evaluate(_BEGIN_UPLOAD, base)
    assert statuses == [201, 204]
    # the form is refused for the content of the upload: its own signature holds
    assert page.evaluate(_HAND_IN, [base, upload, ""]) == "CONTENT_NOT_AS_STATED"
    assert HEADER in next(each for each in asked if each.method == "PUT").headers
    with world.platform.begin() as connection:
        query = sa.select(uploads.c.stamp).where(uploads.c.session_id == session)
        stamps = connection.execute(query.order_by(uploads.c.created_at)).scalars()
        said = [(stamp["device"], stamp["signed"]) for stamp in map(json.loads, stamps)]
    assert said == [("till 7", False), ("till 7", False), (device, True)]


@pytest.mark.long
@pytest.mark.models
def test_the_document_of_an_enrolled_browser_is_recorded_as_its_own(
    world: World, visit: Callable[..., Visit]
) -> None:
    page = visit(world, "clerk", language="en").page
    page.goto("/counter")
    opens(page)
    session = page.url.rsplit("/", 2)[1]
    device = enrol_this_browser(page, world, "counter-6")
    front = base64.b64encode((SPECIMENS / DEMO["document_front"]).read_bytes()).decode()
    assert page.evaluate(_HAND_IN, [f"/v1/proofing-sessions/{session}", "", front]) == "taken"
    with world.platform.begin() as connection:
        evidence = find_evidence(connection, session)
    assert evidence is not None
    assert evidence.captures["document"] == CaptureStamp(device, signed=True)


def test_the_page_fills_itself_when_the_card_is_read(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, "clerk", language="zh", size=PHONE)
    page = seen.page
    with a_reader_program(world, "removed"):
        page.goto("/counter")
        opens(page)
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
