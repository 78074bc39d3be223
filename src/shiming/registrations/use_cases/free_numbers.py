"""Find free numbers: from a place that chance chooses, a page at a time, without walking through the pool.

The walk goes from that place to the end of the operator's last block, then from the first block up to the
place again. It looks at numbers by arithmetic and asks the database about a few hundred at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.engine import Connection

from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberBlock, NumberRange, read_ending, read_operator
from shiming.registrations.permissions.numbers import MayReadNumbers
from shiming.registrations.rules.number_pool import numbers_in, without
from shiming.registrations.store import numbers as store
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import asks

#: Numbers looked at for one page: where nearly all are taken, a page is short and the next goes on.
EXAMINED_MAX = 20_000
_ASKED_AT_ONCE = 500
_BLOCKS_AT_ONCE = 50
_RANDOM_BYTES = 8
_BEFORE_ALL = "+"


@dataclass(frozen=True, slots=True)
class NumbersWanted:
    """Whose numbers, for which kind of line, with which last digits, in which range of theirs."""

    operator: str
    kind: LineKind | None = None
    ending: str = ""
    block_id: str | None = None

    @classmethod
    def parse(
        cls, operator: str, kind: LineKind | None = None, ending: str = "", block_id: str | None = None
    ) -> "NumbersWanted":
        """Read a wish; raise BadInput."""
        return cls(read_operator(operator), kind, read_ending(ending), block_id)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the walk: the number it began with, and the last one looked at, each with its block."""

    began_block: str  # the first number of the block
    began: str
    block: str
    number: str | None = None  # None: nothing of the block was looked at
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class FreeNumbers:
    """Free numbers, and where the walk goes on; None: everything was looked at."""

    numbers: tuple[Msisdn, ...]
    next: Place | None


@asks(MayReadNumbers)
def find_free(
    tools: RegistrationTools,
    connection: Connection,
    wanted: NumbersWanted,
    *,
    place: Place | None = None,
    limit: int,
    now: datetime,
) -> FreeNumbers:
    """Return at most `limit` free numbers from a place on; without one from where chance says."""
    here = place or _anywhere(tools, connection, wanted)
    if here is None:
        return FreeNumbers((), None)
    found: list[Msisdn] = []
    examined = 0
    for block, part in _parts(connection, wanted, here):
        numbers = numbers_in(part, wanted.ending)
        while asked := list(islice(numbers, _ASKED_AT_ONCE)):
            taken = store.taken(connection, asked, now)
            examined += len(asked)
            for number in asked:
                if number in taken:
                    continue
                found.append(Msisdn(number))
                if len(found) == limit:
                    return FreeNumbers(tuple(found), _at(here, block, number))
            if examined >= EXAMINED_MAX:
                return FreeNumbers(tuple(found), _at(here, block, asked[-1]))
    return FreeNumbers(tuple(found), None)


def _anywhere(tools: RegistrationTools, connection: Connection, wanted: NumbersWanted) -> Place | None:
    """Return a place that chance chooses: a block, and a number in it."""
    block = store.some_block(
        connection,
        wanted.operator,
        kind=wanted.kind,
        block_id=wanted.block_id,
        from_reference=tools.privacy.new_reference("RNG"),
    )
    if block is None:
        return None
    drawn = int.from_bytes(tools.privacy.random_bytes(_RANDOM_BYTES)) % block.range.size
    return Place(block.range.first, block.range.at(drawn), block.range.first)


def _at(began: Place, block: "_Visited", number: str) -> Place:
    return Place(began.began_block, began.began, block.first, number, block.wrapped)


@dataclass(frozen=True, slots=True)
class _Visited:
    first: str
    wrapped: bool


def _parts(
    connection: Connection, wanted: NumbersWanted, here: Place
) -> Iterator[tuple[_Visited, NumberRange]]:
    """Yield what may be given out, block by block, from a place on and round to where the walk began."""
    if not here.wrapped:
        for block in _blocks(connection, wanted, here.block):
            visited = _Visited(block.range.first, wrapped=False)
            begin = here.number or here.began if block.range.first == here.block else None
            yield from _rest(connection, visited, block, begin, after=here.number is not None)
    first = here.block if here.wrapped else _BEFORE_ALL
    for block in _blocks(connection, wanted, first):
        visited = _Visited(block.range.first, wrapped=True)
        begin = here.number if here.wrapped and block.range.first == here.block else None
        if block.range.first == here.began_block:
            yield from _rest(connection, visited, block, begin, after=True, until=here.began)
            return
        yield from _rest(connection, visited, block, begin, after=True)


def _rest(
    connection: Connection,
    visited: _Visited,
    block: NumberBlock,
    begin: str | None,
    *,
    after: bool,
    until: str | None = None,
) -> Iterator[tuple[_Visited, NumberRange]]:
    """Yield what of a block lies between (or at, or after) a number and before another, but exclusions."""
    first, last = int(begin or block.range.first), int(block.range.last)
    if begin is not None and after:
        first += 1
    if until is not None:
        last = min(last, int(until) - 1)
    if first > last:
        return
    whole = NumberRange(f"+{first}", f"+{last}")
    for part in without(whole, store.exclusions_in(connection, block.range)):
        yield visited, part


def _blocks(connection: Connection, wanted: NumbersWanted, first: str) -> Iterator[NumberBlock]:
    """Yield blocks in order from the one that begins with `first`, read a few at a time."""
    behind = False
    while True:
        blocks = store.blocks_from(
            connection,
            wanted.operator,
            kind=wanted.kind,
            block_id=wanted.block_id,
            first=first,
            behind=behind,
            limit=_BLOCKS_AT_ONCE,
        )
        yield from blocks
        if len(blocks) < _BLOCKS_AT_ONCE:
            return
        first, behind = blocks[-1].range.first, True
