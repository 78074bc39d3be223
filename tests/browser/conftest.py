"""A real browser at a running installation; skipped with one line where there is no Chromium.

Fixtures: `world` (SQLite; both databases for tests marked `long`), `each_world` (SQLite and PostgreSQL),
`visit` (a browser context, signed in or not), `camera` (what the fake camera shows next). `look` holds a page
to what every page must be.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.live_world import World, a_world, fake_media
from tests.browser.looking import FakeCamera, Visit
from tests.browser.priorities import comes_first
from tests.databases import ENGINES

CHROMIUM = os.environ.get("SHIMING_CHROMIUM") or shutil.which("chromium") or ""
WITHOUT_CHROMIUM = "no Chromium: install Debian's package `chromium`, or name one by SHIMING_CHROMIUM"
#: Playwright's loop runs on in the process, where tests that start a loop of their own then cannot.
BESIDE_OTHERS = "the browser's tests run in a process of their own: pytest tests/browser"
PAGE_MS_MAX = 90_000  # the first page of a server that needs the tools of proofing loads them
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if item.path.is_relative_to(here)]
    why = WITHOUT_CHROMIUM if not CHROMIUM else BESIDE_OTHERS if len(ours) < len(items) else None
    if why is not None:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], World]]:
    """Installations by kind of database, each started once a run when it is first asked for."""
    running: dict[str, World] = {}
    with ExitStack() as stack:

        def of(kind: str) -> World:
            if kind not in running:
                folder = tmp_path_factory.mktemp(f"world-{kind}")
                running[kind] = stack.enter_context(a_world(kind, folder))
            return running[kind]

        yield of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames and metafunc.definition.get_closest_marker("long"):
        metafunc.parametrize("world", ENGINES, indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, worlds: Callable[[str], World]) -> World:
    """A running installation: on SQLite, and for tests that take long on PostgreSQL as well."""
    return worlds(getattr(request, "param", "sqlite"))


@pytest.fixture(params=ENGINES)
def each_world(request: pytest.FixtureRequest, worlds: Callable[[str], World]) -> World:
    """A running installation, once on SQLite and once on PostgreSQL."""
    return worlds(request.param)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of browsers."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> FakeCamera:
    """What the fake camera and microphone play."""
    return FakeCamera(fake_media(tmp_path_factory.mktemp("media")))


@pytest.fixture(scope="session")
def browser(playwright: Playwright, camera: FakeCamera) -> Iterator[Browser]:
    """Chromium with a camera and a microphone that play the specimen person."""
    found = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_SWITCHES, *camera.switches()])
    comes_first(str(camera.folder))  # a starved camera loses frames
    yield found
    found.close()


@pytest.fixture(scope="session")
def bare_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium on a machine without camera and microphone."""
    found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_SWITCHES[:7]))
    yield found
    found.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a fresh browser context: `visit(world, "clerk", language="zh", size=PHONE)`."""
    with ExitStack() as stack:

        def opened(
            world: World,
            staff: str | None = None,
            *,
            language: str = "en",
            size: tuple[int, int] = (1280, 800),
            permissions: tuple[str, ...] = ("camera", "microphone"),
            on: Browser | None = None,
        ) -> Visit:
            context: BrowserContext = (on or browser).new_context(
                base_url=world.address,
                locale={"zh": "zh-CN", "en": "en-GB"}[language],
                viewport={"width": size[0], "height": size[1]},
                has_touch=size[0] < 600,
                permissions=list(permissions),
            )
            stack.callback(context.close)
            context.set_default_timeout(20_000)
            context.set_default_navigation_timeout(PAGE_MS_MAX)
            if staff is not None:
                found = world.sign_in(staff)
                context.add_cookies(
                    [
                        {"name": "shiming_session", "value": found.token, "url": world.address},
                        {"name": "shiming_csrf", "value": found.csrf_token, "url": world.address},
                    ]
                )
            page: Page = context.new_page()
            return Visit(page, world)

        yield opened
