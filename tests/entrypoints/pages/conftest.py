"""One installation of each kind for all tests of pages: none spoils what another one reads."""

from collections.abc import Iterator

import pytest

from tests.databases import ENGINES, a_database
from tests.entrypoints.pages.counter_world import Browser, Counter, a_counter
from tests.entrypoints.pages.desk_site import Desk, a_desk_site


@pytest.fixture(scope="session", params=ENGINES)
def counter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """A counter, once on each engine."""
    folder = tmp_path_factory.mktemp(f"counter-{request.param}")
    with a_database(request.param, folder / "database") as url, a_counter(folder, url) as found:
        yield found


@pytest.fixture
def clerk(counter: Counter) -> Browser:
    """A new clerk of the counter's operator."""
    return counter.staff()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The desk of an installation with something in every list."""
    folder = tmp_path_factory.mktemp("desk") / "data"
    with a_desk_site(folder) as found:
        yield found
