"""The first half of verifying a ledger: every leaf of every lane, and the heads of the lanes."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.encryption import KeyProvider
from shiming.privacy.model import LeafRef, LedgerFault
from shiming.privacy.rules.merkle import HASH_BYTES
from shiming.privacy.rules.tiles import TILE_HASHES
from shiming.privacy.store import ledger as leaves_store
from shiming.privacy.store import ledger_tree as store
from shiming.privacy.store.ledger import LeafRow
from shiming.privacy.use_cases.examining import examine_leaf, is_our_head
from shiming.privacy.use_cases.findings import Findings
from shiming.vocabulary.permissions import inside

Progress = Callable[[int, int], None]  # leaves examined so far, leaves in all
PROGRESS_EVERY = 1000
_TILES_KEPT = 32  # of 8 KB; one lane walks through the tiles in order, so few are asked for twice


@inside("the first half of `verify_ledger`")
def examine_lanes(
    connection: Connection,
    keys: KeyProvider,
    findings: Findings,
    known_leaf: LeafRef | None,
    progress: Progress | None,
) -> int:
    """Examine all lanes; return how many leaves were as they were written."""
    heads = {row.lane: row for row in leaves_store.list_lanes(connection)}
    total = sum(whole_number(head.sequence) or 0 for head in heads.values())
    tiles = _LeafHashes(connection)
    met = known_leaf is None
    right = examined = 0
    for lane in store.list_known_lanes(connection):
        sealed = _SealedRuns(store.iterate_runs(connection, lane), lane, findings)
        walk = _LaneWalk(lane, heads.get(lane), keys=keys, findings=findings, tiles=tiles, sealed=sealed)
        for row in leaves_store.iterate_leaves(connection, lane):
            right += walk.step(row)
            examined += 1
            met = met or (known_leaf is not None and _is_known(known_leaf, row))
            if progress is not None and examined % PROGRESS_EVERY == 0:
                progress(examined, max(total, examined))
        walk.finish()
    if progress is not None:
        progress(examined, examined)
    if known_leaf is not None and not met:
        findings.add(known_leaf.leaf_id, LedgerFault.KNOWN_LEAF_CONTRADICTED)
    return right


@inside("rows of an examined ledger may hold anything; SQLite does not mind a word in a column of numbers")
def whole_number(value: Any) -> int | None:
    """Return the value when it is a whole number that is not negative."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


class _LaneWalk:
    """Follows one lane from its first leaf to its head."""

    def __init__(
        self,
        lane: Any,
        head: Row[Any] | None,
        *,
        keys: KeyProvider,
        findings: Findings,
        tiles: "_LeafHashes",
        sealed: "_SealedRuns",
    ) -> None:
        self._keys = keys
        self._findings = findings
        self._tiles = tiles
        self._lane = lane
        self._head = head
        self._sealed = sealed
        self._end = whole_number(head.sequence) or 0 if head is not None else 0
        self._expected = 1
        self._doubtful: int | None = None  # the number whose row was wrong, until the next number
        self._last: LeafRef | None = None  # the last leaf that was right

    def step(self, row: LeafRow) -> bool:
        """Examine the next row; say whether it is right."""
        sequence = whole_number(row.sequence)
        fault = examine_leaf(self._keys, row)
        index = None if sequence is None else self._sealed.index_of(sequence)
        if sequence is None or (fault is not None and sequence > max(self._end, self._expected)):
            self._findings.add(f"{self._lane}-{row.sequence}", fault or LedgerFault.LEAF_MOVED)
            return False
        second = sequence < self._expected and not (fault is None and sequence == self._doubtful)
        if sequence > self._expected:
            self._findings.add_missing(self._lane, self._expected, sequence - 1)
        if fault is None and second:
            fault = LedgerFault.LEAF_MOVED
        if fault is None and index is not None and self._tiles.differs(index, row.hash):
            fault = LedgerFault.LEAF_NOT_AS_SEALED
        self._expected = max(self._expected, sequence + 1)
        if fault is not None:
            self._findings.add(f"{self._lane}-{sequence}", fault)
            self._doubtful = sequence
            return False
        self._doubtful = None
        self._last = LeafRef(row.lane, sequence, row.hash)
        return True

    def finish(self) -> None:
        """Examine what should lie behind the last row, and the head of the lane."""
        end = max(self._end, self._sealed.last())
        self._findings.add_missing(self._lane, self._expected, end)
        fault = self._head_fault()
        if fault is not None:
            self._findings.add(f"lane {self._lane}", fault)

    def _head_fault(self) -> LedgerFault | None:
        if self._head is None:
            return LedgerFault.HEAD_MISSING
        if whole_number(self._head.sequence) is None:
            return LedgerFault.HEAD_FOREIGN
        if self._end < max(self._sealed.last(), self._last.sequence if self._last else 0):
            return LedgerFault.HEAD_SET_BACK
        last = self._last if self._end else None
        if self._end and (last is None or last.sequence != self._end):
            return None  # its leaf is missing or wrong, and that was said
        return None if is_our_head(self._keys, self._head, last) else LedgerFault.HEAD_FOREIGN


class _SealedRuns:
    """The runs of one lane, walked through beside its leaves."""

    def __init__(self, runs: Iterator[Row[Any]], lane: Any, findings: Findings) -> None:
        self._runs = runs
        self._lane = lane
        self._findings = findings
        self._first = self._last = 0
        self._index = 0

    def index_of(self, sequence: int) -> int | None:
        """Return where in the tree the leaf lies; numbers must be asked for in order."""
        while self._last < sequence and self._next():
            pass
        return self._index + sequence - self._first if self._first <= sequence <= self._last else None

    def last(self) -> int:
        """Return the last number that is sealed."""
        while self._next():
            pass
        return self._last

    def _next(self) -> bool:
        row = next(self._runs, None)
        if row is None:
            return False
        first, last, index = map(whole_number, (row.first_sequence, row.last_sequence, row.first_index))
        if first is None or last is None or index is None or first != self._last + 1 or last < first:
            self._findings.add(f"run {self._lane}-{row.first_sequence}", LedgerFault.RUN_CHANGED)
            return True
        self._first, self._last, self._index = first, last, index
        return True


class _LeafHashes:
    """The hashes of leaves as the tree holds them, a few tiles in memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tiles: OrderedDict[int, bytes] = OrderedDict()

    def differs(self, index: int, leaf_hash: str) -> bool:
        """Say whether the tree holds another hash; a tile that is missing is the other half's finding."""
        number, place = divmod(index, TILE_HASHES)
        if number not in self._tiles:
            self._tiles[number] = store.read_tile(self._connection, 0, number)
            if len(self._tiles) > _TILES_KEPT:
                self._tiles.popitem(last=False)
        found = self._tiles[number][place * HASH_BYTES : (place + 1) * HASH_BYTES]
        return bool(found) and found.hex() != leaf_hash


def _is_known(known: LeafRef, row: LeafRow) -> bool:
    return (known.lane, known.sequence, known.hash) == (row.lane, row.sequence, row.hash)
