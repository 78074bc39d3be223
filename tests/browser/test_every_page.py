"""The frame of every page: errors as pages, preferences, keyboard, no script."""

from collections.abc import Callable

from playwright.sync_api import Browser, expect

from tests.browser.live_world import World
from tests.browser.looking import PHONE, Visit


def test_an_unknown_address_is_a_page_that_helps(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, language="zh", size=PHONE)
    page = seen.go("/nowhere")
    expect(page.locator("h1")).to_have_text("没有这个地址。")
    seen.look("problem")


def test_language_size_and_contrast_are_kept(world: World, visit: Callable[..., Visit]) -> None:
    seen = visit(world, language="en")
    page = seen.go("/nowhere")
    for name in ("中文", "特大", "高"):
        page.locator("details.display summary").click()
        page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("html")).to_have_attribute("data-text", "larger")
    expect(page.locator("html")).to_have_attribute("data-contrast", "high")
    seen.look()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    seen.look()


def test_the_keyboard_skips_to_the_content(world: World, visit: Callable[..., Visit]) -> None:
    page = visit(world).go("/nowhere")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_preferences_need_no_script(world: World, bare_browser: Browser) -> None:
    context = bare_browser.new_context(base_url=world.address, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto("/nowhere")
    page.locator("details.display summary").click()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("没有这个地址。")
    context.close()
