"""Pictures of states that a tour reaches only by many proofs: what camera and models would find is put in.

The installation is that of the tests of pages: one operator's counter, and a desk with something in every
list. All else goes through the pages, as clerks and customers would do it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from shiming.accounts.model import Role
from shiming.accounts.use_cases.sessions import SignedIn
from tests.browser.live_world import OPERATOR
from tests.databases import a_database
from tests.entrypoints.pages.counter_world import ONE, TWO, Browser, Counter, a_counter
from tests.entrypoints.pages.desk_builders import DeskWorld, fill
from tools.screenshots_studio import DESKTOP, Studio

_STEP_MS_MAX = 20_000  # no model runs here
OPERATORS = {
    ONE: "示例移动 Example Mobile",
    TWO: "另一移动 Other Mobile",
    OPERATOR: "示例移动 Example Mobile",
}


@dataclass(frozen=True)
class Furnished:
    """The installation, and who looks at its desk."""

    counter: Counter
    desk: DeskWorld
    office: SignedIn
    machine: SignedIn


@contextmanager
def a_furnished_installation(folder: Path) -> Iterator[Furnished]:
    """Serve an installation with something in every list, until the block ends."""
    with pytest.MonkeyPatch.context() as environment, a_database("sqlite", folder / "database") as url:
        environment.setenv("SHIMING_PASSKEY_REQUIRED_ROLES", "none")
        with a_counter(folder, url) as counter:
            platform = counter.platform
            platform.settings = replace(
                platform.settings, operator_names=OPERATORS, public_url=counter.address
            )
            desk = fill(platform)
            roles = (Role.SUPERVISOR, Role.COMPLIANCE_OFFICER, Role.PRIVACY_OFFICER)
            office = desk.staff("office", *roles)
            yield Furnished(counter, desk, office, desk.staff("machine", Role.ADMINISTRATOR, operator=None))


@dataclass(frozen=True)
class Stage:
    """A studio in the furnished installation."""

    studio: Studio
    furnished: Furnished

    @property
    def counter(self) -> Counter:
        """Return the counter."""
        return self.furnished.counter

    def page(self, who: Browser | SignedIn | None = None, *, script: bool = True) -> Page:
        """Return a page of somebody: who was signed in, whose browser it is, or of a stranger."""
        context = self.studio.context(java_script_enabled=script)
        context.set_default_timeout(_STEP_MS_MAX)
        cookies: dict[str, str] = {}
        if isinstance(who, SignedIn):
            cookies = {"shiming_session": who.token, "shiming_csrf": who.csrf_token}
        elif who is not None:
            cookies = {each.name: each.value or "" for each in who.http.cookies.jar}
        context.add_cookies(
            [{"name": name, "value": value, "url": self.studio.url} for name, value in cookies.items()]
        )
        return context.new_page()

    def take(
        self,
        name: str,
        path: str,
        who: Browser | SignedIn | None = None,
        *,
        met_in: tuple[int, int] = DESKTOP,
        press: str = "",
    ) -> None:
        """Picture a page; `press`: what is pressed there first, which leads to a page that has no address."""
        page = self.page(who)

        def comes() -> None:
            page.goto(path)
            if press:
                page.locator(press).first.click()
                page.wait_for_load_state("load")

        self.studio.take(page, name, met_in=met_in, again=comes)
        page.context.close()
