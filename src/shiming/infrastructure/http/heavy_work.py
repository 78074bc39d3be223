"""A lane for work that takes seconds of processor time: few run, few wait, the rest are told to come back.

Places are given in the order of asking. Work that comes in moments over a long time (a clip that is measured
while it arrives) asks for a place for each moment (`moment`), so that it holds none while it waits for bytes.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shiming.vocabulary.errors import Text, Unavailable

RUNNING_MAX = 2  # each uses several cores through the inference engines; more only slow each other
WAITING_MAX = 18  # each waiting one holds a thread of the pool (40) and a spooled upload; pages need the rest
WAIT_S_MAX = 20.0  # shorter than the patience of a proxy in front (30 to 60 s)


@dataclass(slots=True)
class HeavyWork:
    """At most `running_max` at a time; `watch(running, waiting)` is told of each change of turns."""

    running_max: int = RUNNING_MAX
    waiting_max: int = WAITING_MAX
    wait_s_max: float = WAIT_S_MAX
    watch: Callable[[int, int], None] = lambda _running, _waiting: None
    _running: int = 0
    _waiting: int = 0
    _queue: deque[threading.Event] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a place of the lane; raise Unavailable (RECOGNITION_BUSY) when there is none soon."""
        with self._lock:
            if self._running >= self.running_max and self._waiting >= self.waiting_max:
                raise _busy(self.wait_s_max)
            self._waiting += 1
            self._told()
        try:
            self._enter(self.wait_s_max)
        finally:
            with self._lock:
                self._waiting -= 1
                self._told()
        try:
            yield
        finally:
            self._leave()

    @contextlib.contextmanager
    def moment(self) -> Iterator[None]:
        """Hold a place for some milliseconds; waits as long as it takes. Callers bound their own number."""
        self._enter(None)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, wait_s_max: float | None) -> None:
        with self._lock:
            if self._running < self.running_max and not self._queue:
                self._running += 1
                return
            granted = threading.Event()
            self._queue.append(granted)
        if granted.wait(wait_s_max):
            return
        with self._lock:
            if granted.is_set():  # just now
                return
            self._queue.remove(granted)
        raise _busy(wait_s_max or 0.0)

    def _leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().set()  # the place goes on to the one that waited longest
            else:
                self._running -= 1
            self._told()

    def _told(self) -> None:
        self.watch(self._running, self._waiting)


def _busy(retry_after_s: float) -> Unavailable:
    return Unavailable(
        "RECOGNITION_BUSY",
        Text(zh="识别服务繁忙。", en="Recognition is busy."),
        Text(zh="请按 Retry-After 稍后重新上传。", en="Upload it again after the time in Retry-After."),
        {"retry_after_s": round(retry_after_s)},
    )
