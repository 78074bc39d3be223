"""The states of a session's reader as Server-Sent Events.

A stream looks into the database, so it does not matter which server process the reader talks to; between two
looks it holds neither a thread nor a connection. The browser comes again when a stream ends.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool

from shiming.identity_proofing.connectors.sdt_reader.reader import FAULTS
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.identity_proofing.reader_states import Known
from shiming.vocabulary.errors import NO_ADVICE, Text, Unavailable

MEDIA_TYPE = "text/event-stream"
LOOK_EVERY_S = 0.5  # a person sees no delay; a counter costs two short reads a second
HEARTBEAT_S = 15.0  # proxies close what is silent for half a minute
STREAM_S_MAX = 300.0  # then the browser comes again, and may be asked again
RETRY_MS = 2_000
STREAMS_MAX = 500  # of one process: each is a socket and a few kilobytes
_UNNAMED = Text(zh="读卡没有成功。", en="The card could not be read.")


@dataclass(slots=True)
class ReaderStreams:
    """Counts the open streams of this process."""

    open: int = 0
    most: int = STREAMS_MAX

    def enter(self) -> None:
        """Count one more; Unavailable when there are too many."""
        if self.open >= self.most:
            words = refused("READER_STREAMS_TOO_MANY")
            raise Unavailable(words.code, words.text, words.advice)
        self.open += 1


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream looks, and how long it lives, in seconds."""

    look_every: float = LOOK_EVERY_S
    heartbeat: float = HEARTBEAT_S
    stream_max: float = STREAM_S_MAX


_PACE = Pace()


async def reader_events(
    look: Callable[[], Known | None], *, language: str, streams: ReaderStreams, pace: Pace = _PACE
) -> AsyncIterator[bytes]:
    """Yield an event for the present state and for each change after it, and heartbeats in between."""
    loop = asyncio.get_running_loop()
    began = silent_since = loop.time()
    seen = -1
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while loop.time() - began < pace.stream_max:
            known = await run_in_threadpool(look)
            if known is not None and known.changes != seen:
                seen, silent_since = known.changes, loop.time()
                yield event_of(known, language)
            elif loop.time() - silent_since >= pace.heartbeat:
                silent_since = loop.time()
                yield b": still here\n\n"
            await asyncio.sleep(pace.look_every)
    finally:
        streams.open -= 1


def event_of(known: Known, language: str) -> bytes:
    """Return one event; a fault carries its words in the language of the page."""
    said: dict[str, Any] = {"state": known.state.value, "changes": known.changes}
    if known.state is ReaderState.FAULT:
        text, advice = words_of(known.code)
        said |= {
            "code": known.code,
            "text": text.in_language(language),
            "advice": advice.in_language(language),
        }
    data = json.dumps(said, ensure_ascii=False)
    return f"event: reader\nid: {known.changes}\ndata: {data}\n\n".encode()


def words_of(code: str) -> tuple[Text, Text]:
    """Return text and advice of a fault that a reader told."""
    return FAULTS.get(code, (_UNNAMED, NO_ADVICE))
