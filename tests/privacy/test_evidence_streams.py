"""Evidence that flows: constant memory, staging outside the transaction, limits, cuts."""

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.object_store_s3 import open_s3
from shiming.privacy.model import (
    AccessRequest,
    EvidenceKind,
    EvidenceRef,
    EvidenceStream,
    NewEvidence,
    Purpose,
    RetentionClass,
)
from shiming.privacy.use_cases.erasure import erase_class, erasing
from shiming.privacy.use_cases.objects import CONTENT_BYTES_MAX, ByteSource
from shiming.privacy.use_cases.vault import (
    keep_staged,
    list_metadata,
    open_evidence,
    put_evidence_stream,
    read_evidence,
    stage_evidence,
)
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.privacy.builders import NOW, Vault, a_retention_policy

REQUEST = AccessRequest("STF-1", Purpose.DISPUTE, "DSP-1")
CLIP = bytes(range(256)) * 2000  # several frames
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


class Endless:
    """As many bytes as anybody wants, nowhere in memory."""

    def read(self, size: int, /) -> bytes:
        return bytes(size)


def a_clip(vault: Vault) -> NewEvidence:
    return NewEvidence(
        vault.subject(),
        "SES-1",
        EvidenceKind.CLIP,
        Purpose.REGISTRATION,
        RetentionClass.CLIP,
        "CMCC",
        "REG-1",
    )


def put(vault: Vault, source: ByteSource) -> EvidenceRef:
    with unit_of_work(vault.engine) as connection:
        return put_evidence_stream(
            vault.tools,
            connection,
            a_clip(vault),
            source=source,
            retention=a_retention_policy(),
            now=NOW,
        )


def stored_objects(vault: Vault) -> list[Path]:
    return [path for path in vault.settings.objects_folder.rglob("*") if path.is_file()]


def test_a_stream_comes_back_as_a_stream_and_the_reading_is_recorded(vault: Vault) -> None:
    ref = put(vault, io.BytesIO(CLIP))
    assert (ref.operator, ref.line_id) == ("CMCC", "REG-1")
    assert stored_objects(vault)[0].stat().st_size == ref.bytes_stored
    with unit_of_work(vault.engine) as connection:
        found = open_evidence(vault.tools, connection, ref.evidence_id, REQUEST, now=NOW)
    assert isinstance(found, EvidenceStream)
    chunks = list(found.chunks)
    assert b"".join(chunks) == CLIP
    assert max(map(len, chunks)) <= 65536
    assert "chunks" not in repr(found)


def test_an_object_that_was_cut_does_not_open(vault: Vault) -> None:
    ref = put(vault, io.BytesIO(CLIP))
    (path,) = stored_objects(vault)
    whole = path.read_bytes()
    for length in (0, 10, 20, 65556, 65572, 200_000, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(Unavailable) as refused, unit_of_work(vault.engine) as connection:
            read_evidence(vault.tools, connection, ref.evidence_id, REQUEST, now=NOW)
        assert refused.value.code == "EVIDENCE_UNDECRYPTABLE"


@pytest.mark.parametrize("source", [io.BytesIO(b""), Endless()], ids=["empty", "endless"])
def test_empty_and_endless_content_is_refused_and_leaves_nothing(vault: Vault, source: ByteSource) -> None:
    with pytest.raises(BadInput) as refused:
        put(vault, source)
    assert refused.value.code == "EVIDENCE_SIZE"
    assert refused.value.details["bytes_max"] == CONTENT_BYTES_MAX
    assert stored_objects(vault) == []
    with reading(vault.engine) as connection:
        assert list_metadata(connection, case_reference="SES-1") == ()


def test_staged_evidence_has_no_row_until_it_is_kept(vault: Vault) -> None:
    staged = stage_evidence(
        vault.tools,
        vault.engine,
        a_clip(vault),
        source=io.BytesIO(CLIP),
        retention=a_retention_policy(),
        now=NOW,
    )
    with reading(vault.engine) as connection:
        assert list_metadata(connection, case_reference="SES-1") == ()
    with unit_of_work(vault.engine) as connection:
        ref = keep_staged(vault.tools, connection, staged)
        found = read_evidence(vault.tools, connection, ref.evidence_id, REQUEST, now=NOW)
    assert getattr(found, "content", None) == CLIP


def test_staged_evidence_whose_key_is_destroyed_meanwhile_is_refused(vault: Vault) -> None:
    new = a_clip(vault)
    staged = stage_evidence(
        vault.tools, vault.engine, new, source=io.BytesIO(CLIP), retention=a_retention_policy(), now=NOW
    )
    with erasing(vault.tools, vault.engine) as connection:
        assert erase_class(
            vault.tools,
            connection,
            subject=new.subject,
            retention_class=new.retention_class,
            operator=new.operator,
            why="test",
            actor="STF-1",
            now=NOW,
        )
    with pytest.raises(Unavailable) as refused, unit_of_work(vault.engine) as connection:
        keep_staged(vault.tools, connection, staged)
    assert refused.value.code == "EVIDENCE_ERASED_MEANWHILE"


def test_a_store_that_fails_writes_nothing(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    broken = replace(vault, tools=replace(vault.tools, objects=FolderObjectStore(tmp_path / "a file")))
    with pytest.raises(Unavailable) as refused:
        put(broken, io.BytesIO(CLIP))
    assert refused.value.code == "OBJECT_STORE_WRITE"
    with reading(vault.engine) as connection:
        assert list_metadata(connection, case_reference="SES-1") == ()


MEMORY = """
import sys
from dataclasses import replace
from pathlib import Path
from benchmarks.vault import CLIP_BYTES, clip
from shiming.infrastructure.object_store_s3 import open_s3
credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
store = open_s3("clips", endpoint=sys.argv[2], credentials=credentials) if sys.argv[2] else None
used = clip(Path(sys.argv[1]), store)
print(max(used["put_extra_mb"], used["read_extra_mb"]))
"""


@pytest.fixture
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    open_s3("clips", endpoint=address, credentials=CREDENTIALS).client.create_bucket(Bucket="clips")
    yield address
    server.stop()


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from Linux"
)
@pytest.mark.parametrize("where", ["folder", "s3"])
def test_a_clip_of_50_mb_takes_little_memory(
    tmp_path: Path, request: pytest.FixtureRequest, where: str
) -> None:
    address = request.getfixturevalue("s3_address") if where == "s3" else ""
    command = [sys.executable, "-c", MEMORY, str(tmp_path), address]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    assert float(ran.stdout) < 80
