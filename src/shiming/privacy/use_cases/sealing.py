"""Seal the ledger: take what every lane holds beyond what is sealed, and sign the tree that it makes.

The sealer works beside the writers, not in their transactions. A lane's numbers commit in their order, so
the heads of all lanes under one snapshot are a watermark: every leaf up to them can be seen, and one that
commits later has a higher number in its lane and is taken by the next batch. It reads, hashes and signs
without holding a lock; the number of the batch is unique, so of two sealers only one can add it.

Before it signs, it makes sure that the tree still gives the root of the checkpoint that was signed last: a
log must never sign two histories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection, Engine, Row

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.signed_notes import NoteKey, NoteSigner
from shiming.privacy.model import LedgerFault, LedgerFinding, LedgerSealed
from shiming.privacy.rules.checkpoint import Checkpoint
from shiming.privacy.rules.merkle import EMPTY_ROOT, tree_root
from shiming.privacy.rules.tiles import TileDamaged, grown_tiles, subtrees_in
from shiming.privacy.store import ledger as leaves_store
from shiming.privacy.store import ledger_tree as store
from shiming.privacy.use_cases.examining import examine_leaf
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.vocabulary.permissions import inside

#: Leaves of one batch: about 5 MB in memory and forty tiles in one transaction, a few tenths of a second.
BATCH_LEAVES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Run:
    lane: int
    first_sequence: int
    last_sequence: int
    first_index: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A batch that is ready to be written, and what the sealer refused."""

    batch: int
    first_index: int
    size: int
    previous_root: bytes
    root: bytes
    runs: tuple[_Run, ...]
    tiles: Mapping[tuple[int, int], bytes]
    stopped: tuple[LedgerFinding, ...]


@inside("the sealing job and `shiming ledger seal` call it; it shows nothing to anybody")
def seal_ledger(
    engine: Engine,
    keys: KeyProvider,
    log: NoteSigner,
    clock: Clock,
    *,
    older_keys: tuple[NoteKey, ...] = (),
    batch_leaves_max: int = BATCH_LEAVES_MAX,
) -> LedgerSealed:
    """Seal everything that was committed when this began, batch by batch, and say what was done.

    `older_keys` verify checkpoints that were signed before the log's key was changed.
    """
    leaves = batches = 0
    with reading(engine) as connection, leaves_store.tolerant_text(connection):
        progress = store.list_progress(connection)
        tip = store.find_newest_batch(connection)
    size = tip.size if tip else 0
    if all(last <= sealed for last, sealed in progress.values()):
        return LedgerSealed(0, 0, size)
    goals = {lane: last for lane, (last, _) in progress.items()}
    while True:
        with reading(engine) as connection, leaves_store.tolerant_text(connection):
            draft = _draft(connection, keys, (log.key, *older_keys), goals, batch_leaves_max)
        if isinstance(draft, LedgerFinding):
            return LedgerSealed(leaves, batches, size, (draft,))
        size = draft.first_index
        if not draft.runs or not _write(engine, draft, log, clock.now()):
            return LedgerSealed(leaves, batches, size, draft.stopped)
        leaves, batches, size = leaves + draft.size - draft.first_index, batches + 1, draft.size


@inside("metrics and health: a lag that grows says that the sealer does not run, or that a lane waits")
def count_unsealed(connection: Connection) -> int:
    """Return how many leaves are committed and not in a checkpoint yet."""
    return sum(max(0, last - sealed) for last, sealed in store.list_progress(connection).values())


