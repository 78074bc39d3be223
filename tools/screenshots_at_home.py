"""Pictures of an order at home, from the result to the line, of its ends, and of links that are dead."""

import re
from datetime import timedelta

import httpx
from playwright.sync_api import Page

from shiming.identity_proofing.model.evidence import FaceVotes
from tests.browser.review_cases import DOUBTFUL
from tests.entrypoints.pages.counter_world import Browser, KnowsEverybody, path_of, value_of
from tests.entrypoints.pages.home_orders import ordered, proven, sent
from tools.screenshots_furnished import Stage
from tools.screenshots_studio import PHONE

_UNLIKE = FaceVotes(0.01, 0.02)
_CARD_TRAVELS = timedelta(days=3)
_LINK_IS_OVER = timedelta(days=60)


def walk_homes(stage: Stage) -> None:
    """Picture what applicants see on their own phones; this moves the clock."""
    clerk = stage.counter.staff()
    _results(stage, clerk)
    _dead_links(stage, clerk)
    _stopped(stage, clerk)
    _to_the_line(stage, clerk)
    _out_of_time(stage, stage.counter.staff())


def _results(stage: Stage, clerk: Browser) -> None:
    counter, app = stage.counter, stage.counter.app
    for name, found, answers in (
        ("home-once-more", {"clip": None, "face_clip_document": None, "digits": None}, True),
        ("home-refused", {"face_clip_document": _UNLIKE}, True),
        ("home-people-look", {"face_clip_document": DOUBTFUL}, True),
        ("home-authority-silent", {}, False),
    ):
        session, link, _ = ordered(counter, clerk)
        home = counter.browser()
        home.post(link)
        counter.give(f"/session/{session}", **found)
        app.state.authority = KnowsEverybody(answers=answers)
        home.post(f"{link}/result")
        app.state.authority = KnowsEverybody()
        stage.take(name, f"{link}/result", met_in=PHONE)


def _dead_links(stage: Stage, clerk: Browser) -> None:
    session, link, _ = ordered(stage.counter, clerk)
    newer = httpx.URL(sent(clerk, f"/v1/orders/{session}/applicant-link")["link"]).path
    stage.take("dead-link-replaced", link, met_in=PHONE)
    headers = {"x-csrf-token": clerk.csrf, "accept": "application/json"}
    clerk.http.delete(f"/v1/orders/{session}/applicant-link", headers=headers).raise_for_status()
    stage.take("dead-link-taken-back", newer, met_in=PHONE)
    abandoned, gone, _ = ordered(stage.counter, clerk)
    order = f"/v1/orders/{abandoned}"
    headers["if-match"] = clerk.http.get(order, headers=headers).headers["etag"]
    clerk.http.post(f"{order}/abandonment", headers=headers).raise_for_status()
    stage.take("dead-link-order-gone", gone, met_in=PHONE)
    nobodys = "A" * len(link.rpartition("/")[2])
    for giver, path in (("organisation", "/u"), ("operator", "/r"), ("clerk", "/v1/confirmations")):
        stage.take(f"dead-link-of-{giver}", f"{path}/{nobodys}", met_in=PHONE)


def _stopped(stage: Stage, clerk: Browser) -> None:
    page, links = stage.page(), [""]

    def stops() -> None:
        _, links[0], _ = ordered(stage.counter, clerk)
        page.goto(f"{links[0]}/stop")
        page.locator("form .danger").click()
        page.locator(".notice.good").wait_for()

    stage.studio.take(page, "home-stopped", met_in=PHONE, again=stops)
    page.context.close()
    stage.take("dead-link-stopped", links[0], met_in=PHONE)


def _to_the_line(stage: Stage, clerk: Browser) -> None:
    counter = stage.counter
    session, link, iccid = ordered(counter, clerk)
    home = counter.browser()
    home.post(link)
    proven(counter, home, session, link)
    stage.take("home-result", f"{link}/result", met_in=PHONE)
    stage.take("home-contract", f"{link}/contract", met_in=PHONE)
    terms = {name: value_of(home.get(f"{link}/contract").text, name) for name in ("version", "content_hash")}
    home.post(f"{link}/contract", {"agree": "true", **terms})
    counter.clock.at += _CARD_TRAVELS
    stage.take("home-activation", f"{link}/activation", met_in=PHONE)
    asked = path_of(home.post(f"{link}/activation", {"last": iccid[-4:]}))
    stage.take("home-read-back", asked, met_in=PHONE)
    page = stage.page()
    page.goto(asked)
    _reads_back(page)
    stage.studio.take(page, "home-line-coming", met_in=PHONE)
    receipt = stage.counter.staff().get(f"/counter/{session}/receipt").text
    counter.switched_on(re.findall(r"REG-[0-9A-Z-]+", receipt)[0])
    stage.studio.take(page, "home-line", met_in=PHONE)
    page.context.close()


def _reads_back(page: Page) -> None:
    page.locator("#code").fill(page.locator("#the-code").inner_text())
    page.locator("form[action*='/activation/'] button").click()
    page.wait_for_url("**/activation")


def _out_of_time(stage: Stage, clerk: Browser) -> None:
    counter = stage.counter
    session, link, _ = ordered(counter, clerk)
    counter.browser().post(link)
    counter.give(f"/session/{session}")
    counter.clock.at += timedelta(minutes=45)
    stage.take("home-expired", f"{link}/result", met_in=PHONE)
    counter.clock.at += _LINK_IS_OVER
    stage.take("dead-link-expired", link, met_in=PHONE)
