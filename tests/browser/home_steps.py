"""What people at home do in tests: open their link, hold the document and themselves before the camera."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as Late

from tests.browser.live_world import DEMO, OPERATOR, SPECIMENS, World, drawn_anew
from tests.browser.looking import FakeCamera
from tests.registrations.stock_builders import an_iccid

_DECIDED_MS = 120_000  # the models of a whole session on a busy machine
_TRIES = 3  # as the pack allows
_AGAIN = ("retry", "late", "stopped", "hidden", "ended", "document_again", "used_up")


@dataclass
class Shop:
    """An operator's online store, or a clerk: talks to the API."""

    http: httpx.Client

    def order(self, channel: str = "online", category: str = "adult") -> "Ordered":
        """Open a session and its order for a number and a card that no other test has."""
        number = f"+8613800138{drawn_anew()}"
        wanted = {"channel": channel, "category": category, "operator": OPERATOR}
        session = self._sent("/v1/proofing-sessions", wanted)["id"]
        iccid = an_iccid(int(number[-3:]))
        self._sent(
            "/v1/orders",
            {
                "session": session, "operator": OPERATOR, "kind": "mobile", "product_class": "voice",
                "channel": channel, "identifier": number, "iccid": iccid,
                "imsi": "46000" + number[-10:], "sim_form": "physical",
            },
        )  # fmt: skip
        return Ordered(session, number, iccid)

    def link(self, ordered: "Ordered") -> str:
        """Return the path of a link for the applicant."""
        made: str = self._sent(f"/v1/orders/{ordered.session}/applicant-link", None)["link"]
        return httpx.URL(made).path

    def _sent(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def a_shop(world: World, staff: str = "clerk") -> Iterator[Shop]:
    """Give somebody of staff who talks to the API, until the block ends."""
    found = world.sign_in(staff)
    cookies = {"shiming_session": found.token, "shiming_csrf": found.csrf_token}
    headers = {"x-csrf-token": found.csrf_token}
    with httpx.Client(base_url=world.address, cookies=cookies, headers=headers, timeout=60) as http:
        yield Shop(http)


@dataclass(frozen=True)
class Ordered:
    """An order and what its card says."""

    session: str
    number: str
    iccid: str


def prove(http: httpx.Client, base: str, card: tuple[bytes, bytes] | None = None) -> None:
    """Hand the specimen person in by the API, without a browser; `card`: other papers, front and back."""
    front, back, clip = (
        (SPECIMENS / DEMO[name]).read_bytes() for name in ("document_front", "document_back", "clip")
    )
    front, back = card or (front, back)
    drawn = http.post(f"{base}/challenges", json={})
    assert drawn.status_code == 201, drawn.text
    sides = {"front": ("f.jpg", front, "image/jpeg"), "back": ("b.jpg", back, "image/jpeg")}
    shown = http.put(f"{base}/document", files=sides)
    assert shown.status_code == 200, shown.text
    live = {"clip": (Path(DEMO["clip"]).name, clip, "video/mp4")}
    given = http.put(f"{base}/clip", files=live, data={"challenge": json.dumps(drawn.json())})
    assert given.status_code == 200, given.text


def shows_the_document(page: Page, camera: FakeCamera) -> None:
    """Photograph front and back; the page takes each by itself. The camera showed the front before."""
    use = page.locator("[data-do=use]:visible")
    use.wait_for(timeout=_DECIDED_MS)
    camera.show("back")  # the page opens the camera again for the other side
    use.click()
    page.locator("[data-state~=framing_back]:visible").wait_for()
    use.wait_for(timeout=_DECIDED_MS)
    camera.show("face")
    use.click()


def shows_themselves(page: Page, taps: str = "") -> None:
    """Answer the challenge, as the specimen person does before the fake camera; again where the page asks.

    On a busy machine a task can run out before it is answered; that costs no attempt. `taps`: the digits, for
    whoever chose to type them.
    """
    page.wait_for_url("**/person**", timeout=_DECIDED_MS)
    for _ in range(_TRIES):
        _comes_to(page, "intro", "positioning", *_AGAIN)
        if _state(page) != "positioning":
            page.locator("[data-do=open]:visible").first.click(timeout=_DECIDED_MS)
        page.locator("[data-do=ready]:visible").click(timeout=_DECIDED_MS)
        if taps:
            _types(page, taps)
        _comes_to(page, *_AGAIN)
        if _state(page) is None:
            return


def _types(page: Page, digits: str) -> None:
    """Type the digits once the page asks for them, which it does after the gestures."""
    page.locator("[data-keypad]:visible").wait_for(timeout=_DECIDED_MS)
    for key in (*digits, "done"):
        page.locator(f'[data-key="{key}"]').click()


def _state(page: Page) -> str | None:
    """Return the state of the capture; None: the journey went on."""
    found: str | None = page.evaluate("() => document.querySelector('[data-capture=person]')?.dataset.now")
    return found


def _comes_to(page: Page, *states: str) -> None:
    """Wait for one of these states, or for the journey to go on."""
    here = "document.querySelector('[data-capture=person]')"
    asked = f"document.readyState === 'complete' && (!{here} || {list(states)}.includes({here}.dataset.now))"
    page.wait_for_function(f"() => {asked}", timeout=_DECIDED_MS)


def is_seen(page: Page, text: str) -> None:
    """Wait for the heading of the page that follows; what stands there instead is told."""
    heading = page.get_by_role("heading", level=1, name=text, exact=True)
    try:
        heading.wait_for(timeout=_DECIDED_MS)
    except Late as late:
        raise AssertionError(page.locator("main").inner_text()) from late
