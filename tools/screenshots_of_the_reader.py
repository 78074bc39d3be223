"""Pictures of the card reader beside the document step: an emulated one, and the program that serves it."""

from datetime import datetime
from pathlib import Path

from shiming.entrypoints.demo_counter import fill_pool, publish_terms
from tests.browser.card_reader import a_reader_program
from tests.browser.live_world import OPERATOR, World
from tools.screenshots_furnished import Stage

_FIRST = "+8613500130000"  # a pool of its own
_CARDS_APART = 100  # the first cards are in the stock of another operator


def walk_reader(stage: Stage) -> None:
    """Picture the reader before and after a card was read."""
    counter = stage.counter
    platform = counter.platform
    counter.clock.at = datetime.now().astimezone()  # the program signs by the clock of the machine
    with platform.begin() as connection:
        fill_pool(platform, connection, OPERATOR, _FIRST)
        publish_terms(platform, connection, OPERATOR)
    world = World(counter.address, Path(platform.settings.data_folder), {})
    world.__dict__["platform"] = platform
    counter.people += _CARDS_APART
    clerk = counter.staff(OPERATOR)
    page = stage.page(clerk)
    with a_reader_program(world):
        address = f"{counter.opened(clerk)}/document"

        def comes() -> None:
            page.goto(address)
            page.locator("[data-reader]").wait_for()

        stage.studio.take(page, "reader", again=comes, at="[data-reader]")
        page.locator("[data-reader-ask]").click()
        page.locator("[data-reader][data-done=yes]").wait_for()
        stage.studio.take(page, "reader-read", again=comes, at="[data-reader]")
    page.context.close()
