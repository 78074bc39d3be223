import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shiming.entrypoints.database_schema import NEWEST_REVISION
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.migrations import find_revision
from shiming.vocabulary.errors import ShimingError
from tests.databases import ENGINES
from tests.entrypoints.database_desk import Desk, Installation, a_desk


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fresh(kind: str, tmp_path: Path) -> Iterator[Desk]:
    with a_desk(kind, tmp_path / "data") as made:
        yield made


@pytest.fixture
def desk(fresh: Desk) -> Desk:
    assert fresh.run("init").exit_code == 0
    return fresh


def answers(desk: Desk, *options: str) -> tuple[int, dict[str, str]]:
    """The exit code of `check`, and what it found wrong."""
    result = desk.run("check", "--json", *options)
    said = json.loads(result.stdout)
    return result.exit_code, {each["check"]: each["found"] for each in said["checks"] if not each["well"]}


def change(desk: Desk, *statements: str) -> None:
    with unit_of_work(desk.engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_init_makes_everything_that_an_installation_needs(fresh: Desk) -> None:
    result = fresh.run("init", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["created"], said["revision"]) == (0, True, NEWEST_REVISION)
    assert said["ledger_key"].startswith("example.org/shiming+")
    made = {path.name: path.stat().st_mode & 0o777 for path in fresh.folder.iterdir()}
    wanted = {"keys.json", "receipts.ed25519", "ledger.ed25519", "destroyed-keys.txt"}
    assert {name for name in made if not name.startswith("shiming.db")} == wanted
    assert set(made.values()) == {0o600}
    assert answers(fresh) == (0, {})


def test_init_again_changes_nothing_and_says_so(desk: Desk) -> None:
    desk.keep()
    before = {path.name: path.read_bytes() for path in desk.folder.glob("*.*5*")}
    before["keys.json"] = (desk.folder / "keys.json").read_bytes()
    result = desk.run("init", "--json")
    assert (result.exit_code, json.loads(result.stdout)["created"]) == (0, False)
    assert "nothing was changed" in desk.run("init").stdout
    assert before == {name: (desk.folder / name).read_bytes() for name in before}
    assert answers(desk, "--objects") == (0, {})


def test_init_makes_no_new_keys_for_a_database_that_had_some(desk: Desk) -> None:
    (desk.folder / "keys.json").unlink()
    result = desk.run("init")
    assert isinstance(result.exception, ShimingError)
    assert result.exception.code == "KEY_FILE_MISSING"
    assert not (desk.folder / "keys.json").exists()


def test_init_after_one_that_was_cut_short_goes_on_with_its_keys(fresh: Desk) -> None:
    change(fresh, "CREATE TABLE x (y INTEGER)")  # somebody else's
    assert isinstance(fresh.run("init").exception, ShimingError)
    keys = (fresh.folder / "keys.json").read_bytes()
    change(fresh, "DROP TABLE x")
    assert fresh.run("init").exit_code == 0
    assert (fresh.folder / "keys.json").read_bytes() == keys


def test_init_refuses_a_folder_that_others_can_open(fresh: Desk) -> None:
    fresh.folder.joinpath("a file").touch()
    fresh.folder.chmod(0o755)
    result = fresh.run("init")
    assert isinstance(result.exception, ShimingError)
    assert result.exception.code == "DATA_FOLDER_EXPOSED"
    assert find_revision(fresh.engine) is None


def test_upgrade_says_that_nothing_is_pending(desk: Desk) -> None:
    result = desk.run("upgrade", "--json")
    assert json.loads(result.stdout) == {"before": NEWEST_REVISION, "after": NEWEST_REVISION}
    assert "up to date already" in desk.run("upgrade").stdout


def test_upgrade_of_nothing_points_to_init(fresh: Desk) -> None:
    result = fresh.run("upgrade")
    assert isinstance(result.exception, ShimingError)
    assert result.exception.code == "DATABASE_NOT_INITIALISED"
    assert "shiming db init" in result.exception.advice.en


@pytest.mark.parametrize("command", ["upgrade", "check", "backup"])
def test_looking_for_a_database_makes_none(command: str, tmp_path: Path) -> None:
    with a_desk("sqlite", tmp_path / "data") as desk:
        result = desk.run(command, *([str(tmp_path / "backup.shiming")] if command == "backup" else []))
        assert isinstance(result.exception, ShimingError)
        assert result.exception.code == "DATABASE_NOT_INITIALISED"
        assert list(desk.folder.iterdir()) == []


def damaged_guard(desk: Desk) -> None:
    table = " ON data_keys" if desk.engine.dialect.name == "postgresql" else ""
    change(desk, f"DROP TRIGGER data_keys_no_delete{table}")


def lost_index(desk: Desk) -> None:
    change(desk, "DROP INDEX ix_evidence_subject")


def older(desk: Desk) -> None:
    change(desk, "UPDATE alembic_version SET version_num = '0000'")


def other_keys(desk: Desk) -> None:
    text = (desk.folder / "keys.json").read_text()
    (desk.folder / "keys.json").write_text(text.replace("kek1", "kek9").replace('"l1', '"l9'))


def lost_tombstones(desk: Desk) -> None:
    desk.erase(desk.keep().evidence_id)
    assert answers(desk) == (0, {})
    desk.installation.privacy.tombstones.path.unlink()


def lost_object(desk: Desk) -> None:
    for path in desk.installation.settings.objects_folder.rglob("EVD-*"):
        path.unlink()


DAMAGES = [
    (damaged_guard, "schema", "data_keys_no_delete"),
    (lost_index, "schema", "ix_evidence_subject"),
    (older, "revision", "0000"),
    (other_keys, "keys", "KEY"),
    (lost_tombstones, "tombstones", "MISSING"),
    (lost_object, "objects", "EVD-"),
]


@pytest.mark.parametrize(
    ("kind", "damage", "check", "word"),
    [*(("sqlite", *each) for each in DAMAGES), *(("postgresql", *each) for each in DAMAGES[:4])],
)
def test_check_finds_what_is_wrong_and_names_it(
    desk: Desk, damage: Callable[[Desk], None], check: str, word: str
) -> None:
    desk.keep()
    assert answers(desk, "--objects") == (0, {})
    damage(desk)
    code, wrong = answers(desk, "--objects")
    assert (code, set(wrong)) == (1, {check})
    assert word in wrong[check]
    assert f"BAD  {check}" in desk.run("check", "--objects").stdout


def test_check_finds_a_damaged_file(tmp_path: Path) -> None:
    with a_desk("sqlite", tmp_path / "data") as desk:
        desk.run("init")
        desk.engine.dispose()
        with (desk.folder / "shiming.db").open("r+b") as file:
            file.seek(4096 * 20)
            file.write(b"\xff" * 4096 * 30)
        code, wrong = answers(desk)
    assert code == 1
    assert "integrity" in wrong


def test_check_of_a_server_that_is_not_there_says_so(desk: Desk) -> None:
    settings = replace(desk.installation.settings, database_url="postgresql://127.0.0.1:1/none")
    code, wrong = answers(Desk(Installation(settings)))
    assert code == 1
    assert "DATABASE_UNAVAILABLE" in wrong["connection"]
