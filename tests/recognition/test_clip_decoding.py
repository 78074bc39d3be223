"""Decoding: limits, rotation, hostile and mistaken files. No models."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiming.recognition.clips.decoding import ClipFrame, ClipHeader, opened
from shiming.recognition.clips.limits import ClipLimits
from shiming.vocabulary.errors import BadInput
from tests.recognition.clips_for_tests import (
    a_clip,
    only_sound,
    pictures,
    rotated_by_header,
    with_claimed_duration,
)

LIMITS = ClipLimits()
PLAIN = a_clip(pictures(30))


def decoded(source: Path | bytes, limits: ClipLimits = LIMITS) -> tuple[ClipHeader, list[ClipFrame]]:
    with opened(source, limits) as clip:
        return clip.header, list(clip.frames())


def refusal(source: Path | bytes, limits: ClipLimits = LIMITS) -> str:
    with pytest.raises(BadInput) as caught:
        decoded(source, limits)
    assert caught.value.text.zh
    assert caught.value.text.en
    assert caught.value.advice.zh
    assert caught.value.advice.en
    return caught.value.code


def test_every_frame_is_counted_and_timed() -> None:
    header, frames = decoded(PLAIN)
    assert (header.width, header.height, header.codec, header.has_audio) == (96, 64, "h264", False)
    assert [round(frame.time_s, 2) for frame in frames] == [round(i / 25, 2) for i in range(30)]
    assert all(frame.picture is not None for frame in frames)


def test_a_file_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(PLAIN)
    assert decoded(path)[0] == decoded(PLAIN)[0]


@pytest.mark.parametrize(
    ("codec", "container"),
    [("libx264", "matroska"), ("libvpx", "webm"), ("mpeg4", "avi"), ("mjpeg", "avi"), ("libx265", "mp4")],
)
def test_usual_codecs_are_read(codec: str, container: str) -> None:
    assert len(decoded(a_clip(pictures(12), codec=codec, container=container))[1]) == 12


def test_fast_clips_are_thinned_out_for_analysis() -> None:
    frames = decoded(a_clip(pictures(60), rate=60))[1]
    assert len(frames) == 60
    assert sum(frame.picture is not None for frame in frames) == pytest.approx(30, abs=1)


def test_large_frames_are_shrunk() -> None:
    picture = decoded(a_clip(pictures(8, 1280, 720)), replace(LIMITS, duration_s_min=0.1))[1][0].picture
    assert picture is not None
    assert picture.shape == (360, 640, 3)


@pytest.mark.parametrize(
    ("matrix", "shape", "corner"),
    [
        ((1, 0, 0, 1), (64, 96), (0, 0)),
        ((0, 1, -1, 0), (96, 64), (0, -1)),  # a phone held upright: turned clockwise for display
        ((-1, 0, 0, -1), (64, 96), (-1, -1)),
        ((0, -1, 1, 0), (96, 64), (-1, 0)),
    ],
)
def test_the_picture_is_turned_as_the_header_says(
    matrix: tuple[int, int, int, int], shape: tuple[int, int], corner: tuple[int, int]
) -> None:
    picture = decoded(rotated_by_header(PLAIN, matrix))[1][0].picture
    assert picture is not None
    assert picture.shape[:2] == shape
    rows, columns = (slice(None, 16) if side == 0 else slice(-16, None) for side in corner)
    assert picture[rows, columns].mean() > 200


def test_nothing_is_refused_as_empty() -> None:
    assert refusal(b"") == "CLIP_EMPTY"


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(50),
        b"\x00\x00\x00\x18ftypheic" + bytes(50),
        a_clip(pictures(12), codec="gif", container="gif"),
    ],
)
def test_a_picture_is_not_a_clip(content: bytes) -> None:
    assert refusal(content) == "CLIP_IS_PICTURE"


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", b"ffconcat version 1.0\n", b"x" * 999]
)
def test_unknown_bytes_and_playlists_are_never_opened(content: bytes) -> None:
    assert refusal(content) == "CLIP_UNREADABLE"


def test_a_truncated_clip_is_refused() -> None:
    assert refusal(PLAIN[: len(PLAIN) // 2]) == "CLIP_UNREADABLE"


def test_a_clip_with_its_index_in_front_is_refused_when_the_rest_is_missing() -> None:
    media, index = PLAIN.index(b"mdat") - 4, PLAIN.index(b"moov") - 4
    assert media < index  # what a phone writes; a server moves the index to the front
    moved = PLAIN[:media] + PLAIN[index:] + PLAIN[media:index]
    shift = len(PLAIN) - index
    at = moved.index(b"stco") + 8
    count = int.from_bytes(moved[at : at + 4], "big")
    offsets = [int.from_bytes(moved[at + 4 * k : at + 4 * k + 4], "big") + shift for k in range(1, count + 1)]
    moved = moved[: at + 4] + b"".join(o.to_bytes(4, "big") for o in offsets) + moved[at + 4 + 4 * count :]
    assert len(decoded(moved)[1]) == 30
    assert refusal(moved[: -(len(PLAIN) // 4)]) == "CLIP_UNREADABLE"


def test_sound_alone_is_not_a_clip() -> None:
    assert refusal(only_sound()) == "CLIP_WITHOUT_VIDEO"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.mp4") == "CLIP_UNREADABLE"
    assert refusal(tmp_path) in {"CLIP_UNREADABLE", "CLIP_EMPTY"}


def test_too_many_bytes_are_refused_before_reading() -> None:
    assert refusal(PLAIN, replace(LIMITS, bytes_max=100)) == "CLIP_TOO_BIG"


def test_large_frames_are_refused() -> None:
    assert refusal(PLAIN, replace(LIMITS, side_px_max=80)) == "CLIP_RESOLUTION_UNSUPPORTED"


def test_a_codec_off_the_list_is_refused() -> None:
    assert refusal(PLAIN, replace(LIMITS, codecs=frozenset({"vp9"}))) == "CLIP_CODEC_UNSUPPORTED"
    assert refusal(a_clip(pictures(12), codec="ffv1", container="matroska")) in {
        "CLIP_CODEC_UNSUPPORTED",
        "CLIP_UNREADABLE",
    }


def test_two_hours_are_refused_by_the_header_and_by_counting_at_once() -> None:
    long = a_clip(pictures(40), times_s=[180.0 * number for number in range(40)])
    lying = with_claimed_duration(long, 2000)
    started = time.perf_counter()
    assert refusal(long) == "CLIP_TOO_LONG"
    assert refusal(lying) == "CLIP_TOO_LONG"
    assert time.perf_counter() - started < 5


def test_too_few_frames_are_refused() -> None:
    assert refusal(a_clip(pictures(3))) == "CLIP_TOO_SHORT"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.integers(0, len(PLAIN) - 1),
    junk=st.binary(min_size=1, max_size=200),
    cut=st.integers(0, len(PLAIN)),
)
def test_damage_never_escapes_as_anything_but_a_refusal(start: int, junk: bytes, cut: int) -> None:
    damaged = (PLAIN[:start] + junk + PLAIN[start + len(junk) :])[: max(cut, 20)]
    try:
        frames = decoded(damaged)[1]
    except BadInput as error:
        assert error.code.startswith("CLIP_")  # noqa: PT017 - both ends are fine, only a crash is not
    else:
        assert all(np.isfinite(frame.time_s) for frame in frames)
