"""The receipt by message in a real browser: whoever has it before their eyes is reached, script or not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.databases import a_database
from tests.entrypoints.pages.counter_world import (
    Counter,
    a_counter,
    customers_code,
    reached,
    told_by_message,
)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    """A counter without cameras and models."""
    with a_database("sqlite", tmp_path / "database") as url, a_counter(tmp_path, url) as found:
        yield found


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_page_before_somebodys_eyes_reaches_them(
    counter: Counter, bare_browser: Browser, *, script: bool
) -> None:
    clerk = counter.staff()
    address = counter.accepted(clerk)
    clerk.post(f"{address}/confirmation", {"code": customers_code(clerk, address)})
    clerk.post(f"{address}/receipt-message")
    line = re.findall(r"REG-[0-9A-Z-]+", clerk.get(f"{address}/receipt").text)[0]
    counter.switched_on(line)
    link, notice = told_by_message(counter, line)
    clerk.get(link)  # a preview
    assert reached(counter, notice) == 0
    with bare_browser.new_context(
        base_url=counter.address, java_script_enabled=script, locale="en"
    ) as context:
        page = context.new_page()
        if script:
            with page.expect_response(f"**{link}/read") as answer:
                page.goto(link)
            assert answer.value.status == 204
            page.reload(wait_until="networkidle")
        else:
            page.goto(link, wait_until="networkidle")
            assert reached(counter, notice) == 0
            with page.expect_download():
                page.get_by_role("link", name="Receipt (PDF)").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert reached(counter, notice) == 1
