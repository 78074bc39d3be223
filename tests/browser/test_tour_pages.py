"""The tour's own pages in a browser: its places, the photo booth, and the camera that shows specimens."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from playwright.sync_api import expect

from shiming.entrypoints.pages.tour.visit import Visit as TourVisit
from shiming.entrypoints.serve_commands import listen, server_of
from shiming.entrypoints.tour_server import tour_app
from shiming.entrypoints.tour_world import (
    ACCOUNTS,
    SignIn,
    copy_population,
    furnish,
    tour_environment,
    use_environment,
)
from shiming.entrypoints.wiring import platform_from_environment
from tests.browser.live_world import World
from tests.browser.looking import DESKTOP, PHONE, FakeCamera, Visit

Opened = Callable[..., Visit]
_STREAM = """async (wanted) => {
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  const video = document.createElement('video');
  video.srcObject = stream;
  video.muted = true;
  await video.play();
  const found = [video.videoWidth, video.videoHeight, stream.getAudioTracks().length];
  for (const track of stream.getTracks()) track.stop();
  return found;
}"""


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, SignIn]]]:
    """The tour's server in this process, without its peers: its pages need none."""
    folder: Path = tmp_path_factory.mktemp("tour")
    listening = listen("127.0.0.1", 0)
    address = f"http://localhost:{listening.getsockname()[1]}"
    with mock.patch.dict(os.environ):
        use_environment(os.environ, tour_environment(os.environ, folder, address))
        platform = platform_from_environment()
        sign_ins = {each.account.user_name: each for each in furnish(platform)}
        app = tour_app(TourVisit(platform, folder, copy_population(folder), ACCOUNTS), authority=None)
    server = server_of(app, grace=1)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield World(address, folder, {}), sign_ins
    server.should_exit = True
    thread.join(30)
    listening.close()
    platform.engine.dispose()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_tour_and_its_booth_are_as_pages_must_be(
    tour: tuple[World, dict[str, SignIn]], visit: Opened, language: str, size: tuple[int, int]
) -> None:
    seen = visit(tour[0], language=language, size=size)
    seen.go("/tour")
    seen.look("tour")
    seen.go("/tour/your-card")
    seen.look("your-card")


def test_one_link_takes_every_place_and_the_page_then_has_the_tours_camera(
    tour: tuple[World, dict[str, SignIn]], visit: Opened
) -> None:
    world, sign_ins = tour
    seen = visit(world, size=PHONE)
    page = seen.go("/tour#" + "&".join(f"{name}={each.password}" for name, each in sign_ins.items()))
    expect(page).to_have_url(f"{world.address}/tour")  # the passwords are out of the address
    page.locator("#counter button").click()
    expect(page).to_have_url(f"{world.address}/counter")
    expect(page.get_by_role("link", name="Back to the tour")).to_be_visible()
    seen.look("tour-ribbon")
    card = page.evaluate(_STREAM, {"audio": False, "video": {"facingMode": {"ideal": "environment"}}})
    assert card == [1600, 1200, 0]
    person = page.evaluate(_STREAM, {"audio": True, "video": {"facingMode": {"ideal": "user"}}})
    assert person == [640, 480, 1]


@pytest.mark.models
def test_a_visitor_becomes_a_card_and_is_deleted_again(
    tour: tuple[World, dict[str, SignIn]], visit: Opened, camera: FakeCamera
) -> None:
    world, _ = tour
    camera.show("face")
    seen = visit(world, size=PHONE)
    page = seen.go("/tour/your-card")
    page.get_by_role("button", name="Open the camera").click()
    page.get_by_role("button", name="Take the picture").click()
    picture = page.get_by_role("img", name="A specimen card with your portrait")
    expect(picture).to_be_visible(timeout=60_000)
    seen.look("your-card-made")
    assert (world.folder / "population" / "visitor.jpg").is_file()
    page.get_by_role("button", name="Delete my picture now").click()
    expect(page.get_by_text("Your picture is deleted.")).to_be_visible()
    assert not (world.folder / "population" / "visitor.jpg").exists()
    assert not (world.folder / "visitor-front.jpg").exists()
