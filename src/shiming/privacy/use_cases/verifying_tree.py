"""The second half of verifying a ledger: batches, runs, tiles and checkpoints make one growing tree."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.signed_notes import NoteKey, parse_note, wrong_cosignatures
from shiming.privacy.model import LedgerFault
from shiming.privacy.rules.checkpoint import Checkpoint
from shiming.privacy.rules.merkle import EMPTY_ROOT, HASH_BYTES, RightEdge, complete_root
from shiming.privacy.rules.tiles import TILE_BYTES, TILE_HASHES, hashes_of, tiles_of
from shiming.privacy.store import ledger_tree as store
from shiming.privacy.use_cases.findings import Findings
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.privacy.use_cases.verifying_lanes import whole_number
from shiming.vocabulary.permissions import inside


@inside("the second half of `verify_ledger`")
def examine_tree(
    connection: Connection,
    findings: Findings,
    log_keys: tuple[NoteKey, ...],
    witnesses: tuple[NoteKey, ...],
    known: Checkpoint | None,
) -> int:
    """Rebuild the tree hash by hash in constant memory; return the size that the last checkpoint states."""
    walk = _TreeWalk(connection, findings, log_keys, witnesses, known)
    for row in store.iterate_batches(connection):
        walk.step(row)
    return walk.finish()


class _TreeWalk:
    """Follows the batches; keeps the right edge of the tree and one tile a level."""

    def __init__(
        self,
        connection: Connection,
        findings: Findings,
        log_keys: tuple[NoteKey, ...],
        witnesses: tuple[NoteKey, ...],
        known: Checkpoint | None,
    ) -> None:
        newest = store.find_newest_batch(connection)
        self._size = (whole_number(newest.size) or 0) if newest else 0
        self._findings = findings
        self._log_keys = log_keys
        self._witnesses = witnesses
        self._runs = _Runs(store.iterate_runs(connection), findings)
        self._leaves = _leaf_hashes(connection, findings, self._size)
        self._edge = RightEdge()
        self._batch = 0
        self._stated_size = 0
        self._stated_root = EMPTY_ROOT.hex()
        self._root_was_wrong = False  # every later root is then wrong as well
        self._known = known
        self._known_root = EMPTY_ROOT if known is not None and known.size == 0 else None

    def step(self, row: Row[Any]) -> None:
        """Examine one batch.

        (1) it follows the batch before it, in number, size and root
        (2) its runs cover the leaves that it adds
        (3) the hashes in the tiles give its root
        (4) our key signed a checkpoint that says so, and no witness's signature on it is wrong
        """
        at, size = f"batch {row.batch}", whole_number(row.size)
        follows = (row.batch, row.first_index, row.previous_root) == (
            self._batch + 1,
            self._stated_size,
            self._stated_root,
        )
        if not follows or size is None or size <= self._stated_size or size > self._size:
            self._findings.add(f"batch {self._batch + 1}", LedgerFault.BATCH_MISSING)
        if size is None or size > self._size:
            return
        self._batch, self._stated_size, self._stated_root = whole_number(row.batch) or 0, size, row.root
        self._runs.cover(size, row.batch)
        if not self._root_was_wrong and self._root_at(size) != row.root:
            self._root_was_wrong = True
            self._findings.add(at, LedgerFault.ROOT_CHANGED)
        signed = signed_checkpoint(row.checkpoint, self._log_keys)
        if signed is None or (signed.size, signed.root.hex()) != (size, row.root):
            self._findings.add(at, LedgerFault.CHECKPOINT_FOREIGN)
        elif wrong_cosignatures(parse_note(row.checkpoint), self._witnesses):
            self._findings.add(at, LedgerFault.COSIGNATURE_WRONG)

    def finish(self) -> int:
        """Examine what may lie behind the last batch, and the checkpoint that was kept outside."""
        self._runs.nothing_left(self._batch + 1)
        for _ in self._leaves:  # lets it examine the last tiles
            pass
        if self._known is not None and self._known_root != self._known.root:
            at = f"checkpoint {self._known.size}"
            self._findings.add(at, LedgerFault.KNOWN_CHECKPOINT_CONTRADICTED)
        return self._stated_size

    def _root_at(self, size: int) -> str | None:
        while self._edge.size < size:
            leaf = next(self._leaves, None)
            if leaf is None:
                return None  # a tile is missing, and that was said
            self._edge.append(leaf)
            if self._known is not None and self._edge.size == self._known.size:
                self._known_root = self._edge.root()
        return self._edge.root().hex()


class _Runs:
    """All runs in the order of the tree: they must cover it without gap or overlap."""

    def __init__(self, runs: Iterator[Row[Any]], findings: Findings) -> None:
        self._runs = runs
        self._findings = findings
        self._covered = 0

    def cover(self, size: int, batch: Any) -> None:
        """Walk through the runs of one batch."""
        while self._covered < size:
            row = next(self._runs, None)
            if row is None:
                self._findings.add(f"batch {batch}", LedgerFault.RUN_CHANGED)
                self._covered = size
                return
            first, last, index = map(whole_number, (row.first_sequence, row.last_sequence, row.first_index))
            backward = first is None or last is None or last < first
            if backward or (index, row.batch) != (self._covered, batch):
                self._findings.add(f"run {row.lane}-{row.first_sequence}", LedgerFault.RUN_CHANGED)
            length = last - first + 1 if first is not None and last is not None else 0
            self._covered = max(self._covered, (index or 0) + length)

    def nothing_left(self, batch: int) -> None:
        """Note a run that belongs to no batch."""
        if next(self._runs, None) is not None:
            self._findings.add(f"batch {batch}", LedgerFault.BATCH_MISSING)


def _leaf_hashes(connection: Connection, findings: Findings, size: int) -> Iterator[bytes]:
    """Give the hashes of the leaves in order, and compare every tile with the one above it on the way."""
    upper = _UpperTiles(connection, findings)
    expected, number = size, 0
    for row in store.iterate_tiles(connection, 0):
        tile = row.hashes if isinstance(row.hashes, bytes) else b""
        held = min(TILE_HASHES, expected)
        if not held or row.tile != number or len(tile) < held * HASH_BYTES:
            break
        yield from hashes_of(tile)[:held]  # one that holds more is found when all are counted
        if held == TILE_HASHES:
            upper.add(1, number, complete_root(hashes_of(tile[:TILE_BYTES])))
        expected, number = expected - held, number + 1
    if expected:
        findings.add(f"tile 0/{number}", LedgerFault.TILE_CHANGED)
        return
    counts = {
        level: (-(-count // TILE_HASHES), count * HASH_BYTES) for level, count in tiles_of(size).items()
    }
    for level, tiles, held in store.list_tile_levels(connection):
        if counts.pop(level, None) != (tiles, held):
            findings.add(f"tiles of level {level}", LedgerFault.TILE_CHANGED)
    for level in counts:
        findings.add(f"tiles of level {level}", LedgerFault.TILE_CHANGED)


class _UpperTiles:
    """The tiles above the leaves, compared with what the tiles below them give."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._tiles: dict[int, tuple[int, bytes]] = {}  # level -> number and hashes of the tile at hand

    def add(self, level: int, index: int, root: bytes) -> None:
        """Compare the hash number `index` of a level with the root of the full tile below it."""
        number, place = divmod(index, TILE_HASHES)
        if self._tiles.get(level, (None, b""))[0] != number:
            self._tiles[level] = (number, store.read_tile(self._connection, level, number))
        tile = self._tiles[level][1]
        if tile[place * HASH_BYTES : (place + 1) * HASH_BYTES] != root:
            self._findings.add(f"tile {level - 1}/{index}", LedgerFault.TILE_CHANGED)
        if place == TILE_HASHES - 1:
            self.add(level + 1, number, complete_root(hashes_of(tile)) if len(tile) == TILE_BYTES else b"")
