"""Orders at home and their proof, as an online store, its customers and the camera would do it."""

from typing import Any

import httpx

from tests.entrypoints.pages.counter_world import ONE, Browser, Counter, heading
from tests.registrations.stock_builders import an_iccid

FIRST_AT_HOME = 8_613_800_134_000


def sent(browser: Browser, path: str, body: Any = None) -> dict[str, Any]:
    """Post JSON, as an online store does."""
    headers = {"x-csrf-token": browser.csrf, "accept": "application/json"}
    answer = browser.http.post(path, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ordered(counter: Counter, clerk: Browser, channel: str = "online") -> tuple[str, str, str]:
    """Open an order; return its session, the path of its link, and the card that will be sent."""
    counter.people += 1
    session: str = sent(clerk, "/v1/proofing-sessions", {"channel": channel, "operator": ONE})["id"]
    iccid = an_iccid(9000 + counter.people)
    wanted = {
        "session": session, "operator": ONE, "kind": "mobile", "product_class": "voice", "channel": channel,
        "identifier": f"+{FIRST_AT_HOME + counter.people}", "iccid": iccid, "sim_form": "physical",
    }  # fmt: skip
    sent(clerk, "/v1/orders", wanted)
    link = sent(clerk, f"/v1/orders/{session}/applicant-link")["link"]
    return session, httpx.URL(link).path, iccid


def proven(counter: Counter, browser: Browser, session: str, link: str) -> str:
    """Put the proof in and have it decided by the page; return the heading of the result."""
    counter.give(f"/session/{session}")
    return heading(browser.follow(browser.post(f"{link}/result")))
