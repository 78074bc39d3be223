"""Pages of proxies, companies and actual users in a browser: what every page must be, and the way through."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from stdnum.cn import uscc

from tests.browser.counter_steps import MS, goes_on_to_the_receipt, opens
from tests.browser.home_steps import Shop, a_shop, is_seen, prove
from tests.browser.invented_people import is_born, papers_of
from tests.browser.live_world import DEMO, SPECIMENS, World, drawn_anew
from tests.browser.looking import DESKTOP, PHONE, Visit
from tests.registrations.stock_builders import an_iccid

Visiting = Callable[..., Visit]
SIZES = [("zh", PHONE), ("en", DESKTOP)]


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """Somebody else of staff who talks to the API: signing an account in again ends its session."""
    with a_shop(world, "supervisor") as found:
        yield found


def a_code(number: int) -> str:
    """Return a code of the public register that nobody else uses in this run."""
    body = f"91330106{number:09d}"
    return body + str(uscc.calc_check_digit(body))


def keeps(page: Page, field: str, file: Path) -> None:
    """Choose a file and send its form; the page comes again."""
    form = page.locator("form", has=page.locator(field))
    page.locator(field).set_input_files(file)
    with page.expect_navigation():
        form.locator("button").click()


@pytest.mark.models
@pytest.mark.long
@pytest.mark.parametrize(("language", "size"), SIZES)
def test_a_company_from_its_code_to_the_links_of_its_users(
    world: World, shop: Shop, visit: Visiting, language: str, size: tuple[int, int]
) -> None:
    seen = visit(world, "clerk", language=language, size=size)
    page = seen.go("/company")
    page.locator("#code").fill(a_code(drawn_anew()))
    page.locator("#name").fill("杭州示例有限公司")
    page.locator("form[action='/company'] button").click()
    expect(page.locator("h1")).to_have_text("杭州示例有限公司")
    seen.look("company-new")
    company = re.sub(r"^https?://[^/]+", "", page.url)
    picture = SPECIMENS / DEMO["document_front"]
    keeps(page, "#licence-image", picture)
    page.locator("#legal-name").fill("王小明")
    seen.follow(page.locator("form:has(#legal-name) button"))
    made = shop.http.post(f"{company}/people/handler", headers={"accept": "text/html"})
    handler = made.headers["location"]
    prove(shop.http, f"/v1/proofing-sessions/{handler.rsplit('/', 1)[1]}")
    page.goto(handler)
    is_seen(page, "核验通过" if language == "zh" else "Proven")
    seen.look("company-handler")
    page.locator("form .primary").click()
    page.wait_for_url(f"**{company}")
    today = date.today()  # noqa: DTZ011 - as the platform's own day
    page.locator("#begins").fill(str(today - timedelta(days=1)))
    page.locator("#until").fill(str(today + timedelta(days=90)))
    keeps(page, "#attorney-image", picture)
    page.locator("#responsible-name").fill("李小红")
    page.locator("form:has(#responsible-name) button").click()
    expect(page.locator(".tag.attention")).to_have_count(0)
    seen.look("company")
    page.locator("#lines").fill("5")
    page.locator("input[name=agree]").check()
    page.locator("form:has(#lines) .primary").click()
    page.wait_for_url("**/company/contracts/**")
    page.locator("#lines").fill("5")
    page.locator("form:has(#lines) button").click()
    link = page.locator("svg.qr").get_attribute("aria-label") or ""
    seen.look("company-count")
    shown = shop.http.get(re.sub(r"^https?://[^/]+", "", link), headers={"accept": "application/json"})
    page.locator("#code").fill(shown.json()["code"])
    page.locator("form:has(#code) .primary").click()
    lines_come_in(seen)


def lines_come_in(seen: Visit) -> None:
    """Bring a table in, of which one line is good; save what was passed over; show the link of its user."""
    page, mine = seen.page, drawn_anew()
    rows = (
        "number,kind,product,user,iccid",
        f"+8613800138{mine},mobile,voice,A1,{an_iccid(mine)}",
        "+861,mobile,voice,A2,",
        "+8613900138702,mobile,voice,A3,",
    )
    page.locator("#table-file").set_input_files(
        {"name": "lines.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    page.locator("form:has(#table-file) button").click()
    expect(page.locator("#passed-over tbody tr")).to_have_count(2)
    seen.look("company-report")
    with page.expect_download() as download:
        page.locator("[data-download-table]").click()
    passed_over = download.value.path().read_text("utf-8")
    assert re.search(r'^"3","number",".+","MSISDN_FORMAT"', passed_over, re.MULTILINE)
    assert re.search(r'^"4","number",".+","NUMBER_OUTSIDE_POOL"', passed_over, re.MULTILINE)
    page.locator("#report a.primary").click()
    expect(page.locator("table .tag.attention")).to_have_count(1)  # it waits for its user
    page.locator("button[name=form][value=page]").click()
    expect(page.locator(".link-cards svg.qr")).to_have_count(1)
    seen.look("company-links")


@pytest.mark.models
@pytest.mark.long
def test_a_proxy_at_the_counter(world: World, shop: Shop, visit: Visiting) -> None:
    ordered = shop.order(channel="shop")
    prove(shop.http, f"/v1/proofing-sessions/{ordered.session}")
    shop.http.post(f"/v1/proofing-sessions/{ordered.session}/decision")
    seen = visit(world, "clerk", size=PHONE)
    page = seen.go(f"/counter/{ordered.session}/representative")
    seen.look("proxy")
    page.locator("form[action$='/representative'] button").click()
    page.wait_for_url("**/document")
    second = page.url.removesuffix("/document")
    prove(shop.http, f"/v1/proofing-sessions/{second.rsplit('/', 1)[1]}")
    page.goto(second)
    is_seen(page, "The proxy is proven")
    page.locator("[data-do=open]").click()
    page.locator("[data-do=shoot]").click()
    seen.look("proxy-paper")
    page.locator("[data-do=send]").click()
    # the specimen person acts for themselves here: the rules say so, in words for clerk and customer
    expect(page.locator(".notice.bad")).to_contain_text("same person", timeout=30_000)
    seen.look("proxy-refused")


@pytest.mark.models
@pytest.mark.long
def test_a_proxy_acts_for_somebody_else_up_to_the_receipt(world: World, shop: Shop, visit: Visiting) -> None:
    shop.http.timeout = MS / 1000
    papers = papers_of("何明珠", 41, world.platform.today())
    is_born(world, papers)
    seen = visit(world, "clerk", language="en", size=DESKTOP)
    page = seen.go("/counter")
    page.locator("select[name=holder]").select_option("proxy")
    page.wait_for_url("**holder=proxy**", wait_until="load")
    address = opens(page)
    prove(shop.http, f"/v1/proofing-sessions/{address.rpartition('/')[2]}", (papers.front, papers.back))
    page.goto(address)  # asks the authority by itself
    is_seen(page, "Proven: the person is the holder of the document")
    page.get_by_role("link", name="Go on with the proxy").click()
    page.locator("form[action$='/representative'] button").click()
    page.wait_for_url("**/document")
    second = page.url.removesuffix("/document")
    prove(shop.http, f"/v1/proofing-sessions/{second.rsplit('/', 1)[1]}")
    page.goto(second)
    is_seen(page, "The proxy is proven")
    page.locator("[data-file]").set_input_files(
        SPECIMENS / DEMO["document_back"]
    )  # any paper: people look at it
    page.locator("[data-do=send]").click()
    goes_on_to_the_receipt(seen, visit, reads_back=False, pictures="proxy")
