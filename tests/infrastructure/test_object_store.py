"""One contract for every object store, and what only a folder or only S3 can get wrong."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from shiming.infrastructure.object_store import FolderObjectStore, ObjectStore
from shiming.infrastructure.object_store_choice import object_store_from
from shiming.infrastructure.object_store_s3 import PART_BYTES, S3ObjectStore, open_s3
from shiming.infrastructure.settings import Settings
from shiming.vocabulary.errors import BadInput, Unavailable

OBJECT_ID = "EVD-0081-0G3G-50C7-1"
OTHER_ID = "EVD-0081-0G3G-50C8-1"
CREDENTIALS = {
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
    "region_name": "us-east-1",
}
SOON = datetime.now(UTC) + timedelta(days=1)  # later than the end of any run of the tests
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # moto says 2010 of every unfinished upload


class StopError(Exception):
    pass


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """An S3 service over real HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def a_bucket(endpoint: str, name: str, prefix: str = "evidence/") -> S3ObjectStore:
    store = open_s3(name, prefix, endpoint=endpoint, credentials=CREDENTIALS)
    store.client.create_bucket(Bucket=name)
    return store


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderObjectStore(tmp_path / "objects")
    endpoint = request.getfixturevalue("s3_server")
    name = f"b{abs(hash(tmp_path))}"
    bucket = a_bucket(endpoint, name)
    bucket.client.put_object(Bucket=name, Key="somebody-elses", Body=b"x")  # outside our prefix
    return bucket


def content(store: ObjectStore, object_id: str = OBJECT_ID) -> bytes:
    return b"".join(store.open(object_id))


def test_an_object_is_stored_read_and_removed(store: ObjectStore) -> None:
    assert not store.exists(OBJECT_ID)
    store.put(OBJECT_ID, [b"cipher", b"", b"text"])
    assert store.exists(OBJECT_ID)
    assert content(store) == b"ciphertext"
    store.remove(OBJECT_ID)
    store.remove(OBJECT_ID)
    assert not store.exists(OBJECT_ID)
    with pytest.raises(Unavailable) as refused:
        store.open(OBJECT_ID)
    assert refused.value.code == "OBJECT_MISSING"


