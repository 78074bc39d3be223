"""A lane for work that takes seconds of processor time: few run, few wait, the rest are told to come back."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shiming.vocabulary.errors import Text, Unavailable

RUNNING_MAX = 2  # each uses several cores through the inference engines; more only slow each other
WAITING_MAX = 8  # each waiting one holds a thread of the pool (40) and a spooled upload
WAIT_S_MAX = 20.0  # shorter than the patience of a proxy in front (30 to 60 s)


@dataclass(slots=True)
class HeavyWork:
    """At most `running_max` at a time; `watch(running, waiting)` is told of each change."""

    running_max: int = RUNNING_MAX
    waiting_max: int = WAITING_MAX
    wait_s_max: float = WAIT_S_MAX
    watch: Callable[[int, int], None] = lambda _running, _waiting: None
    _running: int = 0
    _waiting: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a place of the lane; raise Unavailable (RECOGNITION_BUSY) when there is none soon."""
        self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._told()
                self._changed.notify()

    def _enter(self) -> None:
        with self._changed:
            if self._running >= self.running_max and self._waiting >= self.waiting_max:
                raise _busy(self.wait_s_max)
            self._waiting += 1
            self._told()
            try:
                free = self._changed.wait_for(lambda: self._running < self.running_max, self.wait_s_max)
            finally:
                self._waiting -= 1
            if not free:
                self._told()
                raise _busy(self.wait_s_max)
            self._running += 1
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
