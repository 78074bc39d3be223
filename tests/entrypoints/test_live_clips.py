"""Measuring while it arrives: what is lost of it is only time, whatever happens to the upload."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest

from shiming.entrypoints import live_clips
from shiming.entrypoints.live_clips import LiveClips
from shiming.identity_proofing.use_cases.measuring import fingerprint
from shiming.infrastructure.http.heavy_work import HeavyWork
from shiming.vocabulary.errors import BadInput, Text, Unavailable

CONTENT = bytes(range(256)) * 40
SOON_S = 10.0
PICTURE = np.zeros((4, 4, 3), np.uint8)


class ReadingRecognition:
    """Recognition whose measurement of a clip is what it read."""

    def __init__(self) -> None:
        self.refuses = False

    def warm_up(self) -> None:
        pass

    def portrait(self, picture: Any) -> Any:
        return ("template", picture.shape)

    def arriving_clip(self, file: Any, pace: Callable[[], AbstractContextManager[Any]]) -> Any:
        read = b""
        while piece := file.read(100):
            with pace():
                read += piece
        if self.refuses:
            raise BadInput("CLIP_UNREADABLE", Text(zh="无法读取", en="It cannot be read."))
        return read


@pytest.fixture
def recognition() -> ReadingRecognition:
    return ReadingRecognition()


@pytest.fixture
def clips(recognition: ReadingRecognition) -> LiveClips:
    return LiveClips(lambda: recognition, HeavyWork(running_max=1), live_max=2)


def mark(tmp_path: Any, content: bytes = CONTENT) -> str:
    file = tmp_path / "clip"
    file.write_bytes(content)
    return fingerprint(file)


def feed(clips: LiveClips, upload: str, content: bytes = CONTENT, size: int = 999) -> None:
    for start in range(0, len(content), size):
        piece = content[start : start + size]
        clips.feed(upload, start, piece, whole=start + size >= len(content))


def test_what_was_measured_early_is_of_this_very_content(clips: LiveClips, tmp_path: Any) -> None:
    clips.begin("SND-1", lambda: PICTURE)
    feed(clips, "SND-1")
    found: Any = clips.measured("SND-1", mark(tmp_path))
    assert found is not None
    assert found.clip == CONTENT
    assert found.portrait is not None
    assert found.portrait[1] == ("template", (4, 4, 3))
    assert clips.measured("SND-1", mark(tmp_path)) is None, "it is taken once"


def test_other_content_than_was_handed_in_does_not_count(clips: LiveClips, tmp_path: Any) -> None:
    clips.begin("SND-1", lambda: None)
    feed(clips, "SND-1")
    assert clips.measured("SND-1", mark(tmp_path, CONTENT + b"!")) is None


def test_a_gap_leaves_it_to_the_end(clips: LiveClips, tmp_path: Any) -> None:
    clips.begin("SND-1", lambda: None)
    clips.feed("SND-1", 0, CONTENT[:50], whole=False)
    clips.feed("SND-1", 60, CONTENT[60:], whole=True)  # another process took ten bytes
    assert clips.measured("SND-1", mark(tmp_path)) is None


def test_a_refusal_or_a_fault_is_left_to_the_whole(
    clips: LiveClips, recognition: ReadingRecognition, tmp_path: Any
) -> None:
    recognition.refuses = True
    clips.begin("SND-1", lambda: None)
    feed(clips, "SND-1")
    assert clips.measured("SND-1", mark(tmp_path)) is None

    def broken() -> Any:
        raise ZeroDivisionError

    clips.begin("SND-2", broken)
    feed(clips, "SND-2")
    assert clips.measured("SND-2", mark(tmp_path)) is None


def test_so_many_are_measured_at_once_and_others_at_their_end(clips: LiveClips, tmp_path: Any) -> None:
    for name in ("SND-1", "SND-2", "SND-3"):
        clips.begin(name, lambda: None)
    for name in ("SND-1", "SND-2", "SND-3"):
        feed(clips, name)
    found = [clips.measured(name, mark(tmp_path)) is not None for name in ("SND-1", "SND-2", "SND-3")]
    assert found == [True, True, False]
    clips.begin("SND-4", lambda: None)
    feed(clips, "SND-4")
    assert clips.measured("SND-4", mark(tmp_path)) is not None, "there is room again"


def test_an_ended_upload_and_a_stopping_server_let_their_threads_go(clips: LiveClips) -> None:
    clips.begin("SND-1", lambda: None)
    clips.begin("SND-2", lambda: None)
    clips.feed("SND-1", 0, CONTENT, whole=False)
    clips.drop("SND-1")
    second = clips._lives["SND-2"]
    clips.close()
    assert second.done.is_set(), "a stopping server waits for what is under way"
    deadline = time.monotonic() + SOON_S
    while _threads() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert _threads() == 0


def test_memory_is_bounded_when_the_reader_is_behind() -> None:
    arriving = live_clips.ArrivingBytes()
    chunk = bytes(1 << 20)
    for number in range((live_clips.WAITING_BYTES_MAX >> 20) + 1):
        arriving.feed(number << 20, chunk, whole=False)
    with pytest.raises(live_clips.Abandoned):
        arriving.read(10)


def test_a_place_is_kept_from_packet_to_packet_and_free_while_bytes_are_awaited() -> None:
    lane = HeavyWork(running_max=1, wait_s_max=0.01)
    slices = live_clips.Slices(lane)
    arriving = live_clips.ArrivingBytes(before_waiting=slices.give_back)
    arriving.feed(0, CONTENT, whole=False)
    for _ in range(3):
        arriving.read(100)
        with slices():
            pass
        with pytest.raises(Unavailable, match="RECOGNITION_BUSY"), lane.turn():
            pass
    arriving.read(len(CONTENT))
    reader = threading.Thread(target=arriving.read, args=(1,))
    reader.start()
    lane.wait_s_max = SOON_S
    with lane.turn():
        arriving.feed(len(CONTENT), b"", whole=True)
    reader.join(SOON_S)
    assert not reader.is_alive()


def test_nobody_keeps_a_place_for_longer_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_clips, "SLICE_S", 0.0)
    lane = HeavyWork(running_max=1, wait_s_max=0.01)
    with live_clips.Slices(lane)():
        pass
    with lane.turn():
        pass


def _threads() -> int:
    return sum(thread.name == "live-clip" for thread in threading.enumerate())
