"""A clip that is measured while it arrives gives what the whole file gives, whatever the chunks."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiming.recognition.clips.decoding import arriving, opened
from shiming.recognition.clips.frames_kept import STRETCHES_MAX, FrameKeeper
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import clip_tools, measure_arriving_clip, measure_clip
from shiming.recognition.head_pose import HeadPose
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.model_files import ModelFiles
from shiming.vocabulary.errors import BadInput
from tests.recognition.clips_for_tests import a_clip, pictures

LIMITS = ClipLimits()
DEMO = Path(__file__).parents[2] / "specimens" / "clips" / "demo.mp4"


class InChunks:
    """A file whose bytes arrive so many at a time."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._content, self._sizes, self._at, self._turn = content, sizes, 0, 0

    def read(self, size: int, /) -> bytes:
        size = min(size, self._sizes[self._turn % len(self._sizes)])
        self._turn += 1
        piece = self._content[self._at : self._at + size]
        self._at += len(piece)
        return piece


def a_webm(images: list[Any], **options: Any) -> bytes:
    return a_clip(images, codec="libvpx", container="webm", **options)


WEBM = a_webm(pictures(30))


def found(content: bytes, sizes: list[int], limits: ClipLimits = LIMITS) -> list[tuple[float, bytes]]:
    with arriving(InChunks(content, sizes), limits, contextlib.nullcontext) as clip:
        return [(frame.time_s, _bytes_of(frame.picture)) for frame in clip.frames()]


def refusal(content: bytes, sizes: list[int], limits: ClipLimits = LIMITS) -> str:
    with pytest.raises(BadInput) as refused:
        found(content, sizes, limits)
    return refused.value.code


def _bytes_of(picture: Any) -> bytes:
    return b"" if picture is None else picture.tobytes()


@given(sizes=st.lists(st.integers(1, 5_000), min_size=1, max_size=20))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_frames_are_those_of_the_whole_whatever_the_chunks(sizes: list[int]) -> None:
    with opened(WEBM, LIMITS) as clip:
        whole = [(frame.time_s, _bytes_of(frame.picture)) for frame in clip.frames()]
    assert found(WEBM, sizes) == whole


def test_an_mp4_with_its_index_in_front_arrives_too_and_one_without_waits_for_its_end() -> None:
    plain = a_clip(pictures(30))
    assert refusal(plain, [900]) == "CLIP_UNREADABLE"
    fragmented = _fragmented(plain)
    with opened(fragmented, LIMITS) as clip:
        whole = [(frame.time_s, _bytes_of(frame.picture)) for frame in clip.frames()]
    assert found(fragmented, [900]) == whole


@pytest.mark.parametrize(
    ("content", "limits", "code"),
    [
        (b"", LIMITS, "CLIP_EMPTY"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), LIMITS, "CLIP_IS_PICTURE"),
        (b"#EXTM3U\nhttp://example.org/clip", LIMITS, "CLIP_UNREADABLE"),
        (a_webm(pictures(4)), LIMITS, "CLIP_TOO_SHORT"),
        (WEBM, ClipLimits(bytes_max=len(WEBM) - 1), "CLIP_TOO_BIG"),
        (WEBM, ClipLimits(duration_s_max=0.6), "CLIP_TOO_LONG"),
        (WEBM, ClipLimits(codecs=frozenset({"h264"})), "CLIP_CODEC_UNSUPPORTED"),
        (WEBM, ClipLimits(side_px_min=80), "CLIP_RESOLUTION_UNSUPPORTED"),
    ],
)
def test_the_limits_hold_while_it_arrives(content: bytes, limits: ClipLimits, code: str) -> None:
    assert refusal(content, [700], limits) == code
    with pytest.raises(BadInput) as whole, opened(content, limits) as clip:
        list(clip.frames())
    assert whole.value.code == code


def test_the_pace_is_entered_for_work_and_never_while_waiting() -> None:
    working: list[bool] = [False]

    @contextlib.contextmanager
    def pace() -> Iterator[None]:
        working[0] = True
        yield
        working[0] = False

    class Watched(InChunks):
        def read(self, size: int, /) -> bytes:
            assert not working[0], "a place is held while waiting for bytes"
            return super().read(size)

    with arriving(Watched(WEBM, [300]), LIMITS, pace) as clip:
        for _ in clip.frames():
            assert working[0]
    assert not working[0]


def test_stretches_widen_with_a_clip_of_unknown_length() -> None:
    keeper, points = FrameKeeper(0.0), np.full((478, 3), 100.0, np.float32)
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 255, (200, 200, 3), np.uint8)
    points[:, :2] += rng.uniform(-30, 30, (478, 2)).astype(np.float32)
    for number in range(400):
        keeper.offer(number / 10, picture, points, HeadPose(0.0, 0.0, 0.0))
    times = [frame.time_s for frame in keeper.frames()]
    assert len(times) <= STRETCHES_MAX
    assert max(np.diff([*times, 40.0])) <= 4.0, "no part of a long clip goes without a kept frame"


@pytest.mark.models
def test_the_measurement_is_that_of_the_whole(tmp_path: Path) -> None:
    tools = clip_tools(ModelRuntime(ModelFiles()))
    clip = _first_seconds_as_webm(tmp_path, 2.4)
    whole = measure_clip(clip, tools, LIMITS)
    assert whole.face.template is not None
    streamed = measure_arriving_clip(InChunks(clip, [4_000, 1, 70_000]), tools, LIMITS)
    assert differences(whole, streamed) == []


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """Name the fields in which two measurements differ; how long measuring took is none of them."""
    if isinstance(one, np.ndarray):
        return [] if np.array_equal(one, other) else [name]
    if is_dataclass(one):
        parts = [each.name for each in fields(one) if each.name != "seconds"]
        return [
            d
            for each in parts
            for d in differences(getattr(one, each), getattr(other, each), f"{name}.{each}")
        ]
    if isinstance(one, tuple):
        pairs = list(zip(one, other, strict=False))
        return [name] * (len(one) != len(other)) + [d for a, b in pairs for d in differences(a, b, name)]
    return [] if one == other or (one != one and other != other) else [name]  # noqa: PLR0124 - NaN


def _fragmented(clip: bytes) -> bytes:
    made = io.BytesIO()
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(io.BytesIO(clip), "r") as source, av.open(made, "w", format="mp4", options=flags) as written:
        video = source.streams.video[0]
        copy = written.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                written.mux(packet)
    return made.getvalue()


def _first_seconds_as_webm(folder: Path, seconds: float) -> bytes:
    target = folder / "clip.webm"
    with (
        av.open(str(DEMO)) as source,
        av.open(str(target), "w", format="webm", options={"live": "1"}) as written,
    ):
        video: Any = source.streams.video[0]
        picture: Any = written.add_stream("libvpx", rate=25)
        picture.width, picture.height, picture.pix_fmt = 384, 384, "yuv420p"
        picture.options = {"deadline": "realtime", "cpu-used": "8"}
        for frame in source.decode(video):
            if frame.time is not None and frame.time > seconds:
                break
            smaller: Any = frame.reformat(384, 384, "yuv420p")
            smaller.pict_type = 0
            written.mux(picture.encode(smaller))
        written.mux(picture.encode(None))
    return target.read_bytes()
