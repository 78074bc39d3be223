import json
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.migrations import find_revision
from shiming.infrastructure.outbox import Event, emit, outbox
from shiming.privacy.model import EvidenceContent, EvidenceErased, LedgerVerified
from shiming.privacy.store.ledger import ledger_lanes, ledger_leaves
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.vocabulary.errors import ShimingError
from tests.databases import ENGINES
from tests.entrypoints.database_desk import NOW, Desk, a_desk


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(kind: str, tmp_path: Path) -> Iterator[Desk]:
    with a_desk(kind, tmp_path / "first") as made:
        assert made.run("init").exit_code == 0
        yield made


def refusal(desk: Desk, *arguments: str, programs: Path | None = None) -> str:
    result = desk.run(*arguments, programs=programs) if programs else desk.run(*arguments)
    assert isinstance(result.exception, ShimingError), result.output
    assert result.exception.text.zh
    return result.exception.code


def backed_up(desk: Desk, file: Path) -> dict[str, object]:
    result = desk.run("backup", str(file), "--json")
    assert result.exit_code == 0, result.exception
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_what_was_erased_after_the_backup_stays_erased(desk: Desk, kind: str, tmp_path: Path) -> None:
    erased, kept = desk.keep(), None
    with unit_of_work(desk.engine) as connection:
        record(connection, desk.installation.privacy.keys, kind="a.leaf", facts={}, now=NOW)
    desk.seal()
    file = tmp_path / "backup.shiming"
    backed_up(desk, file)
    objects = tmp_path / "copy of the objects"
    shutil.copytree(desk.installation.settings.objects_folder, objects)
    assert isinstance(desk.read(erased.evidence_id), EvidenceContent)
    desk.erase(erased.evidence_id)

    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        shutil.copytree(objects, second.installation.settings.objects_folder)
        result = second.run("restore", str(file), "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        said = json.loads(result.stdout)
        assert (said["keys_destroyed_again"], said["ledger_verified"]) == (1, True)
        assert isinstance(second.read(erased.evidence_id), EvidenceErased)
        assert second.run("check").exit_code == 0
        kept = second.keep()  # and life goes on: new leaves, new lanes, new keys
        assert isinstance(second.read(kept.evidence_id), EvidenceContent)
        second.seal()
        found = verify_ledger(
            second.engine, second.installation.privacy.keys, second.installation.ledger_keys
        )
        assert isinstance(found, LedgerVerified), found
        assert found.leaves > 4


def test_without_the_tombstones_it_would_be_readable_so_they_are_asked_for(
    desk: Desk, kind: str, tmp_path: Path
) -> None:
    """The negative control: what makes the test above pass is the file of destroyed keys."""
    erased = desk.keep()
    file = tmp_path / "backup.shiming"
    backed_up(desk, file)
    objects = tmp_path / "copy of the objects"
    shutil.copytree(desk.installation.settings.objects_folder, objects)
    desk.erase(erased.evidence_id)
    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        shutil.copytree(objects, second.installation.settings.objects_folder)
        second.installation.privacy.tombstones.path.unlink()
        assert refusal(second, "restore", str(file)) == "TOMBSTONES_MISSING"
        assert second.run("restore", str(file), "--without-tombstones").exit_code == 0
        assert isinstance(second.read(erased.evidence_id), EvidenceContent)


def test_a_backup_is_of_one_moment_while_others_write(desk: Desk, kind: str, tmp_path: Path) -> None:
    keys, stop, written = desk.installation.privacy.keys, threading.Event(), list[int]()

    def write() -> None:
        """Each transaction adds an event and a leaf: a copy of one moment holds as many of both."""
        while not stop.is_set():
            with unit_of_work(desk.engine) as connection:
                emit(connection, Event("line.tested", "REG-1", "cn-mobile", NOW))
                record(connection, keys, kind="a.leaf", facts={"padding": "x" * 150}, now=NOW)
            written.append(1)

    def wait_for(count: int) -> None:
        while len(written) < count:
            assert writer.is_alive()
            stop.wait(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(200)
        before = len(written)
        backed_up(desk, tmp_path / "backup.shiming")
        after = len(written)
        wait_for(after + 5)
    finally:
        stop.set()
        writer.join(30)
    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        assert second.run("restore", str(tmp_path / "backup.shiming"), "--json").exit_code == 0
        with reading(second.engine) as connection:
            events = connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()
            leaf = ledger_leaves.c.leaf.contains('"kind":"a.leaf"')
            leaves = connection.execute(sa.select(sa.func.count()).where(leaf)).scalar_one()
    assert events == leaves
    assert before <= events <= after


def test_a_restored_server_goes_on_counting(desk: Desk, kind: str, tmp_path: Path) -> None:
    desk.keep()
    backed_up(desk, tmp_path / "backup.shiming")
    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        assert second.run("restore", str(tmp_path / "backup.shiming")).exit_code == 0
        with unit_of_work(second.engine) as connection:
            before = connection.execute(sa.select(sa.func.max(ledger_lanes.c.lane))).scalar_one()
            new = ledger_lanes.insert().values(sequence=0, mac="", key_id="").returning(ledger_lanes.c.lane)
            assert connection.execute(new).scalar_one() > before
            connection.rollback()


def test_the_ledger_knows_of_every_backup_and_restore(desk: Desk, kind: str, tmp_path: Path) -> None:
    said = backed_up(desk, tmp_path / "one.shiming")
    backed_up(desk, tmp_path / "two.shiming")
    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        second.run("restore", str(tmp_path / "two.shiming"))
        with reading(second.engine) as connection:
            query = sa.select(ledger_leaves.c.leaf).order_by(ledger_leaves.c.lane, ledger_leaves.c.sequence)
            leaves = [json.loads(leaf) for leaf in connection.execute(query).scalars()]
    assert [leaf["kind"] for leaf in leaves] == ["database.backed_up", "database.restored"]
    assert leaves[0]["facts"]["backup"] == f"sha256:{said['sha256']}"


def test_a_backup_is_private_says_what_it_is_and_is_never_overwritten(desk: Desk, tmp_path: Path) -> None:
    desk.keep()
    desk.seal()
    file = tmp_path / "backup.shiming"
    backed_up(desk, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.shiming", "first"]
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        content = archive.read("database")
    assert manifest["checkpoint"].startswith("example.org/shiming\n")
    assert manifest["taken_at"] == NOW.isoformat()
    for secret in ("张三", "11010519491231002X", "朝阳"):
        assert secret.encode() not in content
    before = file.read_bytes()
    assert refusal(desk, "backup", str(file)) == "BACKUP_EXISTS"
    assert file.read_bytes() == before


def test_a_backup_is_not_restored_over_data(desk: Desk, tmp_path: Path) -> None:
    backed_up(desk, tmp_path / "backup.shiming")
    assert refusal(desk, "restore", str(tmp_path / "backup.shiming")) == "DATABASE_NOT_EMPTY"


def test_a_backup_of_the_other_engine_is_refused(desk: Desk, kind: str, tmp_path: Path) -> None:
    backed_up(desk, tmp_path / "backup.shiming")
    other = "sqlite" if kind == "postgresql" else "postgresql"
    with a_desk(other, tmp_path / "second", keys_of=desk) as second:
        assert refusal(second, "restore", str(tmp_path / "backup.shiming")) == "BACKUP_OF_OTHER_ENGINE"
        assert find_revision(second.engine) is None


def test_a_store_without_the_keys_of_the_backup_is_refused(desk: Desk, kind: str, tmp_path: Path) -> None:
    backed_up(desk, tmp_path / "backup.shiming")
    with a_desk(kind, tmp_path / "second") as second:
        assert refusal(second, "restore", str(tmp_path / "backup.shiming")) == "KEY_FILE_MISSING"
        assert find_revision(second.engine) is None


DAMAGES = ["a stretch", "cut off", "noise", "nothing", "newer", "other hash"]


@pytest.mark.parametrize(
    ("kind", "damage"),
    [*(("sqlite", damage) for damage in DAMAGES), *(("postgresql", damage) for damage in DAMAGES[::5])],
)
def test_a_damaged_backup_changes_nothing(desk: Desk, kind: str, damage: str, tmp_path: Path) -> None:
    desk.keep()
    file, code = tmp_path / "backup.shiming", "BACKUP_DAMAGED"
    backed_up(desk, file)
    content = bytearray(file.read_bytes())
    if damage == "a stretch":  # one flipped bit may unpack to the same bytes: in a run of zeros, say
        middle = len(content) // 2
        content[middle : middle + 64] = bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
    elif damage == "cut off":
        del content[len(content) // 2 :]
    elif damage == "noise":
        content = bytearray(b"this is no backup")
    elif damage == "nothing":
        content.clear()
    file.write_bytes(content)
    if damage in {"newer", "other hash"}:
        code = "BACKUP_NEWER" if damage == "newer" else code
        with zipfile.ZipFile(file) as archive:
            manifest, database = json.loads(archive.read("manifest.json")), archive.read("database")
        manifest |= {"revision": "9999"} if damage == "newer" else {"sha256": "0" * 64}
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("manifest.json", json.dumps(manifest))
            archive.writestr("database", database)
    with a_desk(kind, tmp_path / "second", keys_of=desk) as second:
        assert refusal(second, "restore", str(file)) == code
        assert find_revision(second.engine) is None
        assert sa.inspect(second.engine).get_table_names() == []
        assert not [path for path in second.folder.iterdir() if "restore" in path.name]


def test_a_backup_that_cannot_be_written_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    assert refusal(desk, "backup", str(tmp_path / "missing" / "backup.shiming")).endswith("UNWRITABLE")
    assert refusal(desk, "restore", str(tmp_path / "none.shiming")) in {
        "DATABASE_NOT_EMPTY",
        "BACKUP_UNREADABLE",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_restore_that_was_killed_is_not_taken_for_a_database(tmp_path: Path) -> None:
    """After pg_restore has committed and before the destroyed keys are destroyed again."""
    with a_desk("postgresql", tmp_path / "first") as desk:
        desk.run("init")
        with unit_of_work(desk.engine) as connection:
            connection.exec_driver_sql("DELETE FROM alembic_version")  # as the dump leaves it
        assert refusal(desk, "backup", str(tmp_path / "backup.shiming")) == "DATABASE_RESTORE_UNFINISHED"
        result = desk.run("check", "--json")
        assert result.exit_code == 1
        assert "DATABASE_RESTORE_UNFINISHED" in result.stdout


@pytest.mark.parametrize(("version", "code"), [("14.2", "PROGRAM_OLD"), (None, "PROGRAM_MISSING")])
def test_postgresqls_programs_must_be_there_and_not_older_than_the_server(
    version: str | None, code: str, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if version:
        (programs / "pg_dump").write_text(
            f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version} (Debian {version})'\n"
        )
        (programs / "pg_dump").chmod(0o755)
    with a_desk("postgresql", tmp_path / "first") as desk:
        desk.run("init")
        found = refusal(desk, "backup", str(tmp_path / "backup.shiming"), programs=programs)
    assert found == f"POSTGRESQL_{code}"
    assert not (tmp_path / "backup.shiming").exists()


def test_a_sqlite_backup_opens_with_any_zip_and_sqlite_program(tmp_path: Path) -> None:
    with a_desk("sqlite", tmp_path / "first") as desk:
        desk.run("init")
        desk.keep()
        backed_up(desk, tmp_path / "backup.shiming")
    with zipfile.ZipFile(tmp_path / "backup.shiming") as archive:
        archive.extract("database", tmp_path)
    with sqlite3.connect(tmp_path / "database") as connection:
        assert connection.execute("SELECT count(*) FROM evidence").fetchone() == (1,)
    connection.close()
