"""The staff desk in a browser: every page at both sizes and in both languages, keys, tables, the ledger."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from shiming.accounts.model import Role
from shiming.accounts.use_cases.sessions import SignedIn
from tests.browser.live_world import World
from tests.browser.looking import DESKTOP, PHONE, Visit
from tests.entrypoints.pages.desk_builders import SUBJECT, DeskWorld, fill

Sight = Callable[..., Visit]
#: Lists and forms that are made like one that is looked at each time; the long tests look at them too.
ALIKE = {
    "reviews",
    "disputes",
    "cases",
    "service-orders",
    "drift",
    "lines",
    "webhooks",
    "accounts",
    "clients",
    "client-new",
}
#: Pages by who sees them; the name is that of the picture.
OFFICE = {
    "desk": "/desk",
    "companies": "/desk/companies",
    "company": "/desk/companies/{company}",
    "reviews": "/desk/registration-reviews",
    "review": "/desk/registration-reviews/{review}",
    "lines": "/desk/lines",
    "line": "/desk/lines/{line}",
    "disputes": "/desk/repudiations",
    "dispute": "/desk/repudiations/{dispute}",
    "cases": "/desk/transfers",
    "case": "/desk/transfers/{case}",
    "service-orders": "/desk/service-orders",
    "drift": "/desk/drift",
    "numbers": "/desk/numbers",
    "sims": "/desk/sims",
    "access-log": f"/desk/access-log?subject={SUBJECT}",
    "ledger": "/desk/ledger?leaf=nonsense",
}
MACHINE = {
    "jobs": "/desk/jobs",
    "job": "/desk/jobs/{job}",
    "webhooks": "/desk/webhooks",
    "webhook": "/desk/webhooks/{webhook}",
    "accounts": "/desk/accounts",
    "account": "/desk/accounts/{account}",
    "account-new": "/desk/accounts/new",
    "clients": "/desk/clients",
    "client-new": "/desk/clients/new",
    "packs": "/desk/packs",
    "pack": "/desk/packs/cn?section=3",
    "scenarios": "/desk/packs/pk/scenarios",
    "rule-differences": "/desk/packs/-/differences?before=cn&after=pk&section=2",
}


@pytest.fixture(scope="session")
def furnished(worlds: Callable[[str], World]) -> tuple[DeskWorld, dict[str, SignedIn]]:
    """The installation with something in every list, and who looks at it."""
    desk = fill(worlds("sqlite").platform)
    office = desk.staff("office", Role.SUPERVISOR, Role.COMPLIANCE_OFFICER, Role.PRIVACY_OFFICER)
    machine = desk.staff("machine", Role.ADMINISTRATOR, operator=None)
    return desk, {"office": office, "machine": machine}


@pytest.fixture
def sight(
    furnished: tuple[DeskWorld, dict[str, SignedIn]],
    worlds: Callable[[str], World],
    visit: Callable[..., Visit],
) -> Sight:
    """Open a browser as somebody: `sight("office", language="zh", size=PHONE)`."""
    world = worlds("sqlite")

    def opened(who: str, *, language: str = "en", size: tuple[int, int] = DESKTOP) -> Visit:
        seen = visit(world, language=language, size=size)
        session = furnished[1][who]
        seen.page.context.add_cookies(
            [
                {"name": "shiming_session", "value": session.token, "url": world.address},
                {"name": "shiming_csrf", "value": session.csrf_token, "url": world.address},
            ]
        )
        return seen

    return opened


def without_alike(pages: dict[str, str]) -> dict[str, str]:
    return {name: path for name, path in pages.items() if name not in ALIKE}


def walk(seen: Visit, pages: dict[str, str], furnished: tuple[DeskWorld, dict[str, SignedIn]]) -> None:
    desk, staff = furnished
    names = {
        "company": desk.companies[0],
        "review": desk.review,
        "line": desk.lines[1],
        "dispute": desk.dispute,
        "case": desk.case,
        "job": desk.job,
        "webhook": desk.webhook,
        "account": staff["office"].account.reference,
    }
    for name, path in pages.items():
        seen.go(path.format(**names))
        seen.look(f"desk-{name}")


def test_the_pages_of_the_office_fit_a_telephone_in_chinese(
    sight: Sight, furnished: tuple[DeskWorld, dict[str, SignedIn]]
) -> None:
    walk(sight("office", language="zh", size=PHONE), without_alike(OFFICE), furnished)


def test_the_pages_of_the_machine_fit_a_telephone_in_chinese(
    sight: Sight, furnished: tuple[DeskWorld, dict[str, SignedIn]]
) -> None:
    walk(sight("machine", language="zh", size=PHONE), without_alike(MACHINE), furnished)


@pytest.mark.long
@pytest.mark.parametrize(("who", "pages"), [("office", OFFICE), ("machine", MACHINE)])
@pytest.mark.parametrize(
    ("language", "size"), [("en", DESKTOP), ("zh", DESKTOP), ("en", PHONE), ("zh", PHONE)]
)
def test_every_page_in_each_language_and_size(  # noqa: PLR0917 - two pairs and two fixtures
    who: str,
    pages: dict[str, str],
    language: str,
    size: tuple[int, int],
    sight: Sight,
    furnished: tuple[DeskWorld, dict[str, SignedIn]],
) -> None:
    walk(sight(who, language=language, size=size), pages, furnished)


def test_keys_lead_through_the_desk_and_can_be_switched_off(sight: Sight) -> None:
    seen = sight("office")
    page = seen.go("/desk")
    page.keyboard.press("?")
    expect(page.locator("#desk-keys")).to_be_visible()
    seen.look("desk-keys")
    page.keyboard.press("Escape")
    expect(page.locator("#desk-keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.locator("h1")).to_have_text("Number pool")
    page.wait_for_load_state("load")  # the heading is there before the keys are
    page.keyboard.press("/")
    expect(page.locator("#number-blocks-q")).to_be_focused()
    page.keyboard.type("jjj")
    expect(page.locator("#number-blocks-q")).to_have_value("jjj")
    page.goto("/desk/companies")
    page.keyboard.press("j")
    expect(page.locator(".datatable tbody a").first).to_be_focused()
    page.keyboard.press("?")
    page.locator("[data-keys-switch]").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.locator("#desk-keys")).to_be_hidden()
    expect(page.locator("h1")).to_have_text("Companies")


def test_a_table_is_sorted_and_filtered_in_place_and_says_how_many_are_left(sight: Sight) -> None:
    seen = sight("office")
    page = seen.go("/desk/numbers")
    page.get_by_role("link", name="Numbers", exact=False).and_(page.locator("th a")).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Numbers")
    assert "sort=size" in page.url
    page.locator("#number-blocks-use").select_option("kept")
    expect(page.locator(".datatable-count")).to_have_text("1 to 1 of 1")
    expect(page.locator("#said-aloud")).to_have_text("1 to 1 of 1")
    with page.expect_download() as found:
        page.get_by_role("link", name="Download as CSV").click()
    assert found.value.suggested_filename == "number-blocks.csv"
    seen.look()
    page.go_back()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Numbers")
    expect(page.locator("header.top")).to_be_visible()
    expect(page.locator("#number-blocks-use")).to_have_value("")


def test_the_ledger_is_verified_while_one_watches(sight: Sight) -> None:
    seen = sight("office")
    page = seen.go("/desk/ledger")
    page.get_by_role("button", name="Verify the ledger").click()
    expect(page.locator("[data-result]")).to_contain_text("The ledger is whole.")
    expect(page.locator("[data-result]")).to_be_focused()
    expect(page.get_by_role("button", name="Verify the ledger")).to_be_enabled()
    assert page.locator(".chain-block").count() >= 3
    seen.look("desk-ledger-verified")


def test_a_table_of_ranges_comes_in_as_a_file(sight: Sight) -> None:
    seen = sight("office")
    page = seen.go("/desk/numbers")
    rows = b"operator,first,last,kind,excluded\ncn-one,+861379000xxxx,,mobile,\ncn-one,nonsense,,mobile,\n"
    page.locator("#table-file").set_input_files(
        {"name": "ranges.csv", "mimeType": "text/csv", "buffer": rows}
    )
    page.get_by_role("button", name="Bring the file in").click()
    expect(page.locator(".datatable#bad-rows")).to_contain_text("A range is two E.164 numbers")
    assert page.locator("#bad-rows th a").count() == 0, "the answer to a form has no address to sort at"
    seen.look("desk-import")
    page.locator("#number-blocks th a").first.click()
    expect(page.locator("#bad-rows")).to_be_visible()
    expect(page.locator("#number-blocks th[aria-sort=descending]")).to_be_visible()
