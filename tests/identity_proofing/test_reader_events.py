"""A stream of a reader's states: each change once, signs of life, an end, and a limit."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.identity_proofing.reader_events import Pace, ReaderStreams, reader_events
from shiming.identity_proofing.reader_states import WANTED_FOR, Known, Told, find_state, session_wanting, tell
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.jurisdictions.model import Channel, Route
from shiming.vocabulary.errors import Unavailable
from tests.identity_proofing.proofing_builders import a_policy
from tests.identity_proofing.proofing_desk import Desk

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def streamed(look: Callable[[], Known | None], pace: Pace) -> tuple[list[bytes], ReaderStreams]:
    streams = ReaderStreams()
    streams.enter()

    async def collect() -> list[bytes]:
        return [each async for each in reader_events(look, language="en", streams=streams, pace=pace)]

    return asyncio.run(collect()), streams


def test_each_change_is_told_once_and_the_stream_ends_by_itself() -> None:
    states = [
        None,
        Known(ReaderState.WANTED, "", "DEV-1", 1, NOW),
        Known(ReaderState.WANTED, "", "DEV-1", 1, NOW),
        Known(ReaderState.FAULT, "NOT_KNOWN_HERE", "DEV-1", 2, NOW),
    ]
    found, streams = streamed(lambda: states.pop(0) if len(states) > 1 else states[0], Pace(0.0, 60.0, 0.05))
    assert found[0].startswith(b"retry:")
    assert [line.split(b"\n")[1] for line in found[1:]] == [b"id: 1", b"id: 2"]
    assert b"The card could not be read" in found[-1]
    assert streams.open == 0


def test_a_silent_reader_leaves_signs_of_life() -> None:
    found, _ = streamed(lambda: None, Pace(0.0, 0.0, 0.02))
    assert found[1:]
    assert all(each.startswith(b":") for each in found[1:])


def test_there_is_a_limit() -> None:
    streams = ReaderStreams(most=1)
    streams.enter()
    with pytest.raises(Unavailable, match="READER_STREAMS_TOO_MANY"):
        streams.enter()


def test_a_device_finds_the_latest_wish_that_is_not_stale(tmp_path: Path, database: Engine) -> None:
    desk = Desk.open(tmp_path, database)
    application = Application(Channel.SHOP, Route.STANDARD)
    with desk.begin() as connection:
        first, second = (open_session(desk.tools, connection, application, a_policy()).id for _ in range(2))
        for minute, session in enumerate((first, second)):
            tell(connection, session, Told(ReaderState.WANTED, device="DEV-1"), NOW.replace(minute=minute))
        later = NOW.replace(minute=2)
        assert session_wanting(connection, "DEV-1", later) == second
        assert session_wanting(connection, "DEV-2", later) is None
        tell(connection, second, Told(ReaderState.READING, device="DEV-1"), later)
        assert session_wanting(connection, "DEV-1", later) == first
        assert session_wanting(connection, "DEV-1", NOW + WANTED_FOR) is None
        known = find_state(connection, second)
        assert known is not None
        assert (known.state, known.changes) == (ReaderState.READING, 2)
