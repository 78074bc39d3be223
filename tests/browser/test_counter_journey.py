"""The clerk's counter in a real browser, with the real models: from the passkey to the receipt."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.card_reader import a_reader_program
from tests.browser.counter_steps import MS, goes_on_to_the_receipt, opens
from tests.browser.home_steps import a_shop, is_seen, prove, shows_the_document, shows_themselves
from tests.browser.live_world import World
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, Visit


@contextmanager
def an_authenticator(page: Page) -> Iterator[None]:
    """Give the browser a security key that answers by itself (Chromium's virtual authenticator)."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield
    devtools.detach()


def signs_in_with_a_passkey(seen: Visit, page: Page) -> None:
    """Make a passkey, sign out, and come back with it to where one wanted to go."""
    page.goto("/passkey?next=/me")
    page.locator("[data-passkey] input").fill("key of a test")
    page.locator("[data-passkey] button").click()
    page.wait_for_url(f"{seen.world.address}/me")
    seen.look("account-me")
    seen.follow(page.locator("form[action='/sign-out'] button"))
    page.goto("/counter")
    page.wait_for_url("**/sign-in?next=/counter")
    seen.look("account-sign-in")
    page.locator("[data-passkey] button").click()
    page.wait_for_url(f"{seen.world.address}/counter")


@pytest.mark.models
@pytest.mark.long  # a camera in real time: a machine that does other things as well loses frames of it
def test_a_clerk_from_the_passkey_to_the_receipt(
    world: World, visit: Callable[..., Visit], camera: FakeCamera
) -> None:
    seen = visit(world, "clerk", size=DESKTOP)
    page = seen.page
    with an_authenticator(page):
        signs_in_with_a_passkey(seen, page)
    seen.look("counter-start")
    with a_reader_program(world):
        opens(page, camera)  # scans the SIM card
        camera.show("front")
        page.get_by_role("button", name="Read the card").click()
        was_read = page.locator("[data-reader]").get_by_text("The card was read.").first
        expect(was_read).to_be_visible(timeout=MS)
        seen.look("reader-read")
        shows_the_document(page, camera)  # a copy is kept
    shows_themselves(page)
    page.wait_for_url("**/result", timeout=MS)
    is_seen(page, "Proven: the person is the holder of the document")
    seen.follow(page.locator("main a.primary"))
    goes_on_to_the_receipt(seen, visit, reads_back=True)


@pytest.mark.models
@pytest.mark.long  # as above
def test_an_agent_takes_document_and_person_on_a_phone(
    world: World, visit: Callable[..., Visit], camera: FakeCamera
) -> None:
    seen = visit(world, "clerk", language="zh", size=PHONE)
    page = seen.go("/counter?channel=agent")
    camera.show("front")
    opens(page)
    seen.look("counter-document")
    shows_the_document(page, camera)
    shows_themselves(page)
    is_seen(page, "核验通过：本人就是证件持有人")
    seen.look("counter-result")


@pytest.mark.models
def test_a_clerk_leads_from_the_proof_to_the_receipt(each_world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(each_world, "clerk", size=DESKTOP)
    page = seen.go("/counter")
    address = opens(page)
    with a_shop(each_world, "supervisor") as shop:
        shop.http.timeout = MS / 1000
        prove(shop.http, f"/v1/proofing-sessions/{address.rpartition('/')[2]}")
    page.goto(address)  # asks the authority by itself
    page.wait_for_url("**/result", timeout=MS)
    is_seen(page, "Proven: the person is the holder of the document")
    seen.look("counter-result")
    seen.follow(page.locator("main a.primary"))
    on_sqlite = each_world.environment["SHIMING_DATABASE_URL"].startswith("sqlite")
    # the other way on the other database
    goes_on_to_the_receipt(seen, visit, reads_back=on_sqlite, pictures="counter")
    page.goto(f"{address}/document")
    expect(page).to_have_url(f"{address}/receipt")
    page.locator("form[action$='/done'] button").click()
    page.wait_for_url(f"{each_world.address}/counter")


def test_an_agents_phone_shows_the_first_pages_whole(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, "clerk", language="zh", size=PHONE)
    page = seen.go("/")
    seen.look("home")
    page.locator("a.door.first").tap()
    page.wait_for_url(f"{world.address}/counter")
    page.locator("#ending").fill("88")
    page.locator("button[formaction='/counter/numbers']").tap()
    expect(page.locator("#numbers .number").first).to_have_text(re.compile("88$"), timeout=MS)
    page.locator("select[name=channel]").select_option("agent")
    page.wait_for_url("**channel=agent**", wait_until="load")
    seen.look("counter-start")
    address = opens(page)
    page.goto(f"{address}/number")
    seen.look("counter-number")
    page.locator("#main details.leaving summary").first.click()
    page.locator("form[action$='/leave'] button").click()
    page.wait_for_url("**/counter?said=given_up")


def test_a_passkey_that_does_not_answer_leaves_the_password(
    world: World, visit: Callable[..., Visit]
) -> None:
    seen = visit(world)
    page = seen.go("/sign-in")
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )
    page.locator("[data-passkey] button").click()
    expect(page.locator("[data-passkey] [role=alert]")).to_have_text(re.compile("No passkey answered"))
    expect(page.locator("[data-passkey] button")).to_be_enabled()
    page.goto("/enrol#abcdefghijabcdefghijabcdefghij")
    expect(page.locator("#token")).to_have_value("abcdefghijabcdefghijabcdefghij")
    expect(page).to_have_url(f"{world.address}/enrol")
    seen.look("account-enrol")
