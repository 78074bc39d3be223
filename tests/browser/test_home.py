"""At home and by links, in a browser with the real models: online order, another's line, confirmation."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.home_steps import Shop, a_shop, is_seen, prove, shows_the_document, shows_themselves
from tests.browser.live_world import World
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, Visit

Visiting = Callable[..., Visit]
SIZES = [("zh", PHONE), ("en", DESKTOP)]


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """Somebody of staff who talks to the API."""
    with a_shop(world, "supervisor") as found:
        yield found


@pytest.mark.models
@pytest.mark.long  # a camera in real time: see test_counter_journey
def test_an_online_order_at_home_from_the_link_to_the_line(
    world: World, shop: Shop, visit: Visiting, camera: FakeCamera
) -> None:
    ordered = shop.order()
    seen = visit(world, size=PHONE)
    camera.show("front")
    page = seen.go(shop.link(ordered))
    seen.look("home-start")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/document")
    shows_the_document(page, camera)
    shows_themselves(page)
    is_seen(page, "It is you")
    seen.look("home-result")
    page.get_by_role("link", name="Go on to the contract").click()
    is_seen(page, "The contract with cn-mobile")
    seen.look("home-contract")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="I agree").click()
    is_seen(page, "Your SIM comes inactive")
    page.get_by_label("The last four digits").fill("0000" if ordered.iccid[-4:] != "0000" else "1111")
    page.get_by_role("button", name="My card has come").click()
    expect(page.locator(".notice.bad")).to_contain_text("4 more tries")
    seen.look("home-activation")
    page.get_by_label("The last four digits").fill(ordered.iccid[-4:])
    page.get_by_role("button", name="My card has come").click()
    is_seen(page, "Is this right?")
    expect(page.locator(".big-number")).to_have_text(ordered.number)
    seen.look("home-read-back")
    page.get_by_label("Type the code").fill(page.locator("#the-code").inner_text())
    page.get_by_role("button", name="Yes, switch this line on").click()
    is_seen(page, "Your line")
    expect(page.locator(".notice.good")).to_contain_text("Your line works", timeout=60_000)
    seen.look("home-line")
    receipt = page.request.get(page.get_by_role("link", name="Receipt").get_attribute("href") or "")
    assert receipt.body().startswith(b"%PDF")
    page.go_back()
    is_seen(page, "Your line")  # the back button leads past nothing


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_who_did_not_order_stops_and_the_link_is_over(
    world: World, shop: Shop, visit: Visiting, language: str, size: tuple[int, int]
) -> None:
    link = shop.link(shop.order())
    seen = visit(world, language=language, size=size)
    page = seen.go(link)
    seen.follow(page.locator(".leave a"))
    seen.look("home-stop")
    page.locator("form .danger").click()
    expect(page.locator(".notice.good")).to_be_visible()
    seen.look("home-stopped")
    page.goto(link)
    expect(page.locator("h1")).to_contain_text("您已停止办理" if language == "zh" else "You stopped this")
    seen.look("home-over")


@pytest.mark.parametrize(("language", "size"), SIZES)
def test_the_customer_confirms_on_a_page_of_large_print(
    world: World, shop: Shop, visit: Visiting, language: str, size: tuple[int, int]
) -> None:
    ordered = shop.order(channel="shop")
    sent = shop.http.post(f"/v1/orders/{ordered.session}/confirmation-code").json()
    link = re.sub(r"^https?://[^/]+", "", sent["link"])
    shown = shop.http.get(link, headers={"accept": "application/json"}).json()
    seen = visit(world, language=language, size=size)
    page = seen.go(link)
    expect(page.locator(".big-number")).to_have_text(ordered.number)
    expect(page.locator(".code")).to_have_text(shown["code"])
    seen.look("confirmation")
    seen.follow(page.locator(".danger"))
    seen.look("confirmation-wrong")
    seen.follow(page.locator("a.plain"))
    page.locator("form .primary").click()
    expect(page.locator(".notice.good")).to_be_visible()
    seen.look("confirmation-yes")
    page.goto(link)
    over = "链接已使用过" if language == "zh" else "This link has been used already"
    expect(page.locator("h1")).to_have_text(over)
    seen.look("confirmation-over")


@pytest.mark.models
@pytest.mark.long  # two whole proofs of the real models
def test_a_counter_hands_the_capture_over_and_goes_on_when_it_is_decided(
    world: World, shop: Shop, visit: Visiting
) -> None:
    ordered = shop.order(channel="shop")
    clerk = visit(world, "clerk")
    page = clerk.go(f"/counter/{ordered.session}/hand-over")
    clerk.look("hand-over-offer")
    page.get_by_role("button", name="Show the QR code").click()
    expect(page.locator("svg.qr")).to_be_visible()
    clerk.look("hand-over")
    link = re.sub(r"^https?://[^/]+", "", page.locator("svg.qr").get_attribute("aria-label") or "")
    customer = visit(world, size=PHONE)
    customer.follow(customer.go(link).get_by_role("button", name="Begin"))
    prove(shop.http, link.replace("/a/", "/v1/applicant-links/"))
    expect(page.locator(".progress-list .done")).to_have_count(3, timeout=20_000)
    customer.page.goto(f"{link}/result")
    is_seen(customer.page, "It is you")
    customer.look("hand-over-done")
    page.wait_for_url(re.compile(rf"/counter/{ordered.session}/(result|contract)"), timeout=20_000)
