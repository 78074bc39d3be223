"""Two people look, in a real browser; figures by way; another way at once."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from shiming.identity_proofing import store
from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import Route
from shiming.privacy.use_cases.access_log import list_accesses
from tests.browser.home_steps import a_shop, is_seen, shows_themselves
from tests.browser.live_world import DEMO, SPECIMENS, World
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, Visit
from tests.browser.review_cases import a_waiting_session, figures_of_a_quarter

Visiting = Callable[..., Visit]
EVERY_LOOK = [("en", PHONE), ("zh", PHONE), ("en", DESKTOP), ("zh", DESKTOP)]


@pytest.mark.parametrize(("language", "size"), EVERY_LOOK)
def test_the_pages_of_review_are_what_every_page_is(
    world: World, visit: Visiting, language: str, size: tuple[int, int]
) -> None:
    reference = a_waiting_session(world.platform)
    seen = visit(world, "clerk", language=language, size=size)
    page = seen.go("/desk/reviews")
    expect(page.get_by_role("link", name=reference)).to_be_visible()
    seen.look("reviews")
    seen.follow(page.get_by_role("link", name=reference))
    seen.look("review")
    page.goto(f"/counter/{reference}/other-way")
    seen.look("other-way")


@pytest.mark.parametrize(("language", "size"), EVERY_LOOK[1:3])
def test_figures_by_way(world: World, visit: Visiting, language: str, size: tuple[int, int]) -> None:
    figures_of_a_quarter(world.platform)
    seen = visit(world, "supervisor", language=language, size=size)
    page = seen.go("/desk/routes")
    expect(page.locator(".route-figures")).to_have_count(
        len(world.platform.policy("", world.platform.today()).routes)
    )
    seen.look("routes")


def test_two_people_look_and_the_session_is_decided(world: World, visit: Visiting) -> None:
    reference = a_waiting_session(world.platform, Route.ASSISTED)
    first = visit(world, "clerk")
    page = first.go(f"/desk/reviews/{reference}")
    page.keyboard.press("1")  # the first picture
    expect(page.locator("img[data-shown]").first).to_be_visible()
    assert page.evaluate("() => document.querySelector('img[data-shown]').naturalWidth") > 100
    page.get_by_role("button", name="Open: Frame 2").click()
    expect(page.locator("#said-aloud")).to_contain_text("Frame 2")
    first.look("review-opened")
    _answer(page)
    expect(page.get_by_text("Your answer is taken.")).to_be_visible()
    first.look("review-answered")
    second = visit(world, "second", language="zh", size=PHONE)
    other = second.go(f"/desk/reviews/{reference}")
    _answer(other)
    expect(other.locator(".notice.good")).to_contain_text("核验通过")
    second.look("review-decided")
    with reading(world.platform.engine) as connection:
        decided = store.find_decided_session(connection, reference)
        assert decided is not None
        assert decided.subject is not None
        looks = list_accesses(connection, decided.subject, world.platform.clock.now())
    assert [each.case_reference for each in looks].count(reference) == 2  # one row for each picture


def _answer(page: Page) -> None:
    page.keyboard.press("y")
    page.keyboard.press("u")
    page.locator("#ground").select_option("features_agree")
    page.locator("[data-finding] button").click()


def test_people_are_asked_for_at_once(world: World, visit: Visiting) -> None:
    reference = a_waiting_session(world.platform)
    seen = visit(world, "clerk", size=PHONE)
    page = seen.go(f"/counter/{reference}/other-way")
    page.locator("input[value=assisted]").check()
    page.get_by_role("button", name="Go on this way").click()
    page.wait_for_url(f"**/desk/reviews/{reference}**")
    with reading(world.platform.engine) as connection:
        assert store.get_session(connection, reference).route is Route.ASSISTED


@pytest.mark.parametrize(("language", "size"), EVERY_LOOK[1:3])
def test_the_pages_of_a_referee(world: World, visit: Visiting, language: str, size: tuple[int, int]) -> None:
    reference = a_waiting_session(world.platform)
    seen = visit(world, "clerk", language=language, size=size)
    page = seen.go(f"/counter/{reference}/other-way")
    page.locator("input[value=referee]").check()
    page.locator("form[action$=other-way] button").click()
    page.wait_for_url(f"**/counter/{reference}/referee")
    seen.look("referee")
    page.locator("form[action$=referee] button").click()
    page.wait_for_url("**/document")
    page.goto(f"/desk/reviews/{reference}")
    expect(page.locator("main .notice a")).to_be_visible()
    seen.look("review-before-referee")


@pytest.mark.long  # a whole proof by the real models
def test_who_taps_the_digits_reaches_the_same_level(
    world: World, visit: Visiting, camera: FakeCamera
) -> None:
    sides = {
        name: (f"{name}.jpg", (SPECIMENS / DEMO[f"document_{name}"]).read_bytes(), "image/jpeg")
        for name in ("front", "back")
    }
    with a_shop(world) as shop:
        ordered = shop.order()
        given = shop.http.put(f"/v1/proofing-sessions/{ordered.session}/document", files=sides)
        assert given.status_code == 200, given.text
        link = shop.link(ordered)
    camera.show("face")
    page = visit(world, size=PHONE).go(f"{link}/other-way")
    page.locator("input[value=digits_tapped]").check()
    page.get_by_role("button", name="Go on this way").click()
    page.wait_for_url("**/person**")
    shows_themselves(page, taps=DEMO["digits"])
    is_seen(page, "It is you")
    with reading(world.platform.engine) as connection:
        session = store.get_session(connection, ordered.session)
        decided = store.find_decided_session(connection, ordered.session)
    assert session.route is Route.DIGITS_TAPPED
    assert decided is not None
    policy = world.platform.policy("", world.platform.today())
    assert decided.level == policy.routes[Route.STANDARD].level.value
