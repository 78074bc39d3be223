from pathlib import Path

import pytest

from tests.databases import ENGINES, a_postgresql_database
from tests.entrypoints.crash_findings import examine
from tests.entrypoints.crash_site import calamity

KILLS = 10  # benchmarks/crash_proof.py kills for as long as one likes
SEED = 20260501


@pytest.mark.parametrize("kind", ENGINES)
def test_nothing_is_lost_or_doubled_when_programs_are_killed(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        with calamity(tmp_path, None, kills=KILLS, seed=SEED) as found:
            counted = examine(found)
    else:
        with a_postgresql_database() as url, calamity(tmp_path, url, kills=KILLS, seed=SEED) as found:
            counted = examine(found)
    assert sum(found.kills.values()) == KILLS
    assert min(counted["acknowledged"], counted["refused"]) > 0
    assert counted["acknowledged"] > 50
