"""Turns of the threads that write to one SQLite database: first come, first served.

SQLite has one writer at a time and lets the others poll, which under load keeps unlucky threads waiting for
seconds. Within one process the threads queue here instead, so that nobody starves; between processes
SQLite's own busy handler still decides.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class TurnNotReached(Exception):
    """The queue did not move on in time: somebody holds the database."""


class WriterTurns:
    """A lock that is handed on in the order in which it was asked for."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._owner: int | None = None

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Wait for the turn; TurnNotReached after the time limit, RuntimeError inside one's own turn."""
        me = threading.get_ident()
        self._enter(me)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, me: int) -> None:
        with self._mutex:
            if self._owner == me:
                message = "one unit of work inside another would wait for itself"
                raise RuntimeError(message)
            if self._owner is None:
                self._owner = me
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        if ticket.acquire(timeout=self._timeout_s):
            self._owner = me
            return
        with self._mutex:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                raise TurnNotReached
        self._owner = me  # the turn came while giving up

    def _leave(self) -> None:
        with self._mutex:
            if self._waiting:
                self._owner = -1  # on its way to the next in the queue
                self._waiting.popleft().release()
            else:
                self._owner = None
