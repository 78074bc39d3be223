"""The whole capture against the real server, on a phone with a sixth of this machine's speed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.capture_world import CaptureWorld, a_capture_world
from tests.browser.looking import PHONE, FakeCamera

pytestmark = [pytest.mark.long, pytest.mark.models]
SLOWER = 6
_PATIENCE_MS = 180_000  # models are loaded, and the server has the same two cores


@pytest.fixture
def capture_world() -> Iterator[CaptureWorld]:
    """The capture pages on a server in this process."""
    with (
        tempfile.TemporaryDirectory(prefix="shiming-capture-") as folder,
        a_capture_world(Path(folder)) as world,
    ):
        yield world


def test_a_slow_phone_reaches_a_decision(
    capture_world: CaptureWorld, browser: Browser, camera: FakeCamera
) -> None:
    context = browser.new_context(
        base_url=capture_world.address,
        viewport={"width": PHONE[0], "height": PHONE[1]},
        permissions=["camera", "microphone"],
    )
    context.set_default_timeout(_PATIENCE_MS)
    staff = capture_world.sign_in("clerk")
    context.add_cookies(
        [
            {"name": "shiming_session", "value": staff.token, "url": capture_world.address},
            {"name": "shiming_csrf", "value": staff.csrf_token, "url": capture_world.address},
        ]
    )
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    camera.show("front")
    page.goto(f"/capture/{capture_world.session()}/document")
    page.wait_for_selector("[data-now=framing_front], [data-now=review]")
    page.wait_for_selector("[data-now=review]")
    camera.show("back")
    page.click("[data-do=use]")
    page.wait_for_selector("[data-now=framing_back]")
    page.wait_for_selector("[data-now=review]")
    page.click("[data-do=use]")
    page.wait_for_url("**/person")
    camera.show("face")
    page.click("[data-do=open]")
    page.wait_for_selector("[data-now=positioning]")
    handed_in: list[int] = []
    page.on(
        "response", lambda answer: handed_in.append(answer.status) if answer.url.endswith("/clip") else None
    )
    page.click("[data-do=ready]")
    page.wait_for_selector("[data-now=recording]")
    page.wait_for_url("**/end")
    assert handed_in == [200]
    context.close()
