import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import open_database
from tests.databases import ENGINES, a_database
from tests.log_watch import LogWatch

WATCH = LogWatch()
# `make test` looks at fewer examples a property; `make test-long` looks at many (HYPOTHESIS_EXAMPLES=200)
settings.register_profile("ours", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "40")))
settings.load_profile("ours")


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


@pytest.fixture(autouse=True)
def no_person_is_logged() -> Iterator[None]:
    """Fail a test during which a specimen's identity number or name went into a log."""
    WATCH.hits.clear()
    loggers = [logging.getLogger(), logging.getLogger("shiming")]
    for logger in loggers:
        logger.addHandler(WATCH)
    yield
    for logger in loggers:
        logger.removeHandler(WATCH)
    assert not WATCH.hits
