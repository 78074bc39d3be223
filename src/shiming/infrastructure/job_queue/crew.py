"""The threads of one lane. A slow receiver of webhooks fills its own lane, not that of the sealing."""

import queue as queues
import threading
from collections.abc import Callable

from shiming.infrastructure.job_queue.model import Handlers, Lease
from shiming.infrastructure.job_queue.running import RunningTask


class Crew:
    """A fixed number of threads; the worker gives it no more tasks than it has free threads."""

    def __init__(
        self,
        name: str,
        handlers: Handlers,
        *,
        size: int,
        run: Callable[[RunningTask], None],
        freed: threading.Event,
    ) -> None:
        self.handlers = handlers
        self._size, self._run, self._freed = size, run, freed
        self._inbox: queues.SimpleQueue[RunningTask | None] = queues.SimpleQueue()
        self._lock = threading.Lock()
        self._in_hand: dict[Lease, RunningTask] = {}
        for number in range(size):  # daemons: a handler that hangs does not keep the process from ending
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def free(self) -> int:
        """Return how many threads wait for a task."""
        with self._lock:
            return self._size - len(self._in_hand)

    def in_hand(self) -> tuple[RunningTask, ...]:
        """Return the tasks that are not done."""
        with self._lock:
            return tuple(self._in_hand.values())

    def give(self, task: RunningTask) -> None:
        """Hand a task to a free thread."""
        with self._lock:
            self._in_hand[task.job.lease] = task
        self._inbox.put(task)

    def dismiss(self) -> None:
        """Let the threads end when they are free."""
        for _ in range(self._size):
            self._inbox.put(None)

    def _work(self) -> None:
        while (task := self._inbox.get()) is not None:
            try:
                self._run(task)
            finally:
                with self._lock:
                    del self._in_hand[task.job.lease]
                self._freed.set()