def _draft(
    connection: Connection,
    keys: KeyProvider,
    log_keys: tuple[NoteKey, ...],
    goals: Mapping[int, int],
    limit: int,
) -> _Draft | LedgerFinding:
    """Read the next batch and grow the tree by it; a finding when the tree is not what was signed last."""
    tip = store.find_newest_batch(connection)
    batch, size = (tip.batch, tip.size) if tip else (0, 0)
    previous_root = _root_signed_last(connection, tip, log_keys)
    if isinstance(previous_root, LedgerFinding):
        return previous_root
    hashes: list[bytes] = []
    runs: list[_Run] = []
    stopped: list[LedgerFinding] = []
    for lane, (_, sealed) in sorted(store.list_progress(connection).items()):
        count = min(goals.get(lane, 0) - sealed, limit - len(hashes))
        if count <= 0:
            continue
        found, finding = _read_run(connection, keys, lane, sealed, count)
        if found:
            runs.append(_Run(lane, sealed + 1, sealed + len(found), size + len(hashes)))
        hashes += found
        stopped += [finding] if finding else []
    try:
        tiles, root = _grow(connection, size, hashes)
    except TileDamaged as damaged:
        return LedgerFinding(f"tile {damaged}", LedgerFault.TILE_CHANGED)
    return _Draft(
        batch + 1, size, size + len(hashes), previous_root, root, tuple(runs), tiles, tuple(stopped)
    )


def _grow(
    connection: Connection, size: int, hashes: Sequence[bytes]
) -> tuple[dict[tuple[int, int], bytes], bytes]:
    """Return the tiles that change and the new root; TileDamaged when the tiles do not fit the size."""
    tiles = grown_tiles(size, hashes, lambda *at: store.read_tile(connection, *at))
    hash_at = subtrees_in(lambda *at: tiles[at] if at in tiles else store.read_tile(connection, *at))
    return tiles, tree_root(size + len(hashes), hash_at)


def _read_run(
    connection: Connection, keys: KeyProvider, lane: int, sealed: int, count: int
) -> tuple[list[bytes], LedgerFinding | None]:
    """Return the hashes of the leaves that follow in a lane, up to the first that is not as written."""
    hashes: list[bytes] = []
    expected = sealed + 1
    for row in leaves_store.iterate_leaves(connection, lane, after=sealed, limit=count):
        fault = LedgerFault.LEAF_MISSING if row.sequence != expected else examine_leaf(keys, row)
        if fault is not None:
            return hashes, LedgerFinding(f"{lane}-{expected}", fault)
        hashes.append(bytes.fromhex(row.hash))
        expected += 1
    if len(hashes) < count:
        return hashes, LedgerFinding(f"{lane}-{expected}", LedgerFault.LEAF_MISSING)
    return hashes, None


def _root_signed_last(
    connection: Connection, tip: Row[tuple[object, ...]] | None, log_keys: tuple[NoteKey, ...]
) -> bytes | LedgerFinding:
    """Return the root of the last checkpoint, once its signature and the tiles agree with it."""
    if tip is None:
        return EMPTY_ROOT
    checkpoint = signed_checkpoint(tip.checkpoint, log_keys)
    if checkpoint is None or (checkpoint.size, checkpoint.root.hex()) != (tip.size, tip.root):
        return LedgerFinding(f"batch {tip.batch}", LedgerFault.CHECKPOINT_FOREIGN)
    try:
        root = tree_root(checkpoint.size, subtrees_in(lambda *at: store.read_tile(connection, *at)))
    except TileDamaged as damaged:
        return LedgerFinding(f"tile {damaged}", LedgerFault.TILE_CHANGED)
    if root != checkpoint.root:
        return LedgerFinding(f"batch {tip.batch}", LedgerFault.ROOT_CHANGED)
    return root


def _write(engine: Engine, draft: _Draft, log: NoteSigner, now: datetime) -> bool:
    """Write a batch in one transaction; False when another sealer was first."""
    note = log.sign(Checkpoint(log.name, draft.size, draft.root).text)

    def work(connection: Connection) -> bool:
        added = store.insert_batch(
            connection,
            batch=draft.batch,
            first_index=draft.first_index,
            size=draft.size,
            root=draft.root,
            previous_root=draft.previous_root,
            sealed_at=now,
            checkpoint=note,
        )
        if added:
            store.insert_runs(
                connection,
                [
                    {
                        "lane": run.lane,
                        "first_sequence": run.first_sequence,
                        "last_sequence": run.last_sequence,
                        "first_index": run.first_index,
                        "batch": draft.batch,
                    }
                    for run in draft.runs
                ],
            )
            store.put_tiles(connection, draft.tiles)
        return added

    return transact(engine, work)
