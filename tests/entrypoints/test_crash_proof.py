from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from tests.databases import a_postgresql_database
from tests.entrypoints import crash_findings
from tests.entrypoints.crash_findings import COUNTERS, EVIDENCE, examine
from tests.entrypoints.crash_programs import Nursery
from tests.entrypoints.crash_site import Aftermath, calamity

KILLS = 6  # benchmarks/crash_proof.py kills for as long as one likes
SEED = 20260501


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    opened = Nursery(preloaded=True)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def test_nothing_is_lost_or_doubled_when_programs_are_killed(
    kind: str, nursery: Nursery, tmp_path: Path
) -> None:
    if kind == "sqlite":
        with calamity(nursery, tmp_path, None, kills=KILLS, seed=SEED) as found:
            counted = examine(found)
    else:
        with (
            a_postgresql_database() as url,
            calamity(nursery, tmp_path, url, kills=KILLS, seed=SEED) as found,
        ):
            counted = examine(found)
            the_examination_sees_damage(found)
    assert sum(found.kills.values()) == KILLS
    assert counted["acknowledged"] >= 20
    assert counted["refused"] >= 5


def the_examination_sees_damage(found: Aftermath) -> None:
    """What the test above promises could be seen to be broken."""
    engine, lost = found.platform.engine, found.registered[0]
    with reading(engine) as connection:
        twice = replace(found, registered=[*found.registered, replace(lost, session="SES-never-registered")])
        with pytest.raises(AssertionError):
            crash_findings.every_acknowledged_registration_is_there_once(connection, twice)
        with pytest.raises(AssertionError):
            crash_findings.everything_kept_is_there(connection, replace(found, kept={"SES-never-kept": 1}))
        evidence = connection.execute(sa.select(EVIDENCE.c.evidence_id).limit(1)).scalar_one()
    with unit_of_work(engine) as connection:
        connection.execute(COUNTERS.update().values(active=COUNTERS.c.active - 1))
        with pytest.raises(AssertionError):
            crash_findings.caps_are_exact(connection)
        connection.rollback()
    found.platform.privacy.objects.remove(evidence)
    with pytest.raises(AssertionError):
        crash_findings.no_evidence_without_its_object_and_no_object_without_its_row(found)