def test_an_object_of_several_parts_comes_back(store: ObjectStore) -> None:
    piece = os.urandom(1_000_003)
    store.put(OBJECT_ID, (piece for _ in range(PART_BYTES // len(piece) + 2)))
    assert content(store) == piece * (PART_BYTES // len(piece) + 2)


@pytest.mark.parametrize("before", [1, PART_BYTES + 1])
def test_a_source_that_fails_leaves_no_object(store: ObjectStore, before: int) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x" * before
        raise StopError

    with pytest.raises(StopError):
        store.put(OBJECT_ID, failing())
    assert not store.exists(OBJECT_ID)
    assert list(store.list_ids(older_than=SOON)) == []
    assert store.discard_unfinished(older_than=SOON) == 0


def test_objects_are_listed_by_age(store: ObjectStore) -> None:
    assert list(store.list_ids(older_than=SOON)) == []
    store.put(OBJECT_ID, [b"1"])
    store.put(OTHER_ID, [b"2"])
    assert set(store.list_ids(older_than=SOON)) == {OBJECT_ID, OTHER_ID}
    assert list(store.list_ids(older_than=LONG_AGO)) == []


def test_what_a_dead_writer_left_is_discarded_and_nothing_else(store: ObjectStore) -> None:
    store.put(OBJECT_ID, [b"whole"])
    if isinstance(store, S3ObjectStore):
        key = f"{store.prefix}{OTHER_ID}"
        store.client.create_multipart_upload(Bucket=store.bucket, Key=key)
    elif isinstance(store, FolderObjectStore):
        (path,) = (path for path in store.folder.rglob("*") if path.is_file())
        path.with_name(f".{OTHER_ID}.0a0a0a0a.part").write_bytes(b"half")
    assert list(store.list_ids(older_than=SOON)) == [OBJECT_ID]
    assert store.discard_unfinished(older_than=LONG_AGO) == 0
    assert store.discard_unfinished(older_than=SOON) == 1
    assert store.discard_unfinished(older_than=SOON) == 0
    assert content(store) == b"whole"


@pytest.mark.parametrize("object_id", ["../../keys", "short", "a/b/c/d/e", ".hidden-name", "x" * 65, ""])
def test_an_id_cannot_leave_its_place(store: ObjectStore, object_id: str) -> None:
    for act in (store.open, store.exists, store.remove, lambda name: store.put(name, [b"x"])):
        with pytest.raises(ValueError, match="object id"):
            act(object_id)


# -- the folder ------------------------------------------------------------------------------------


def test_only_the_whole_object_and_private_modes_are_left(tmp_path: Path) -> None:
    FolderObjectStore(tmp_path / "objects").put(OBJECT_ID, [b"ciphertext"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [OBJECT_ID]
    assert files[0].stat().st_mode & 0o777 == 0o600
    assert files[0].parent.stat().st_mode & 0o777 == 0o700


FULL_DISK = """
import sys
from pathlib import Path
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.vocabulary.errors import Unavailable
try:
    FolderObjectStore(Path(sys.argv[1])).put(sys.argv[2], (b"x" * 65536 for _ in range(100)))
except Unavailable as problem:
    print(problem.code, problem.details["reason"])
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on the size of files")
def test_a_disk_that_takes_no_more_is_unavailable_and_leaves_no_part(tmp_path: Path) -> None:
    """The system refuses to let the file grow beyond a megabyte, in the middle of a write."""
    store = FolderObjectStore(tmp_path)
    store.put(OBJECT_ID, [b"first"])

    def no_more() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    ran = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-B", "-c", FULL_DISK, str(tmp_path), OTHER_ID],
        preexec_fn=no_more,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "OBJECT_STORE_WRITE File too large"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [OBJECT_ID]
    assert content(store) == b"first"


@pytest.mark.skipif(os.name != "posix", reason="POSIX folders")
def test_a_folder_that_is_none_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file")
    store = FolderObjectStore(tmp_path / "objects")
    for act, code in (
        (lambda: store.put(OBJECT_ID, [b"x"]), "OBJECT_STORE_WRITE"),
        (lambda: store.open(OBJECT_ID), "OBJECT_STORE_READ"),
        (lambda: store.exists(OBJECT_ID), "OBJECT_STORE_READ"),
    ):
        with pytest.raises(Unavailable) as refused:
            act()
        assert refused.value.code == code


# -- S3 --------------------------------------------------------------------------------------------


def test_a_service_that_is_down_is_unavailable_soon() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = a_bucket(f"http://{host}:{port}", "evidence")
    store.put(OBJECT_ID, [b"x"])
    server.stop()
    for act, code in (
        (lambda: store.put(OTHER_ID, [b"x"]), "OBJECT_STORE_WRITE"),
        (lambda: store.open(OBJECT_ID), "OBJECT_STORE_READ"),
        (lambda: store.exists(OBJECT_ID), "OBJECT_STORE_READ"),
        (lambda: store.remove(OBJECT_ID), "OBJECT_STORE_WRITE"),
        (lambda: list(store.list_ids(older_than=SOON)), "OBJECT_STORE_READ"),
    ):
        started = datetime.now(UTC)
        with pytest.raises(Unavailable) as refused:
            act()
        assert refused.value.code == code
        assert datetime.now(UTC) - started < timedelta(seconds=20)


def test_a_bucket_that_is_not_there_is_unavailable_and_not_an_empty_one(s3_server: str) -> None:
    store = open_s3("nobodys-bucket", endpoint=s3_server, credentials=CREDENTIALS)
    with pytest.raises(Unavailable) as refused:
        store.put(OBJECT_ID, [b"x"])
    assert (refused.value.code, refused.value.details) == ("OBJECT_STORE_WRITE", {"reason": "NoSuchBucket"})
    with pytest.raises(Unavailable) as refused:
        store.open(OBJECT_ID)
    assert refused.value.code == "OBJECT_STORE_READ"


def test_settings_choose_the_store(tmp_path: Path, s3_server: str) -> None:
    def chosen(**variables: str) -> ObjectStore:
        return object_store_from(Settings.from_environment({"SHIMING_DATA": str(tmp_path), **variables}))

    assert chosen() == FolderObjectStore(tmp_path / "objects")
    assert chosen(SHIMING_OBJECTS=str(tmp_path / "else")) == FolderObjectStore(tmp_path / "else")
    s3 = chosen(SHIMING_OBJECTS="s3://bucket/a/b", SHIMING_S3_ENDPOINT=s3_server)
    assert isinstance(s3, S3ObjectStore)
    assert (s3.bucket, s3.prefix) == ("bucket", "a/b/")
    for wrong in ("ftp://bucket", "s3://"):
        with pytest.raises(BadInput):
            chosen(SHIMING_OBJECTS=wrong)


def test_the_driver_is_asked_for_only_when_it_is_needed(tmp_path: Path) -> None:
    """A small installation has no boto3; a folder works without it, and S3 says what is missing."""
    script = (
        "import sys; sys.modules['boto3'] = None\n"
        "from pathlib import Path\n"
        "from shiming.infrastructure.object_store_choice import object_store_from\n"
        "from shiming.infrastructure.settings import Settings\n"
        "from shiming.vocabulary.errors import Unavailable\n"
        "settings = {'SHIMING_DATA': sys.argv[1]}\n"
        "object_store_from(Settings.from_environment(settings)).put('EVD-0081-0G3G', [b'x'])\n"
        "try: object_store_from(Settings.from_environment({**settings, 'SHIMING_OBJECTS': 's3://b'}))\n"
        "except Unavailable as problem: print(problem.code)\n"
    )
    (tmp_path / "data").mkdir(mode=0o700)
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    assert ran.stdout.strip() == "OBJECT_STORE_DRIVER_MISSING"
