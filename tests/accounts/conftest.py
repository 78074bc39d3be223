from collections.abc import Iterator
from pathlib import Path

import pytest

from shiming.accounts.model import Client
from shiming.infrastructure.database import open_database
from tests.accounts.account_builders import Desk, a_desk
from tests.databases import a_database


@pytest.fixture
def sqlite_desk(tmp_path: Path) -> Iterator[tuple[Desk, Client, str]]:
    """A desk and a client with its secret, for what does not depend on the engine."""
    with a_database("sqlite", tmp_path / "database") as url:
        engine = open_database(url)
        desk = a_desk(engine)
        yield desk, *desk.client()
        engine.dispose()
