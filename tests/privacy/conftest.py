from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.privacy.builders import Vault, a_vault


@pytest.fixture
def vault(tmp_path: Path, database_url: str) -> Iterator[Vault]:
    """A vault with keys and objects in a folder, once on SQLite and once on PostgreSQL."""
    opened = a_vault(tmp_path, database_url)
    yield opened
    opened.engine.dispose()
