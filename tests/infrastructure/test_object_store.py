import os
from pathlib import Path

import pytest

from shiming.infrastructure.object_store import FolderObjectStore, ObjectStore
from shiming.vocabulary.errors import Unavailable

OBJECT_ID = "EVD-0081-0G3G-50C7-1"


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return FolderObjectStore(tmp_path / "objects")


def test_an_object_is_stored_read_and_removed(store: ObjectStore) -> None:
    store.put(OBJECT_ID, b"ciphertext")
    assert store.get(OBJECT_ID) == b"ciphertext"
    store.remove(OBJECT_ID)
    store.remove(OBJECT_ID)
    with pytest.raises(Unavailable) as refused:
        store.get(OBJECT_ID)
    assert refused.value.code == "OBJECT_STORE_READ"


def test_only_the_whole_object_and_private_modes_are_left(store: ObjectStore, tmp_path: Path) -> None:
    store.put(OBJECT_ID, b"ciphertext")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [OBJECT_ID]
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert files[0].parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("object_id", ["../../keys", "short", "a/b/c/d/e", ".hidden-name", "x" * 65, ""])
def test_an_id_cannot_leave_the_folder(store: ObjectStore, object_id: str) -> None:
    for act in (store.get, store.remove, lambda name: store.put(name, b"x")):
        with pytest.raises(ValueError, match="object id"):
            act(object_id)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device to write to")
def test_a_full_disk_is_unavailable_and_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderObjectStore(tmp_path)
    store.put(OBJECT_ID, b"first")  # the folder exists now
    real_open = os.open
    monkeypatch.setattr(
        "os.open",
        lambda path, *rest: (
            (real_open(path, os.O_WRONLY | os.O_CREAT, 0o600) and real_open("/dev/full", os.O_WRONLY))
            if str(path).endswith(".part")
            else real_open(path, *rest)
        ),
    )
    with pytest.raises(Unavailable) as refused:
        store.put("EVD-0081-0G3G-50C8-1", b"ciphertext" * 10_000)
    assert refused.value.code == "OBJECT_STORE_WRITE"
    assert not list(tmp_path.rglob("*.part"))
    assert store.get(OBJECT_ID) == b"first"
