import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shiming.infrastructure.encryption import KeyUse, new_data_key
from shiming.infrastructure.key_file import add_kek, open_key_file
from shiming.vocabulary.errors import Unavailable


def refusal(path: Path, *, may_create: bool = False) -> str:
    with pytest.raises(Unavailable) as refused:
        open_key_file(path, may_create=may_create)
    return refused.value.code


def test_it_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    wrapped = open_key_file(path, may_create=True).wrap(b"x" * 32)
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_key_file(path, may_create=True).unwrap(wrapped) == b"x" * 32
    assert open_key_file(path, may_create=False).unwrap(wrapped) == b"x" * 32
    assert list(tmp_path.iterdir()) == [path]


def test_every_use_has_a_key_of_its_own(tmp_path: Path) -> None:
    open_key_file(tmp_path / "keys.json", may_create=True)
    content = json.loads((tmp_path / "keys.json").read_text())
    keys = [key for use in KeyUse for key in content["keys"][use.value].values()]
    assert len(set(keys)) == len(KeyUse)


def test_many_starting_at_once_get_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_key_file(path, may_create=True), range(8)))
    wrapped = opened[0].wrap(data_key := new_data_key())
    assert all(keys.unwrap(wrapped) == data_key for keys in opened)


def test_a_missing_one_is_not_replaced_when_there_is_data(tmp_path: Path) -> None:
    assert refusal(tmp_path / "keys.json") == "KEY_FILE_MISSING"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_one_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    open_key_file(path, may_create=True)
    path.chmod(mode)
    assert refusal(path) == "KEY_FILE_EXPOSED"


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_is_refused(tmp_path: Path) -> None:
    open_key_file(tmp_path / "real.json", may_create=True)
    (tmp_path / "keys.json").symlink_to(tmp_path / "real.json")
    assert refusal(tmp_path / "keys.json", may_create=True) == "KEY_FILE_UNUSABLE"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"version": 2, "keys": {}}', '{"version": 1, "keys": {}}', '{"version": 1, "keys": []}',
     '{"version": 1, "keys": {"key_encryption": {"k": "AAAA"}, "pseudonym": {}, "ledger": {}}}',
     '{"version": 1, "keys": {"key_encryption": {"k": "??"}, "pseudonym": {"p": ""}, "ledger": {"l": ""}}}'],
)  # fmt: skip
def test_a_damaged_one_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(content)
    assert refusal(path) == "KEY_FILE_UNUSABLE"


def test_a_new_kek_is_added_whole_and_running_programs_use_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    running = open_key_file(path, may_create=True)
    before = running.wrap(b"x" * 32)
    assert add_kek(path) == "kek2"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert running.wrap(b"y" * 32).kek_id == "kek2"
    assert running.unwrap(before) == b"x" * 32
    assert add_kek(path) == "kek3"
    assert open_key_file(path, may_create=False).kek_ids() == ("kek1", "kek2", "kek3")


def test_keys_added_at_once_are_all_there_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    open_key_file(path, may_create=True)

    def add(_: int) -> str:
        try:
            return add_kek(path)
        except Unavailable as problem:
            return problem.code

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(add, range(8)))
    added = [name for name in said if name != "KEY_FILE_BUSY"]
    assert added
    assert open_key_file(path, may_create=False).kek_ids() == ("kek1", *sorted(added))


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_running_program_stops_using_keys_that_are_replaced_or_exposed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    running = open_key_file(path, may_create=True)
    add_kek(path)
    path.chmod(0o644)
    with pytest.raises(Unavailable) as refused:
        running.wrap(b"x" * 32)
    assert refused.value.code == "KEY_FILE_EXPOSED"
