"""The ways through the tour whose pages are pictured: a proof at the counter, one at home, a refusal, the desk."""

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as Late

from tools.screenshots import DESK, PHONE, STEP_MS_MAX, Studio, speak

_ICCID = "89860112851234567891"  # of no real card
_WORKING = ("drawing", "recording", "sending", "checking", "opening", "tapping", "")


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
    page = studio.signed_in("clerk", "counter")
    studio.take(page, "counter-start")
    session = open_line(page)
    studio.take(page, "document")
    photograph(page, studio, "document")
    page.wait_for_url("**/person")
    studio.take(page, "person")
    studio.take(page.context.new_page(), "equal-paths") if False else None
    answer(page, studio, "person")
    page.goto(f"{session}/result")
    studio.take(page, "result")
    for name in ("contract", "confirmation", "activation", "receipt"):
        page.goto(f"{session}/{name}")
        if page.url.endswith(name):
            studio.take(page, f"counter-{name}")


def refused(studio: Studio) -> None:
    """Be refused with another person's card."""
    page = studio.signed_in("clerk", "refused")
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
    places = {"clerk": "counter", "reviewer": "review", "admin": "admin", "auditor": "audit"}
    pages: dict[str, Page] = {}
    for name, account, path in DESK:
        page = pages.setdefault(account, studio.signed_in(account, places[account])) if account not in pages else pages[account]
        page.goto(path)
        studio.take(page, name)
    page = pages["reviewer"]
    page.goto("/desk/reviews")
    first = page.locator("main a[href*='/desk/reviews/SES']").first
    if first.count():
        first.click()
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
    page.wait_for_function("() => !['review', 'sending'].includes(document.querySelector('[data-capture]')?.dataset.now)")


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
    working = str(list(_WORKING))
    page.wait_for_function(
        f"() => !{working}.includes(document.querySelector('[data-capture]')?.dataset.now ?? 'gone')",
        timeout=STEP_MS_MAX,
    )
