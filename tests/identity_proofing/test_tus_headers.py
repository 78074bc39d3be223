"""The headers of tus: what is said well is read, anything else is refused by its code and nothing else."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.identity_proofing.model.uploads import CaptureStamp, Place, UploadKind
from shiming.identity_proofing.tus_headers import metadata_of, new_upload
from shiming.vocabulary.errors import BadInput

PLAIN = {"kind": "clip", "filetype": "video/webm;codecs=vp8,opus"}


def headers(said: dict[str, str], **more: str) -> dict[str, str]:
    pairs = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items())
    return {"upload-metadata": pairs, **{name.replace("_", "-"): text for name, text in more.items()}}


def code_of(said: dict[str, str], **more: str) -> str:
    with pytest.raises(BadInput) as refused:
        new_upload(headers(said, **more))
    return refused.value.code


def test_what_a_browser_says_is_read() -> None:
    said = {
        **PLAIN, "challenge": "CHA-1", "device": "till-7", "captured_at": "2026-11-22T08:59:00.123Z",
        "latitude": "39.90872", "longitude": "-116.39748", "accuracy_m": "12.6",
    }  # fmt: skip
    wanted = new_upload(headers(said, upload_defer_length="1"))
    assert (wanted.kind, wanted.media_type, wanted.bytes_stated) == (UploadKind.CLIP, "video/webm", None)
    at = datetime(2026, 11, 22, 8, 59, 0, 123_000, tzinfo=UTC)
    assert wanted.stamp == CaptureStamp("till-7", at, Place(39.909, -116.397, 13)), "about 100 m, not better"


def test_nothing_need_be_said_of_the_capture() -> None:
    assert new_upload(headers(PLAIN, upload_length="9")).stamp == CaptureStamp()


@pytest.mark.parametrize(
    "said",
    [
        {"captured_at": "yesterday"},
        {"captured_at": "2026-11-22T08:59:00"},  # of no zone
        {"device": "a\nb"},
        {"device": "x" * 61},
        {"latitude": "91", "longitude": "0"},
        {"latitude": "nan", "longitude": "0"},
        {"latitude": "1"},
        {"latitude": "1", "longitude": "1", "accuracy_m": "-1"},
        {"kind": "film"},
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, str]) -> None:
    assert code_of({**PLAIN, **said}, upload_length="9") == "UPLOAD_METADATA"


def read_or_code(act: Callable[[], object]) -> object:
    """Return what is read, or the code of the refusal; anything else that is raised fails the test."""
    try:
        return act()
    except BadInput as refused:
        return refused.code


@given(st.text(max_size=300))
def test_any_metadata_is_read_or_refused(header: str) -> None:
    found = read_or_code(lambda: metadata_of(header))
    assert found == "UPLOAD_METADATA" or isinstance(found, dict)


@given(st.text(max_size=20), st.text(max_size=3))
def test_any_length_is_a_number_or_refused(length: str, deferred: str) -> None:
    both = {**headers(PLAIN), "upload-length": length, "upload-defer-length": deferred}
    assert read_or_code(lambda: new_upload(both)) == "UPLOAD_LENGTH"
    one = {**headers(PLAIN), "upload-length": length}
    found = read_or_code(lambda: new_upload(one).bytes_stated)
    assert found == "UPLOAD_LENGTH" or found == int(length)
