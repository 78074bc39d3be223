"""Pages of a list by cursor: the position after the last item shown, opaque to the caller.

    page: Annotated[PageAsked, paged("lines")]
    rows = store.list_lines(connection, after=page.after, limit=page.size + 1)
    return page.listing([shown(row) for row in rows], key=lambda row: (row["registered_at"], row["id"]))

A cursor names its list, so that one of another list is refused; it grants nothing: the query behind it asks
the same permission with the same filters each time.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from shiming.vocabulary.errors import BadInput, Text

SIZE = 20
SIZE_MAX = 100  # a screen or two; longer lists are walked
CURSOR_CHARACTERS_MAX = 512
_KEYS_MAX = 4
CursorKey = tuple[str | int, ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PageAsked:
    """How many items are wanted, after which position."""

    name: str
    size: int
    after: CursorKey | None

    def listing(self, items: Sequence[_T], key: Callable[[_T], CursorKey]) -> dict[str, Any]:
        """Return `{"items", "next"}` from `size + 1` fetched items; the extra one says that there is more."""
        shown = list(items[: self.size])
        more = len(items) > self.size
        return {"items": shown, "next": write_cursor(self.name, key(shown[-1])) if more else None}


def paged(name: str, *, size_max: int = SIZE_MAX) -> Any:
    """Return the dependency that reads `cursor` and `limit`."""

    async def read(  # async: a thread would cost more than the work
        limit: Annotated[int, Query(ge=1, le=size_max, description="How many items at most.")] = min(
            SIZE, size_max
        ),
        cursor: Annotated[
            str | None,
            Query(max_length=CURSOR_CHARACTERS_MAX, description="`next` of the page before."),
        ] = None,
    ) -> PageAsked:
        return PageAsked(name, limit, None if cursor is None else read_cursor(name, cursor))

    return Depends(read)


class Listing(BaseModel):
    """A page: subclass it with `items: list[...]`."""

    next: str | None = None


def write_cursor(name: str, key: CursorKey) -> str:
    """Return the cursor after the item with this key."""
    text = json.dumps([name, *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(name: str, cursor: str) -> CursorKey:
    """Return the position that a cursor names; BadInput for anything that this list did not give out.

    >>> read_cursor("lines", write_cursor("lines", ("2026-11-22", 7)))
    ('2026-11-22', 7)
    """
    try:
        decoded = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _cursor_refused() from None
    match decoded:
        case [str(of), *key] if of == name and 0 < len(key) <= _KEYS_MAX and all(map(_is_part, key)):
            return tuple(key)
    raise _cursor_refused()


def _is_part(part: object) -> bool:
    return isinstance(part, str) or (type(part) is int and abs(part) < 1 << 63)


def _cursor_refused() -> BadInput:
    return BadInput(
        "CURSOR_INVALID",
        Text(zh="分页游标无效。", en="This cursor was not given out by this list."),
        Text(zh="请从第一页重新开始。", en="Start again from the first page."),
    )
