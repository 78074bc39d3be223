"""The headers of tus 1.0: read strictly, written in one place."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.uploads import CaptureStamp, HeldUpload, NewUpload, Place, UploadKind
from shiming.identity_proofing.use_cases.uploading import CHUNK_BYTES_MAX
from shiming.infrastructure.http.uploads import CLIP
from shiming.vocabulary.errors import BadInput, Text

VERSION = "1.0.0"
TUS = {"tus-resumable": VERSION}
CHUNK_TYPE = "application/offset+octet-stream"
CAPABILITIES = {
    **TUS,
    "tus-version": VERSION,
    "tus-extension": "creation,creation-defer-length,expiration,termination",
    "tus-max-size": str(CLIP.bytes_max),
    "upload-chunk-max": str(CHUNK_BYTES_MAX),  # ours: tus has no header for it
}
_METADATA_CHARACTERS_MAX = 2_000
_PAIRS_MAX = 16
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,59}")
_DIGITS_MAX = 12
_PLACE_DECIMALS = 3  # about 100 m
_LATITUDE_MAX, _LONGITUDE_MAX, _ACCURACY_MAX = 90.0, 180.0, 1_000_000.0


def require_version(headers: Mapping[str, str]) -> None:
    """Raise BadInput (TUS_VERSION) for a client of another version."""
    if headers.get("tus-resumable") != VERSION:
        raise BadInput(
            "TUS_VERSION",
            Text(zh="需要 tus 1.0.0 协议。", en="Uploads speak tus 1.0.0."),
            Text(zh="请发送 Tus-Resumable: 1.0.0。", en="Send the header Tus-Resumable: 1.0.0."),
            {"tus_version": VERSION},
        )


def whole_number(headers: Mapping[str, str], name: str) -> int:
    """Return a header that holds a count of bytes; raise BadInput (UPLOAD_LENGTH)."""
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise refused("UPLOAD_LENGTH")
    return int(text)


def new_upload(headers: Mapping[str, str]) -> NewUpload:
    """Read what a client wants to send; raise BadInput (UPLOAD_LENGTH, UPLOAD_METADATA)."""
    deferred = headers.get("upload-defer-length")
    if (deferred is None) == (headers.get("upload-length") is None) or deferred not in {None, "1"}:
        raise refused("UPLOAD_LENGTH")
    said = metadata_of(headers.get("upload-metadata", ""))
    try:
        kind = UploadKind(said.get("kind", ""))
    except ValueError:
        raise refused("UPLOAD_METADATA") from None
    media_type = said.get("filetype", "").partition(";")[0].strip().lower()  # MediaRecorder adds codecs
    stated = None if deferred else whole_number(headers, "upload-length")
    pairs = tuple(pair.strip() for pair in headers.get("upload-metadata", "").split(","))
    return NewUpload(kind, media_type, stated, _stamp(said), pairs)


def metadata_of(header: str) -> dict[str, str]:
    """Read `Upload-Metadata`: pairs of a name and base64, divided by commas; raise BadInput.

    >>> metadata_of("kind Y2xpcA==,filetype dmlkZW8vd2VibQ==")
    {'kind': 'clip', 'filetype': 'video/webm'}
    """
    said: dict[str, str] = {}
    pairs = header.split(",")
    if len(header) > _METADATA_CHARACTERS_MAX or len(pairs) > _PAIRS_MAX:
        raise refused("UPLOAD_METADATA")
    for pair in pairs:
        name, _, value = pair.strip().partition(" ")
        if not name or name in said:
            raise refused("UPLOAD_METADATA")
        try:
            said[name] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise refused("UPLOAD_METADATA") from None
    return said


def described(upload: HeldUpload, said: str | None = None) -> dict[str, str]:
    """Return the headers that tell how an upload stands; `said`: its metadata, which HEAD tells again."""
    length = (
        {"upload-defer-length": "1"}
        if upload.bytes_stated is None
        else {"upload-length": str(upload.bytes_stated)}
    )
    return {
        **TUS,
        **length,
        **({"upload-metadata": said} if said else {}),
        "upload-offset": str(upload.bytes_held),
        "upload-expires": format_datetime(upload.expires_at, usegmt=True),
    }


def _stamp(said: Mapping[str, str]) -> CaptureStamp:
    device = said.get("device") or None
    if device is not None and not _DEVICE.fullmatch(device):
        raise refused("UPLOAD_METADATA")
    return CaptureStamp(device, _instant(said.get("captured_at")), _place(said))


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refused("UPLOAD_METADATA") from None
    if at.tzinfo is None:
        raise refused("UPLOAD_METADATA")
    return at


def _place(said: Mapping[str, str]) -> Place | None:
    names = ("latitude", "longitude", "accuracy_m")
    given = [said[name] for name in names if said.get(name)]
    if not given:
        return None
    try:
        latitude, longitude = float(said["latitude"]), float(said["longitude"])
        accuracy = float(said["accuracy_m"]) if said.get("accuracy_m") else None
    except (KeyError, ValueError):
        raise refused("UPLOAD_METADATA") from None
    if not (abs(latitude) <= _LATITUDE_MAX and abs(longitude) <= _LONGITUDE_MAX):  # NaN is neither
        raise refused("UPLOAD_METADATA")
    if accuracy is not None and not 0 <= accuracy <= _ACCURACY_MAX:
        raise refused("UPLOAD_METADATA")
    return Place(
        round(latitude, _PLACE_DECIMALS),
        round(longitude, _PLACE_DECIMALS),
        None if accuracy is None else round(accuracy),
    )
