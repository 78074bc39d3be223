"""Clips measured while they are uploaded: one thread for each, fed with what has been kept already.

A thread waits for bytes most of the time; it takes a place of the lane of heavy work for what has arrived, a
second of work at most, so that counters share the processor in turn. Everything here may be lost without
harm: an upload without an analyser (too many at once, a gap because another process took a chunk, a restart,
an MP4 whose index comes last) is measured whole when it is handed in, with the same result.
"""

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shiming.identity_proofing.ports import Measured
from shiming.infrastructure.http.heavy_work import HeavyWork
from shiming.recognition.measurements import ClipMeasurement, FaceTemplate, Image
from shiming.vocabulary.errors import ShimingError

LIVE_MAX = 8  # each keeps about 40 MB: 20 frames, a decoder, its bytes; the rest are measured at their end
WAITING_BYTES_MAX = 8 << 20  # more than so far behind, it could as well be measured at the end
IDLE_S_MAX = 30.0  # no bytes for so long: the person went away, or another process has the upload now
KEPT_S_MAX = 120.0  # from the last byte until it is handed in
RESULT_S_MAX = 60.0  # how long handing in waits for the last frames, on a busy server
STOP_S_MAX = 2.0  # an engine ends the frame that it is at
SLICE_S = 1.0  # about what others hold a place for; a place for each packet would be given after all others
NICENESS = 5  # below the threads that answer requests

_log = logging.getLogger("shiming.live_clips")


class Abandoned(OSError):
    """Nothing more will arrive, and the clip is not whole."""


@dataclass(slots=True)
class ArrivingBytes:
    """A file that grows: `feed` and `end` by one thread, `read` by another."""

    hash: Any = field(default_factory=hashlib.sha256)
    fed: int = 0
    before_waiting: Callable[[], None] = lambda: None
    _waiting: deque[bytes] = field(default_factory=deque)
    _bytes_waiting: int = 0
    _ended: bool = False
    _abandoned: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def feed(self, start: int, content: bytes, *, whole: bool) -> None:
        """Append what follows; a gap, or a reader too far behind, abandons it."""
        with self._changed:
            if start != self.fed or self._bytes_waiting + len(content) > WAITING_BYTES_MAX:
                self._abandoned = True
            else:
                self.hash.update(content)
                self.fed += len(content)
                self._bytes_waiting += len(content)
                if content:
                    self._waiting.append(content)
                self._ended = whole
            self._changed.notify()

    def abandon(self) -> None:
        """Let the reader go."""
        with self._changed:
            self._abandoned = True
            self._changed.notify()

    def read(self, size: int, /) -> bytes:
        """Return what is there, waiting for the first byte; none at the end; raises `Abandoned`."""
        with self._changed:
            if not self._moved():
                self.before_waiting()
            moved = self._changed.wait_for(self._moved, IDLE_S_MAX)
            if self._abandoned or not moved:
                raise Abandoned
            if not self._waiting:
                return b""
            piece = self._waiting.popleft()
            if len(piece) > size:
                self._waiting.appendleft(piece[size:])
                piece = piece[:size]
            self._bytes_waiting -= len(piece)
            return piece

    def _moved(self) -> bool:
        return bool(self._waiting) or self._ended or self._abandoned


