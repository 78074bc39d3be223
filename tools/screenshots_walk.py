"""The ways through the tour whose pages are pictured: the counter, a refusal, at home, the desk."""

import json
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import APIResponse, FilePayload, Page
from playwright.sync_api import TimeoutError as Late
from stdnum import luhn

from tools.screenshots_studio import PHONE, STEP_MS_MAX, Studio

_SPECIMENS = Path(__file__).parents[1] / "specimens"
_DEMO: dict[str, Any] = json.loads((_SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
_STRANGER = "documents/other_person_front.jpg"
_CARDS = count(1)  # SIM cards of nobody: one for each line
_LINK_COOKIE = "shiming_counter_link"
_INTO_THE_TURN_MS = 1200
#: What is open to everybody.
OPEN = (
    ("start", "/"),
    ("sign-in", "/sign-in"),
    ("enrol", "/enrol"),
    ("tour", "/tour"),
    ("your-card", "/tour/your-card"),
    ("problem", "/nowhere"),
    ("dead-link", f"/a/{'A' * 43}"),
)
#: What staff see without doing anything: name, place in the tour where they sign in, path.
DESK = (
    ("account", "counter", "/me"),
    ("passkey", "counter", "/passkey"),
    ("desk", "review", "/desk"),
    ("account-new", "admin", "/desk/accounts/new"),
    ("client-new", "admin", "/desk/clients/new"),
    ("device-new", "admin", "/desk/devices/new"),
    ("packs", "admin", "/desk/packs"),
    ("pack", "admin", "/desk/packs/cn"),
    ("scenarios", "admin", "/desk/packs/cn/scenarios"),
    ("rule-differences", "admin", "/desk/packs/-/differences?before=cn&after=pk"),
)


def walk_tour(studio: Studio) -> None:
    """Picture all that a tour shows."""
    walk_open_pages(studio)
    walk_desk(studio)
    walk_journeys(studio)
    walk_review(studio)


def walk_open_pages(studio: Studio) -> None:
    """Picture what is open to everybody."""
    page = studio.context().new_page()
    for name, path in OPEN:
        page.goto(path)
        studio.take(page, name)
    page.context.close()


def walk_journeys(studio: Studio) -> None:
    """Picture the journeys; a step that fails is told, and the next journey goes on."""
    for journey in (at_the_counter, refused, looked_at_by_people, at_home):
        try:
            journey(studio)
        except Late as late:
            print(f"{journey.__name__}: {late.message.splitlines()[0]}", flush=True)


def at_the_counter(studio: Studio) -> None:
    """Open a line as the clerk does; a clip that must be good is handed in as a file, not recorded anew."""
    page = studio.signed_in("counter")
    studio.take(page, "counter-start")
    session = open_line(page)
    studio.take(page, "document")
    before_the_camera(page, studio)
    for name in ("number", "hand-over", "representative"):
        page.goto(f"{session}/{name}")
        studio.take(page, f"counter-{name}")
    drawn = hand_in_the_document(page, session)
    page.goto(f"{session}/person")
    studio.take(page, "person", met_in=PHONE)
    while_recording(page, studio)
    hand_in_the_clip(page, session, drawn)
    page.goto(session)
    page.wait_for_url("**/result")
    studio.take(page, "result")
    to_the_receipt(page, studio, session)


def to_the_receipt(page: Page, studio: Studio, session: str) -> None:
    """Agree, confirm by the code on the customer's phone, and wait for the network."""
    page.goto(f"{session}/contract")
    studio.take(page, "counter-contract")
    for consent in page.locator("main input[type=checkbox]").all():
        consent.check()
    page.locator("main form[action$='/contract'] button").click()
    page.locator("#code").wait_for()
    studio.take(page, "counter-confirmation")
    link = next(each["value"] for each in page.context.cookies() if each.get("name") == _LINK_COOKIE)
    phone = studio.context().new_page()
    phone.goto(f"/v1/confirmations/{link}")
    studio.take(phone, "confirmation", met_in=PHONE)
    page.locator("#code").fill(phone.locator(".code").inner_text())
    phone.context.close()
    page.locator("form[action$='/confirmation'] button").click()
    page.wait_for_url("**/receipt")
    studio.take(page, "counter-receipt")


def refused(studio: Studio) -> None:
    """Be refused with another person's card."""
    page = studio.signed_in("counter")
    session = open_line(page)
    page.goto(f"{session}/other-way")
    studio.take(page, "equal-paths", met_in=PHONE)
    drawn = hand_in_the_document(page, session, _STRANGER)
    hand_in_the_clip(page, session, drawn)
    page.goto(session)
    page.wait_for_url("**/result")
    studio.take(page, "result-refused")


def looked_at_by_people(studio: Studio) -> None:
    """Ask for people instead of the camera; the pages of those who look are pictured at the desk."""
    page = studio.signed_in("counter")
    session = open_line(page)
    hand_in_the_document(page, session)
    page.goto(f"{session}/other-way")
    page.locator("input[value=assisted]").check()
    page.locator("form[action$=other-way] button").first.click()
    page.wait_for_url("**/desk/reviews/**")


def at_home(studio: Studio) -> None:
    """Open the link of an online order on a phone."""
    page = studio.context().new_page()
    page.goto("/tour")
    page.locator("#home button").click()
    page.wait_for_url("**/a/**")
    link = page.url
    studio.take(page, "home", met_in=PHONE)
    for name in ("document", "other-way", "stop"):
        page.goto(f"{link}/{name}")
        studio.take(page, f"home-{name}", met_in=PHONE)


def walk_desk(studio: Studio) -> None:
    """Picture pages of the desk, as those see them who work with them."""
    pages: dict[str, Page] = {}
    for name, place, path in DESK:
        if place not in pages:
            pages[place] = studio.signed_in(place)
        pages[place].goto(path)
        studio.take(pages[place], name)


def walk_review(studio: Studio) -> None:
    """Picture who waits for people, and what one of those who look sees, opens and answers."""
    page = studio.signed_in("review")
    page.goto("/desk/reviews")
    studio.take(page, "reviews")
    page.locator("main a[href*='/desk/reviews/SES']").first.click()
    page.wait_for_url("**/desk/reviews/SES*")
    studio.take(page, "review")

    def opens() -> None:
        page.reload()
        page.keyboard.press("1")
        page.locator("img[data-shown]:visible").first.wait_for()

    studio.take(page, "review-opened", again=opens)
    _finds(page)
    studio.take(page, "review-answered")


def _finds(page: Page) -> None:
    page.reload()
    for key in ("y", "u"):
        page.keyboard.press(key)
    page.locator("#ground").select_option("features_agree")
    page.locator("[data-finding] button").first.click()
    page.wait_for_url("**said=**")


def open_line(page: Page) -> str:
    """Order a telephone card at the counter; return the path of its session."""
    page.locator("select").first.select_option("voice.mobile")
    page.locator("input[name=identifier]").first.wait_for(state="attached")
    card = f"8986011285{next(_CARDS):09d}"
    page.locator("input[name=iccid]").fill(card + luhn.calc_check_digit(card))
    page.locator("main form button.primary, main form .button.primary").last.click()
    page.wait_for_url("**/document")
    return page.url.removesuffix("/document")


def before_the_camera(page: Page, studio: Studio) -> None:
    """Hold the front of the card before the camera."""

    def opens() -> None:
        page.reload()
        page.locator("[data-do=open]:visible").click()
        page.locator("[data-now=framing_front], [data-now=review]").wait_for()

    studio.take(page, "document-framing", again=opens)


def while_recording(page: Page, studio: Studio) -> None:
    """Begin to answer the challenge on a phone, and stop again, which costs no attempt."""

    def begins() -> None:
        page.reload()
        page.locator("[data-do=open]:visible").click()
        page.locator("[data-do=ready]:visible").click()
        page.locator("[data-prompt=turn_left]").wait_for()
        page.wait_for_timeout(_INTO_THE_TURN_MS)

    studio.take(page, "person-recording", met_in=PHONE, again=begins)
    page.locator("[data-do=stop]:visible").click()


def hand_in_the_document(page: Page, session: str, front: str = "") -> str:
    """Draw a challenge and hand both sides in; return the challenge."""
    drawn = _sent(page, "POST", session, "challenges", data={}).text()
    sides = {"front": _file(front or _DEMO["document_front"]), "back": _file(_DEMO["document_back"])}
    _sent(page, "PUT", session, "document", multipart=sides)
    return drawn


def hand_in_the_clip(page: Page, session: str, drawn: str) -> None:
    """Hand in the clip that answers the challenge of the tour."""
    _sent(page, "PUT", session, "clip", multipart={"clip": _file(_DEMO["clip"]), "challenge": drawn})


def _sent(page: Page, method: str, session: str, step: str, **body: Any) -> APIResponse:
    base = f"/v1/proofing-sessions/{session.rsplit('/', 1)[1]}"
    token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
    answer = page.request.fetch(
        f"{base}/{step}", method=method, headers={"x-csrf-token": token}, timeout=STEP_MS_MAX, **body
    )
    if not answer.ok:
        raise SystemExit(f"{step}: {answer.status} {answer.text()}")
    return answer


def _file(name: str) -> FilePayload:
    path = _SPECIMENS / name
    kind = "video/mp4" if path.suffix == ".mp4" else "image/jpeg"
    return {"name": path.name, "mimeType": kind, "buffer": path.read_bytes()}
