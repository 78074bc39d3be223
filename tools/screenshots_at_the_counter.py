"""Pictures of the counter: what came of a proof, who acts for whom, the referee, the phone, the network."""

import re
from datetime import timedelta

import httpx

from tests.browser.review_cases import DOUBTFUL
from tests.entrypoints.pages.counter_world import (
    Browser,
    KnowsEverybody,
    customers_code,
    path_of,
    told_by_message,
)
from tests.entrypoints.pages.home_orders import ordered, sent
from tests.identity_proofing.proofing_builders import a_document
from tools.screenshots_furnished import Stage
from tools.screenshots_specimens import FRONT
from tools.screenshots_studio import PHONE

_CHILD_YEARS = 12


def walk_counter(stage: Stage) -> None:
    """Picture what is not met on the straight way from the first page to the receipt."""
    clerk = stage.counter.staff()
    _results(stage, clerk)
    _deciding(stage, clerk)
    _guardian(stage, clerk)
    _proxy(stage, clerk)
    _referee(stage, clerk)
    _phone(stage, clerk)
    _network(stage, clerk)
    _says_yes(stage, clerk)
    _over(stage, clerk)


def _results(stage: Stage, clerk: Browser) -> None:
    counter = stage.counter
    doubt = counter.opened(clerk)
    counter.give(doubt, clip=None, face_clip_document=None, digits=None)
    clerk.post(f"{doubt}/decision")
    stage.take("result-once-more", f"{doubt}/result", clerk)
    unclear = counter.opened(clerk)
    counter.give(unclear, face_clip_document=DOUBTFUL)
    clerk.post(f"{unclear}/decision")
    stage.take("result-people-look", f"{unclear}/result", clerk)
    silent = counter.opened(clerk)
    counter.give(silent)
    counter.app.state.authority = KnowsEverybody(answers=False)
    clerk.post(f"{silent}/decision")
    counter.app.state.authority = KnowsEverybody()
    stage.take("result-authority-silent", f"{silent}/result", clerk)


def _deciding(stage: Stage, clerk: Browser) -> None:
    """Hold the page up that leads on by itself."""
    address = stage.counter.opened(clerk)
    stage.counter.give(address)
    page = stage.page(clerk)
    page.route(
        f"**{address}/decision",
        lambda route: route.continue_() if route.request.method == "GET" else route.abort(),
    )
    page.goto(f"{address}/decision")
    stage.studio.take(page, "counter-decision", again=lambda: page.goto(f"{address}/decision"))
    page.context.close()


def _guardian(stage: Stage, clerk: Browser) -> None:
    counter = stage.counter
    stage.take("counter-start-minor", "/counter?offer=voice.mobile&holder=minor", clerk)
    minor = counter.opened(clerk, holder="minor")
    counter.give(minor, document=a_document(age_years=_CHILD_YEARS))
    clerk.post(f"{minor}/decision")
    stage.take("result-minor", f"{minor}/result", clerk)
    stage.take("guardian", f"{minor}/representative", clerk)
    acting = path_of(clerk.post(f"{minor}/representative", {"role": "guardian", "relation": "parent"}))
    _proves_acting(stage, clerk, acting)
    stage.take("guardian-proven", acting, clerk)


def _proxy(stage: Stage, clerk: Browser) -> None:
    holder = stage.counter.proven(clerk, holder="proxy")
    stage.take("proxy", f"{holder}/representative", clerk)
    acting = path_of(clerk.post(f"{holder}/representative", {"role": "proxy"}))
    _proves_acting(stage, clerk, acting)
    stage.take("proxy-proven", acting, clerk)
    page = stage.page(clerk)

    def sends_without_the_paper() -> None:
        page.goto(acting)
        page.evaluate("""here => document.querySelector(`form[action="${here}"]`).submit()""", acting)
        page.locator(".notice.bad").first.wait_for()

    stage.studio.take(page, "proxy-refused", again=sends_without_the_paper)
    page.context.close()
    session = holder.rsplit("/", 1)[1]
    kept = clerk.http.put(
        f"/v1/orders/{session}/authority-document",
        files={"document": ("d.jpg", FRONT.read_bytes(), "image/jpeg")},
        headers={"x-csrf-token": clerk.csrf, "accept": "application/json"},
    )
    clerk.post(acting, {"authority_document": kept.json()["authority_document"]})
    stage.take("proxy-named", f"{holder}/representative", clerk)


