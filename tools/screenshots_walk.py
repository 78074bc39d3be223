"""The ways through the tour whose pages are pictured: the counter, a refusal, at home, the desk."""

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as Late

from tools.screenshots_studio import PHONE, SETTLED_MS, STEP_MS_MAX, Studio, speak

_ICCID = "89860112851234567891"  # of no real card
_WORKING = ["drawing", "recording", "sending", "checking", "opening", "tapping", ""]
_STATE = "() => document.querySelector('[data-capture]')?.dataset.now ?? 'gone'"
#: What staff see without doing anything: name, place in the tour where they sign in, path.
DESK = (
    ("account", "counter", "/me"),
    ("reviews", "review", "/desk/reviews"),
    ("routes", "review", "/desk/routes"),
    ("desk", "review", "/desk"),
    ("numbers", "review", "/desk/numbers"),
    ("lines", "review", "/desk/lines"),
    ("companies", "review", "/desk/companies"),
    ("registration-reviews", "review", "/desk/registration-reviews"),
    ("access-log", "review", "/desk/access-log"),
    ("accounts", "admin", "/desk/accounts"),
    ("jobs", "admin", "/desk/jobs"),
    ("packs", "admin", "/desk/packs"),
    ("pack", "admin", "/desk/packs/cn"),
    ("scenarios", "admin", "/desk/packs/cn/scenarios"),
    ("webhooks", "admin", "/desk/webhooks"),
    ("ledger", "audit", "/desk/ledger"),
)


def walk_open_pages(studio: Studio) -> None:
    """Picture what is open to everybody."""
    page = studio.context().new_page()
    for name, path in (("start", "/"), ("sign-in", "/sign-in"), ("tour", "/tour"), ("problem", "/nowhere")):
        page.goto(path)
        studio.take(page, name)
    page.context.close()


def walk_journeys(studio: Studio) -> None:
    """Picture the journeys; a step that fails is told, and the next journey goes on."""
    for journey in (at_the_counter, refused, at_home):
        try:
            journey(studio)
        except Late as late:
            print(f"{journey.__name__}: {late.message.splitlines()[0]}", flush=True)


def at_the_counter(studio: Studio) -> None:
    """Open a line as the clerk does."""
    page = studio.signed_in("counter")
    studio.take(page, "counter-start")
    session = open_line(page)
    studio.take(page, "document")
    photograph(page, studio, "document")
    page.wait_for_url("**/person")
    studio.take(page, "person")
    answer(page, studio, "person")
    page.goto(f"{session}/result")
    studio.take(page, "result")
    for name in ("contract", "confirmation", "activation", "receipt"):
        page.goto(f"{session}/{name}")
        if page.url.endswith(name):
            studio.take(page, f"counter-{name}")


def refused(studio: Studio) -> None:
    """Be refused with another person's card."""
    page = studio.signed_in("refused")
    session = open_line(page)
    photograph(page)
    page.wait_for_url("**/person")
    page.goto(f"{session}/other-way")
    studio.take(page, "equal-paths")
    page.goto(f"{session}/person")
    answer(page)
    page.goto(f"{session}/result")
    studio.take(page, "result-refused")


def at_home(studio: Studio) -> None:
    """Open the link of an online order on a phone."""
    page = studio.context().new_page()
    page.goto("/tour")
    page.locator("#home button").click()
    page.wait_for_url("**/a/**")
    studio.take(page, "home")
    for name in ("document", "other-way", "stop"):
        link = page.url
        page.goto(f"{link}/{name}")
        studio.take(page, f"home-{name}")
        page.goto(link)


def walk_desk(studio: Studio) -> None:
    """Picture the lists of the desk, as those see them who work with them."""
    pages: dict[str, Page] = {}
    for name, place, path in DESK:
        if place not in pages:
            pages[place] = studio.signed_in(place)
        pages[place].goto(path)
        studio.take(pages[place], name)
    page = pages["review"]
    page.goto("/desk/reviews")
    waiting = page.locator("main a[href*='/desk/reviews/SES']").first
    if waiting.count():
        waiting.click()
        page.wait_for_url("**/desk/reviews/SES*")
        studio.take(page, "review")


def open_line(page: Page) -> str:
    """Order a telephone card at the counter; return the path of its session."""
    page.locator("select").first.select_option("voice.mobile")
    page.locator("input[name=identifier]").first.wait_for(state="attached")
    page.locator("input[name=iccid]").fill(_ICCID)
    page.locator("main form button.primary, main form .button.primary").last.click()
    page.wait_for_url("**/document")
    return page.url.removesuffix("/document")


def photograph(page: Page, studio: Studio | None = None, name: str = "") -> None:
    """Hold both sides of the card before the camera and hand them in."""
    page.locator("[data-do=open]:visible").click()
    for side in ("front", "back"):
        page.locator(f"[data-now=framing_{side}], [data-now=review]").wait_for()
        if studio and side == "front":
            studio.take(page, f"{name}-framing", reload=False)
        page.locator("[data-do=use]:visible").click()
    _wait_while(page, ["review", "sending", "framing_back"])


def answer(page: Page, studio: Studio | None = None, name: str = "") -> None:
    """Let the person answer the challenge and wait for the decision; the recording is pictured on a phone."""
    if studio:
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        speak(page, studio.tour["url"], "zh")
        page.reload()
    page.locator("[data-do=open]:visible").click()
    page.locator("[data-do=ready]:visible").click()
    if studio:
        page.locator("[data-prompt=turn_left]").wait_for()
        page.wait_for_timeout(1200)
        studio.take(page, f"{name}-recording", reload=False)
    _wait_while(page, _WORKING)
    page.wait_for_timeout(SETTLED_MS)


def _wait_while(page: Page, states: list[str]) -> None:
    """Wait until the page of a capture is in none of these states, or another page is there."""
    page.wait_for_function(f"(states) => !states.includes(({_STATE})())", arg=states, timeout=STEP_MS_MAX)
