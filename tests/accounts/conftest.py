from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shiming.accounts.model import Client
from shiming.infrastructure.database import open_database
from tests.accounts.account_builders import Desk, a_desk
from tests.databases import a_database


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """A database for what does not depend on the engine."""
    with a_database("sqlite", tmp_path / "database") as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


@pytest.fixture
def sqlite_desk(sqlite_engine: Engine) -> tuple[Desk, Client, str]:
    """A desk and a client with its secret."""
    desk = a_desk(sqlite_engine)
    return desk, *desk.client()