def _proves_acting(stage: Stage, clerk: Browser, acting: str) -> None:
    counter = stage.counter
    counter.people += 1
    counter.give(f"/session/{acting.rsplit('/', 1)[1]}", counter.people + 50)
    clerk.post(f"{acting}/decision")


def _referee(stage: Stage, clerk: Browser) -> None:
    counter = stage.counter
    applicant = counter.opened(clerk)
    counter.give(applicant)
    clerk.post(f"{applicant}/other-way", {"way": "referee"})
    stage.take("referee", f"{applicant}/referee", clerk)
    stage.take("review-before-referee", f"/desk/reviews/{applicant.rsplit('/', 1)[1]}", clerk)
    second = path_of(clerk.post(f"{applicant}/referee"))
    counter.people += 1
    counter.give(f"/session/{second.rsplit('/', 1)[1]}", counter.people + 90)
    clerk.post(f"{second}/decision")
    stage.take("referee-proven", second, clerk)
    clerk.post(second, {"vouch": "yes"})
    stage.take("referee-named", f"{applicant}/referee?said=referee_named", clerk)


def _phone(stage: Stage, clerk: Browser) -> None:
    address = stage.counter.opened(clerk)
    clerk.post(f"{address}/hand-over")
    stage.take("hand-over-code", f"{address}/hand-over", clerk)
    link = f"/a/{clerk.http.cookies['shiming_hand_over']}"
    phone = stage.counter.browser()
    phone.post(link)
    stage.counter.give(address)
    phone.post(f"{link}/result")
    stage.take("hand-over-done", f"{link}/result", phone, met_in=PHONE)


def _network(stage: Stage, clerk: Browser) -> None:
    """Wait for the customer and for the network, and have the receipt sent."""
    counter = stage.counter
    address = counter.accepted(clerk)
    clerk.get(f"{address}/code.svg")
    token = next(each.value for each in clerk.http.cookies.jar if each.name == "shiming_counter_link")
    link = f"/v1/confirmations/{token}"
    stage.take("confirmation-wrong", link, met_in=PHONE, press="form[action$='/wrong'] button, button.danger")
    counter.browser().http.post(f"{link}/yes")
    stage.take("counter-confirmed", f"{address}/confirmation", clerk)
    stage.take("counter-activation-before", f"{address}/activation", clerk)
    stage.take("dead-link-used", link, met_in=PHONE)
    clerk.post(f"{address}/activation")
    stage.take("counter-activation", f"{address}/activation", clerk)
    clerk.post(f"{address}/receipt-message")
    stage.take("counter-receipt-waiting", f"{address}/receipt", clerk)
    line = re.findall(r"REG-[0-9A-Z-]+", clerk.get(f"{address}/receipt").text)[0]
    counter.switched_on(line)
    receipt, _ = told_by_message(counter, line)
    stage.take("receipt-by-link", receipt, met_in=PHONE)
    stage.take("counter-receipt-sent", f"{address}/receipt", clerk)


def _says_yes(stage: Stage, clerk: Browser) -> None:
    """Say yes, to another line each time: a link takes one yes."""
    page = stage.page()

    def says_yes() -> None:
        session, _, _ = ordered(stage.counter, clerk, "shop")
        link = httpx.URL(sent(clerk, f"/v1/orders/{session}/confirmation-code", {})["link"]).path
        page.goto(link)
        page.locator("form[action$='/yes'] button").first.click()
        page.locator(".notice.good").wait_for()

    stage.studio.take(page, "confirmation-yes", met_in=PHONE, again=says_yes)
    page.context.close()


def _over(stage: Stage, clerk: Browser) -> None:
    """Let the time of a session, and of a proof, run out; this moves the clock."""
    counter = stage.counter
    over, late = counter.opened(clerk), counter.accepted(clerk)
    counter.clock.at += timedelta(minutes=45)
    clerk = counter.staff()
    clerk.post(f"{late}/code", {"delivery": "link"})
    clerk.post(f"{late}/confirmation", {"code": customers_code(clerk, late)})
    stage.take("counter-refused", f"{late}/activation", clerk, press="form[action$='/activation'] button")
    stage.take("counter-over", over, clerk)
