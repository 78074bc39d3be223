from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database
from tests.databases import ENGINES, a_database


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with all tables, once on SQLite and once on PostgreSQL."""
    with a_database(request.param, tmp_path / "database") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An open engine on `database_url`."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
