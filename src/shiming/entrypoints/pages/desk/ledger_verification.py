"""Verify the ledger while somebody watches: a thread of its own, one at a time, its progress as events."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fastapi import Request

from shiming.privacy.model import LedgerBroken, LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.vocabulary.errors import Text, Unavailable

#: Each reads the whole ledger and keeps a core busy; more would slow the counter beside it.
VERIFICATIONS_AT_ONCE = 1
PROGRESS_EVERY_S = 0.3
_THREADS = ThreadPoolExecutor(VERIFICATIONS_AT_ONCE, "ledger-verification")
_TURN = threading.Semaphore(VERIFICATIONS_AT_ONCE)


class _Left(Exception):
    """Whoever watched has gone."""


@dataclass(slots=True)
class Verification:
    """One run. `outcome` None: it was not ended."""

    done: int = 0
    total: int = 0
    outcome: LedgerVerified | LedgerBroken | None = None
    seconds: float = 0.0
    left: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int) -> None:
        """Note how far it is; stop when nobody watches."""
        if self.left.is_set():
            raise _Left
        self.done, self.total = done, total


def verify_now(request: Request, run: Verification | None = None) -> Verification:
    """Verify the ledger in this thread; raise Unavailable when that is being done for somebody else."""
    if not _TURN.acquire(blocking=False):
        raise _busy()
    run = run or Verification()
    platform, begun = request.app.state.platform, time.monotonic()
    try:
        run.outcome = verify_ledger(
            platform.engine,
            platform.keys,
            platform.ledger_keys,
            witnesses=platform.witness_keys,
            progress=run.progress,
        )
    except _Left:
        pass
    finally:
        _TURN.release()
        run.seconds = time.monotonic() - begun
    return run


async def watched(
    request: Request, shown: Callable[[Verification], str], refused: Callable[[Unavailable], str]
) -> AsyncIterator[str]:
    """Yield server-sent events: `progress` with counts, and at the end `result` with a piece of the page."""
    run = Verification()
    work = asyncio.get_running_loop().run_in_executor(_THREADS, verify_now, request, run)
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=PROGRESS_EVERY_S)
            yield event("progress", {"done": run.done, "total": run.total})
        try:
            yield event("result", {"html": shown(await work)})
        except Unavailable as problem:
            yield event("result", {"html": refused(problem)})
    finally:
        run.left.set()


def event(name: str, content: object) -> str:
    r"""Return one server-sent event.

    >>> event("progress", {"done": 1})
    'event: progress\ndata: {"done": 1}\n\n'
    """
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def _busy() -> Unavailable:
    return Unavailable(
        "LEDGER_BEING_VERIFIED",
        Text(zh="账本正在核验。", en="The ledger is being verified for somebody else."),
        Text(zh="请稍后重试。", en="Try again in a moment."),
    )
