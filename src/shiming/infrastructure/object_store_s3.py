"""Encrypted objects in any S3-compatible service, through boto3 (part of the server packages).

Objects are uploaded in parts of 8 MB, so that memory stays constant; a failed upload is aborted and leaves no
object. Calls are tried three times with a growing pause and give up: the caller's transaction is open.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from shiming.infrastructure.object_store import (
    CHUNK_BYTES,
    object_id_checked,
    object_missing,
    object_store_unavailable,
)
from shiming.vocabulary.errors import Text, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8_000_000  # the service allows 10 000 parts of at least 5 MiB
ATTEMPTS_MAX = 3
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class S3ObjectStore:
    """Objects of one bucket, all under one prefix."""

    client: "S3Client"
    bucket: str
    prefix: str = ""

    def put(self, object_id: str, chunks: Iterable[bytes]) -> None:
        """Store durably, whole or not at all; Unavailable when it cannot be."""
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - only with S3

        config = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
        )
        with _refusals("OBJECT_STORE_WRITE", object_id):
            source = cast("BinaryIO", _Readable(iter(chunks)))  # boto3 needs its `read` only
            self.client.upload_fileobj(source, self.bucket, self._key(object_id), Config=config)

    def open(self, object_id: str) -> Iterator[bytes]:
        """Return the ciphertext in pieces; Unavailable (OBJECT_MISSING when it is not there)."""
        with _refusals("OBJECT_STORE_READ", object_id):
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(object_id))["Body"]
        return _pieces(body, object_id)

    def exists(self, object_id: str) -> bool:
        """Say whether the object is there; Unavailable when the store cannot tell."""
        try:
            with _refusals("OBJECT_STORE_READ", object_id):
                self.client.head_object(Bucket=self.bucket, Key=self._key(object_id))
        except Unavailable as problem:
            if problem.code == "OBJECT_MISSING":
                return False
            raise
        return True

    def remove(self, object_id: str) -> None:
        """Remove the ciphertext; nothing happens when it is gone already."""
        with _refusals("OBJECT_STORE_WRITE", object_id):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(object_id))

    def list_ids(self, *, older_than: datetime) -> Iterator[str]:
        """Return the ids of objects stored before an instant, in no order."""
        with _refusals("OBJECT_STORE_READ", ""):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                for found in page.get("Contents", ()):
                    if found["LastModified"] < older_than:
                        yield found["Key"].removeprefix(self.prefix)

    def discard_unfinished(self, *, older_than: datetime) -> int:
        """Abort the uploads that writers left behind that died before an instant; return how many."""
        aborted = 0
        with _refusals("OBJECT_STORE_WRITE", ""):
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                for found in page.get("Uploads", ()):
                    if found["Initiated"] < older_than:
                        self.client.abort_multipart_upload(
                            Bucket=self.bucket, Key=found["Key"], UploadId=found["UploadId"]
                        )
                        aborted += 1
        return aborted

    def _key(self, object_id: str) -> str:
        return self.prefix + object_id_checked(object_id)


def open_s3(
    bucket: str,
    prefix: str = "",
    *,
    endpoint: str | None = None,
    credentials: Mapping[str, str] | None = None,
) -> S3ObjectStore:
    """Open a bucket; without `credentials` boto3 looks for them where its own documentation says.

    Unavailable when boto3 is not installed, or when it finds no region or a wrong endpoint.
    """
    try:
        import boto3  # noqa: PLC0415 - part of the server packages
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "OBJECT_STORE_DRIVER_MISSING",
            Text(zh="未安装 S3 存储的驱动程序。", en="The driver for S3 storage is not installed."),
            Text(
                zh="请运行 make server，或使用文件夹存储。",
                en="Run `make server`, or keep objects in a folder.",
            ),
        ) from problem
    config = Config(
        retries={"max_attempts": ATTEMPTS_MAX, "mode": "standard"},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        request_checksum_calculation="when_required",  # not every compatible service knows the newer sums
        response_checksum_validation="when_required",
    )
    try:
        client = boto3.client("s3", endpoint_url=endpoint, config=config, **cast("Any", credentials or {}))
    except (BotoCoreError, ValueError) as problem:
        raise object_store_unavailable("OBJECT_STORE_READ", type(problem).__name__) from problem
    return S3ObjectStore(client, bucket, prefix)


class _Readable:
    """What boto3 needs of a file: `read(size)` over pieces."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = bytearray()

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._held) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        taken = bytes(self._held if size < 0 else self._held[:size])
        del self._held[: len(taken)]
        return taken


def _pieces(body: Any, object_id: str) -> Iterator[bytes]:
    with contextlib.closing(body), _refusals("OBJECT_STORE_READ", object_id):
        yield from body.iter_chunks(CHUNK_BYTES)


@contextlib.contextmanager
def _refusals(code: str, object_id: str) -> Iterator[None]:
    from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 - only with S3
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as problem:
        reason = problem.response.get("Error", {}).get("Code", "unknown")
        if object_id and code == "OBJECT_STORE_READ" and reason in _GONE:
            raise object_missing(object_id) from problem
        raise object_store_unavailable(code, reason) from problem
    except (BotoCoreError, S3UploadFailedError, OSError) as problem:
        raise object_store_unavailable(code, type(problem).__name__) from problem
