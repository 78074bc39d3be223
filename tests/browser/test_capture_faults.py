"""What can go wrong while somebody stands before a camera: a state with a way on; nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.capture_stage import ORIGIN, Stage, a_stage
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, axe_source

Opened = Callable[..., Stage]
LONG = pytest.mark.long  # what another test shows in another way already
#: A camera that says no, for whichever of the two is asked for; the rest is the browser's own.
_REFUSING = """
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.refuses !== false && wanted[%r]) throw new DOMException('', %r);
  return real(wanted);
};
"""
_TWO_CAMERAS = """
const real = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
navigator.mediaDevices.enumerateDevices = async () => [...await real(),
  { kind: 'videoinput', deviceId: 'another', label: 'Another camera' }];
"""


@pytest.fixture
def stage(browser: Browser) -> Iterator[Opened]:
    """Open a page whose server the test plays."""
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(a_stage(how.pop("on", browser), **how))


def recording(stage: Opened, **facts: Any) -> Stage:
    """Return a stage on which a recording has begun."""
    seen = stage(**{key: facts.pop(key) for key in ("script",) if key in facts})
    seen.server.digits_mode = facts.get("digits_mode", "none")
    seen.open("person", **{"digits_mode": "none", **facts}).click("[data-do=open]")
    seen.waits_for("positioning")
    seen.page.click("[data-do=ready]")
    seen.waits_for("recording")
    return seen


def asked(seen: Stage, method: str, path: str) -> int:
    """Count the requests to a path."""
    return sum(1 for each in seen.server.asked if each == (method, path))


@pytest.mark.parametrize(
    ("name", "state"), [("NotAllowedError", "denied"), pytest.param("NotReadableError", "busy", marks=LONG)]
)
def test_a_refused_camera_says_what_to_do_and_comes_back(stage: Opened, name: str, state: str) -> None:
    seen = stage(script=_REFUSING % ("video", name))
    page = seen.open("person")
    page.click("[data-do=open]")
    seen.waits_for(state)
    panel = page.locator(f"[data-state={state}]")
    expect(panel.locator("h2")).to_be_focused()
    expect(panel.get_by_role("link", name="Another way")).to_have_attribute("href", "/other")
    page.evaluate("() => { window.refuses = false; }")
    panel.get_by_role("button", name="Try again").click()
    seen.waits_for("positioning")


def test_a_machine_without_camera(stage: Opened, bare_browser: Browser) -> None:
    seen = stage(on=bare_browser)
    seen.open("person").click("[data-do=open]")
    seen.waits_for("missing")


def test_without_microphone_the_digits_may_be_tapped(stage: Opened) -> None:
    seen = stage(script=_REFUSING % ("audio", "NotAllowedError"))
    page = seen.open("person")
    page.click("[data-do=open]")
    seen.waits_for("microphone_denied")
    expect(page.get_by_role("link", name="Tap the digits instead")).to_be_visible()


@LONG
def test_a_page_without_tls_says_so(stage: Opened) -> None:
    seen = stage(script="Object.defineProperty(window, 'isSecureContext', { value: false });")
    seen.open("person").click("[data-do=open]")
    seen.waits_for("insecure")


@LONG
def test_two_cameras_are_offered(stage: Opened) -> None:
    seen = stage(script=_TWO_CAMERAS)
    page = seen.open("person")
    page.click("[data-do=open]")
    seen.waits_for("positioning")
    expect(page.get_by_label("Camera", exact=True).locator("option")).to_have_count(2)


@pytest.mark.parametrize(
    ("happening", "state"),
    [
        (
            """Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));""",
            "hidden",
        ),
        pytest.param("screen.orientation.dispatchEvent(new Event('change'));", "turned", marks=LONG),
        pytest.param(
            """const [track] = document.querySelector('video').srcObject.getVideoTracks();
            track.dispatchEvent(new Event('ended'));""",
            "ended",
            marks=LONG,
        ),
        pytest.param("document.querySelector('[data-do=stop]').click();", "stopped", marks=LONG),
    ],
)
def test_an_interrupted_recording_costs_no_attempt(stage: Opened, happening: str, state: str) -> None:
    seen = recording(stage)
    seen.page.evaluate(f"() => {{ {happening} }}")
    seen.waits_for(state)
    seen.page.evaluate("() => { delete document.hidden; }")
    seen.page.locator(f"[data-state={state}] [data-do=again]").click()
    seen.waits_for("positioning")
    assert asked(seen, "PUT", "/clip") == 0


def test_the_document_takes_itself_and_is_handed_in(stage: Opened, camera: FakeCamera) -> None:
    camera.show("front")
    seen = stage()
    page = seen.open("document", left=3)
    seen.waits_for("intro", "framing_front", "review")
    if seen.state() == "intro":
        page.click("[data-do=open]")
    seen.waits_for("review")
    page.get_by_role("button", name="Use this photo").click()
    seen.waits_for("framing_back")
    page.get_by_role("button", name="This document has one side only").click()
    page.wait_for_url("**/end")
    sent = seen.server.handed_in["document"]
    assert 'name="front"; filename="front.jpg"' in sent
    assert 'name="back"' not in sent
    assert page.locator("input[type=text]").count() == 0


@LONG
def test_a_lost_network_keeps_the_photos(stage: Opened, camera: FakeCamera) -> None:
    camera.show("front")
    seen = stage()
    page = seen.open("document", back="")
    seen.waits_for("intro", "framing_front", "review")
    if seen.state() == "intro":
        page.click("[data-do=open]")
    seen.waits_for("review")
    seen.server.online = False
    page.get_by_role("button", name="Use this photo").click()
    seen.waits_for("offline")
    seen.server.online = True
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.wait_for_url("**/end")
    assert 'filename="front.jpg"' in seen.server.handed_in["document"]


@LONG
def test_what_the_server_refuses_is_shown_in_its_words(stage: Opened) -> None:
    seen = stage()
    seen.server.problems["challenges"] = {
        "status": 503,
        "code": "RECOGNITION_BUSY",
        "title": "Busy",
        "detail": "Wait",
    }
    seen.open("person").click("[data-do=open]")
    seen.waits_for("positioning")
    seen.page.click("[data-do=ready]")
    seen.waits_for("problem")
    expect(seen.page.get_by_role("heading", name="Busy")).to_be_visible()
    seen.server.problems["challenges"] = {
        "status": 409,
        "code": "SESSION_EXPIRED",
        "title": "Over",
        "detail": "",
    }
    seen.page.locator("[data-state=problem] [data-do=again]").click()
    seen.waits_for("positioning")
    seen.page.click("[data-do=ready]")
    seen.waits_for("over")


def test_a_second_tab_waits_until_it_is_taken_over(stage: Opened) -> None:
    first = stage()
    first.open("person")
    first.waits_for("intro")
    second = Stage(first.page.context.new_page(), first.server)
    second.open("person")
    second.waits_for("other_tab")
    second.page.get_by_role("button", name="Go on here").click()
    second.waits_for("intro")
    first.waits_for("other_tab")


@pytest.mark.parametrize(("state", "leads"), [("decided", True), ("expired", False)])
def test_the_server_state_wins_after_the_back_button(stage: Opened, state: str, leads: bool) -> None:
    seen = stage()
    page = seen.open("person")
    seen.waits_for("intro")
    seen.server.state = state
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    if leads:
        page.wait_for_url("**/end")
    else:
        seen.waits_for("over")


def test_a_lost_network_and_a_restarted_server_in_the_middle_of_a_clip(stage: Opened) -> None:
    seen = recording(stage)
    seen.page.wait_for_timeout(800)
    seen.server.online = False
    seen.page.wait_for_timeout(600)
    seen.server.uploads.clear()
    seen.server.online = True
    seen.page.wait_for_url("**/end")
    assert seen.state_of_uploads() == [True], "one whole clip"
    assert asked(seen, "PUT", "/clip") == asked(seen, "POST", "/decision") == 1
    assert 'name="upload"' in seen.server.handed_in["clip"]
    assert seen.server.metadata["kind"] == "clip"
    assert seen.server.metadata["captured_at"]


@LONG
def test_a_reload_while_sending_goes_on(stage: Opened) -> None:
    seen = recording(stage)
    seen.server.online = False
    seen.waits_for("sending")
    seen.page.reload()
    seen.waits_for("sending")
    seen.server.online = True
    seen.page.evaluate("() => dispatchEvent(new Event('online'))")
    seen.page.wait_for_url("**/end")
    assert seen.state_of_uploads() == [True]
    assert asked(seen, "PUT", "/clip") == 1


@LONG
def test_tapped_digits_and_a_retry_with_its_reasons(stage: Opened) -> None:
    seen = recording(stage, digits_mode="tapped")
    reason = {
        "text": {"en": "The turn was small.", "zh": "转头幅度小。"},
        "advice": {"en": "Turn further.", "zh": ""},
    }
    seen.server.decision = {"outcome": "Retry", "what": "clip", "left": 2, "reasons": [reason]}
    seen.waits_for("tapping")
    page = seen.page
    page.keyboard.press("4")
    page.get_by_role("button", name="8", exact=True).click()
    page.keyboard.press("Backspace")
    expect(page.get_by_role("button", name="Done")).to_be_disabled()
    page.get_by_role("button", name="7", exact=True).click()
    page.get_by_role("button", name="Done").click()
    seen.waits_for("retry")
    expect(page.locator("[data-state=retry]")).to_contain_text("The turn was small. Turn further.")
    expect(page.locator("[data-state=retry] [data-value=attempts]")).to_have_text("2")
    assert "47" in seen.server.handed_in["digits"]
    assert "other" in seen.server.handed_in["clip"]


@LONG
def test_a_task_that_is_too_old_is_not_handed_in(stage: Opened) -> None:
    seen = recording(stage)
    seen.server.online = False
    seen.waits_for("sending")
    seen.page.evaluate("() => { const real = Date.now; Date.now = () => real() + 200_000; }")
    seen.server.online = True
    seen.page.evaluate("() => dispatchEvent(new Event('online'))")
    seen.waits_for("late")
    assert asked(seen, "PUT", "/clip") == 0


@LONG
def test_the_number_of_a_card_is_filled_in_and_may_be_changed(stage: Opened) -> None:
    seen = stage()
    seen.server.problems["scans"] = {"status": 200, "iccid": "89860112851234567891"}
    page = seen.page
    page.goto(f"{ORIGIN}/scan")
    page.get_by_role("button", name="Scan the barcode of the card").click()
    field = page.get_by_label("ICCID")
    expect(field).to_have_value("89860112851234567891")
    expect(field).to_be_focused()
    field.fill("8986")


@pytest.mark.parametrize(
    ("step", "language", "size"),
    [
        ("document", "zh", PHONE),
        ("person", "en", DESKTOP),
        pytest.param("document", "en", DESKTOP, marks=LONG),
        pytest.param("person", "zh", PHONE, marks=LONG),
    ],
)
def test_every_state_is_accessible_and_fits(
    stage: Opened, language: str, size: tuple[int, int], step: str
) -> None:
    seen = stage(language=language, size=size, permissions=())
    page = seen.open(step)
    seen.waits_for("intro", "framing_front")
    page.evaluate(axe_source())
    names = page.evaluate(
        "() => [...document.querySelectorAll('[data-state]')].map((e) => e.dataset.state.split(' ')[0])"
    )
    for name in names:
        page.evaluate(_SHOW, name)
        wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, name
        found = page.evaluate(
            "async () => (await axe.run('main')).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])"
        )
        assert not found, (name, found)


_SHOW = """(name) => {
  const root = document.querySelector('[data-capture]');
  root.dataset.now = name;
  for (const panel of root.querySelectorAll('[data-state]')) {
    panel.hidden = !panel.dataset.state.split(' ').includes(name);
    for (const place of panel.querySelectorAll('[data-value]')) place.textContent = 'text';
  }
}"""


def test_a_card_reader_may_give_the_document(stage: Opened) -> None:
    seen = stage()
    page = seen.open("document", left=3)
    seen.waits_for("intro", "framing_front", "review")
    event = "() => document.body.dispatchEvent(new CustomEvent('reader:read', { bubbles: true }))"
    page.evaluate(event)
    expect(page.locator("h1")).to_have_text("Photograph the document")
    seen.server.given.append("document")
    page.evaluate(event)
    page.wait_for_url("**/end")


def test_used_up_attempts_lead_to_other_ways(stage: Opened) -> None:
    for step in ("document", "person"):
        seen = stage()
        seen.open(step, left=0)
        seen.waits_for("used_up")
        expect(seen.page.get_by_role("link", name="See other ways")).to_have_attribute("href", "/other")
