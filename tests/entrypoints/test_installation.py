from pathlib import Path

import pytest

from shiming.entrypoints.database_schema import MIGRATIONS
from shiming.entrypoints.jobs_of_features import SCHEDULES, worker_of
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.database import open_database, unit_of_work
from shiming.infrastructure.settings import Settings
from shiming.privacy.model import EvidenceKind, Purpose, RetentionClass
from shiming.privacy.use_cases.vault import put_evidence
from shiming.vocabulary.errors import Unavailable
from tests.databases import a_postgresql_database
from tests.privacy.builders import NOW, a_retention_policy


def a_platform(folder: Path, **environment: str) -> Platform:
    return Platform(Settings.from_environment({"SHIMING_DATA": str(folder), **environment}))


def keep_something(platform: Platform) -> None:
    with unit_of_work(platform.engine) as connection:
        put_evidence(
            platform.privacy,
            connection,
            subject="p1.someone",
            case_reference="SES-1",
            kind=EvidenceKind.DOCUMENT_FRONT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.DOCUMENT_IMAGES,
            content=b"a picture",
            retention=a_retention_policy(),
            now=NOW,
        )


def test_programs_do_not_start_with_keys_that_open_nothing(tmp_path: Path) -> None:
    first = a_platform(tmp_path / "first")
    keep_something(first)
    first.require_keys()
    first.engine.dispose()
    keys = first.settings.key_file
    keys.write_text(keys.read_text().replace('"kek1"', '"kek7"'))
    second = a_platform(tmp_path / "first")
    with pytest.raises(Unavailable) as refused:
        worker_of(second)
    assert refused.value.code == "KEY_UNKNOWN"
    second.engine.dispose()


@pytest.mark.parametrize("on_postgresql", [True, False])
def test_lost_keys_are_missed_and_never_replaced(tmp_path: Path, on_postgresql: bool) -> None:
    with a_postgresql_database() as url:
        environment = {"SHIMING_DATABASE_URL": url} if on_postgresql else {}
        first = a_platform(tmp_path / "first", **environment)
        if on_postgresql:
            engine = open_database(url)
            MIGRATIONS.create(engine)
            engine.dispose()
        else:
            first.engine.dispose()
        first.settings.key_file.unlink(missing_ok=True)
        with pytest.raises(Unavailable) as refused:
            _ = a_platform(tmp_path / "first", **environment).keys
        assert refused.value.code == "KEY_FILE_MISSING"
        assert not first.settings.key_file.exists()


def test_every_schedule_has_its_job(tmp_path: Path) -> None:
    platform = a_platform(tmp_path / "data")
    handlers = worker_of(platform).handlers
    assert {schedule.kind for schedule in SCHEDULES} <= set(handlers)
    platform.engine.dispose()
