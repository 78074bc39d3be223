"""Bodies that trickle in or never end."""

import asyncio

import pytest
from starlette.types import Message

from shiming.infrastructure.http.body_limits import BodyTooLarge, BodyTooSlow, BoundedBody, bound


async def _never() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.request", "body": b"", "more_body": False}


async def _for_ever() -> Message:
    await asyncio.sleep(0.01)
    return {"type": "http.request", "body": b"x", "more_body": True}


def a_body(receive: object, **changes: object) -> BoundedBody:
    plain: dict[str, object] = {"content_length": None, "is_json": True, "streams": False, **changes}
    return BoundedBody(receive, **plain)  # type: ignore[arg-type] # told by name


def test_a_body_that_does_not_come_is_given_up() -> None:
    with pytest.raises(BodyTooSlow):
        asyncio.run(a_body(_never, seconds_max=0.05)())


def test_a_body_that_trickles_is_given_up_as_a_whole() -> None:
    with pytest.raises(BodyTooSlow):
        asyncio.run(a_body(_for_ever, seconds_max=0.2)())


def test_an_upload_that_pauses_too_long_is_given_up() -> None:
    with pytest.raises(BodyTooSlow):
        asyncio.run(a_body(_never, streams=True, pause_s_max=0.05)())


def test_a_stated_length_beyond_the_limit_is_refused_before_a_byte_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        asyncio.run(a_body(_never, content_length=10**9)())


@pytest.mark.parametrize("length", ["", "-1", "abc", "１２"])
def test_a_length_that_is_no_number_is_not_believed(length: str) -> None:
    scope = {"type": "http", "headers": [(b"content-length", length.encode("utf-8"))]}
    assert bound(scope, _never).content_length is None
