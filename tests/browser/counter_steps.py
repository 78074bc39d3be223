"""What clerks and their customers do in tests: open an order, agree, confirm, up to the receipt."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.home_steps import is_seen
from tests.browser.live_world import drawn_anew
from tests.browser.looking import PHONE, FakeCamera, Visit
from tests.registrations.stock_builders import an_iccid

MS = 120_000  # models and network on a busy machine


def opens(page: Page, camera: FakeCamera | None = None) -> str:
    """Open a journey with what is preset, and a card; return its address.

    `camera`: the number of the card is read off its barcode, else it is typed.
    """
    iccid = an_iccid(drawn_anew())
    if camera is None:
        page.locator("#iccid").fill(iccid)
    else:
        camera.show_card(iccid)
        page.get_by_role("button", name="Scan the barcode of the card").click()
        expect(page.locator("#iccid")).to_have_value(iccid, timeout=MS)
    page.locator("#opening button.primary").click()
    page.wait_for_url("**/document", timeout=MS)
    return page.url.removesuffix("/document")


def customer_confirms(seen: Visit, visit: Callable[..., Visit], *, reads_back: bool) -> None:
    """Let the customer open the link of the QR code on their own phone, and say yes in one of two ways."""
    page = seen.page
    token = next(each["value"] for each in page.context.cookies() if each["name"] == "shiming_counter_link")
    phone = visit(seen.world, size=PHONE).go(f"/v1/confirmations/{token}")
    if reads_back:
        code = re.search(r"\b\d{6}\b", phone.locator("body").inner_text())
        assert code
        page.locator("#code").fill(code[0])
        page.locator("form[action$='/confirmation'] button").click()
        return
    phone.locator("form[action$='/yes'] button").first.click()
    page.locator("#confirmation-state form button").click(timeout=MS)


def goes_on_to_the_receipt(
    seen: Visit, visit: Callable[..., Visit], *, reads_back: bool, pictures: str = ""
) -> None:
    """Agree to the contract, confirm the line, and wait until it works; `pictures`: keep one of each page."""
    page = seen.page
    page.wait_for_url("**/contract", timeout=MS)
    for consent in page.locator("main input[type=checkbox]").all():
        consent.check()
    seen.look(pictures and f"{pictures}-contract")
    page.locator("main form[action$='/contract'] button").click()
    is_seen(page, "The customer's yes")
    seen.look(pictures and f"{pictures}-confirmation")
    customer_confirms(seen, visit, reads_back=reads_back)
    page.wait_for_url("**/receipt", timeout=MS)
    is_seen(page, "The line works")
    seen.look(pictures and f"{pictures}-receipt")