class Slices:
    """The pace of one clip: its place of the lane is kept from packet to packet, for a slice of time."""

    def __init__(self, lane: HeavyWork) -> None:
        self._lane = lane
        self._place = contextlib.ExitStack()
        self._since: float | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Work on a packet."""
        if self._since is None:
            self._place.enter_context(self._lane.moment())
            self._since = time.monotonic()
        yield
        if self._since is not None and time.monotonic() - self._since >= SLICE_S:
            self.give_back()

    def give_back(self) -> None:
        """Let others have the place; before waiting for bytes, and at the end."""
        self._since = None
        self._place.close()


@dataclass(slots=True)
class _Live:
    """One upload that is being measured."""

    bytes: ArrivingBytes = field(default_factory=ArrivingBytes)
    clip: ClipMeasurement | None = None
    portrait: tuple[Image, FaceTemplate] | None = None
    done: threading.Event = field(default_factory=threading.Event)
    fed_at: float = field(default_factory=time.monotonic)


class LiveClips:
    """The uploads that this process measures while they arrive (`ports.EarlyMeasuring`)."""

    def __init__(self, recognition: Callable[[], Any], lane: HeavyWork, live_max: int = LIVE_MAX) -> None:
        self._recognition, self._lane, self._live_max = recognition, lane, live_max
        self._lives: dict[str, _Live] = {}
        self._lock = threading.Lock()

    def begin(self, upload_id: str, portrait: Callable[[], Image | None]) -> None:
        """Make ready for a clip, unless enough are being measured."""
        with self._lock:
            self._forget_old()
            if len(self._lives) >= self._live_max:
                return
            live = self._lives[upload_id] = _Live()
        work = threading.Thread(target=self._run, args=(live, portrait), name="live-clip", daemon=True)
        work.start()

    def feed(self, upload_id: str, start: int, content: bytes, *, whole: bool) -> None:
        """Take the next bytes, which are kept already."""
        live = self._lives.get(upload_id)
        if live is not None:
            live.fed_at = time.monotonic()
            live.bytes.feed(start, content, whole=whole)

    def drop(self, upload_id: str) -> None:
        """Forget an upload."""
        with self._lock:
            live = self._lives.pop(upload_id, None)
        if live is not None:
            live.bytes.abandon()

    def measured(self, upload_id: str, content_hash: str) -> Measured | None:
        """Wait for what was measured early of this very content and take it; None: measure it now."""
        with self._lock:
            live = self._lives.get(upload_id)
        if live is None:
            return None
        found = live.done.wait(RESULT_S_MAX)
        self.drop(upload_id)
        if not found or live.clip is None or content_hash != _as_handed_in(live.bytes.hash):
            return None
        return Measured(live.clip, live.portrait)

    def close(self) -> None:
        """Let all go, and wait until they went: what they log after the server stopped is lost."""
        lives = dict(self._lives)
        for upload_id in lives:
            self.drop(upload_id)
        deadline = time.monotonic() + STOP_S_MAX
        for live in lives.values():
            live.done.wait(max(0.0, deadline - time.monotonic()))

    def _run(self, live: _Live, portrait: Callable[[], Image | None]) -> None:
        _step_back()
        slices = Slices(self._lane)
        live.bytes.before_waiting = slices.give_back
        try:
            recognition = self._recognition()
            picture = portrait()
            with self._lane.moment():
                recognition.warm_up()
                if picture is not None:
                    live.portrait = _template(recognition, picture)
            live.clip = recognition.arriving_clip(live.bytes, slices)
        except (ShimingError, OSError) as reason:  # the whole is measured, and says what is wrong with it
            _log.info("not measured early", extra={"fields": {"reason": type(reason).__name__}})
        except Exception as fault:  # noqa: BLE001 - a fault here must not cost the upload
            _log.warning("not measured early", extra={"fields": {"fault": type(fault).__name__}})
        finally:
            slices.give_back()
            live.done.set()

    def _forget_old(self) -> None:
        """Drop what nobody handed in, or feeds any more."""
        now = time.monotonic()
        for upload_id, live in tuple(self._lives.items()):
            if now - live.fed_at > (KEPT_S_MAX if live.done.is_set() else KEPT_S_MAX + IDLE_S_MAX):
                del self._lives[upload_id]
                live.bytes.abandon()


def _template(recognition: Any, picture: Image) -> tuple[Image, FaceTemplate] | None:
    try:
        return picture, recognition.portrait(picture)
    except ShimingError:
        return None  # found again, and said, when the two are compared


def _as_handed_in(digest: Any) -> str:
    """Return the fingerprint of one file as `measuring.fingerprint` writes it."""
    whole = digest.copy()
    whole.update(b"\x00|")
    return "sha256:" + str(whole.hexdigest())


def _step_back() -> None:
    """Let the threads that answer requests go first; Linux has a niceness for each thread."""
    if hasattr(os, "setpriority") and hasattr(threading, "get_native_id"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError:  # pragma: no cover - not allowed here; it only costs politeness
            return
