"""Tables of the sealed ledger - batches with their checkpoints, runs of leaves, tiles - and all their SQL.

A batch takes from each lane the run of leaves that follows what is sealed and appends it to the one tree.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.privacy.rules.merkle import HASH_BYTES
from shiming.privacy.store.ledger import ledger_guard, ledger_lanes, ledger_leaves

_ROWS_AT_ONCE = 1000  # rows in memory while streaming

ledger_batches = sa.Table(
    "ledger_batches",
    schema,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_index", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False, unique=True),  # of the tree with this batch
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("previous_root", sa.String(64), nullable=False),
    sa.Column("sealed_at", UtcInstant, nullable=False),
    sa.Column("checkpoint", sa.Text, nullable=False),
    sa.CheckConstraint("size > first_index", name="a_batch_has_leaves"),
)
ledger_guard(
    ledger_batches,
    "ledger_batches_no_update",
    "UPDATE",
    "a checkpoint only gains signatures",
    "NEW.batch <> OLD.batch OR NEW.first_index <> OLD.first_index OR NEW.size <> OLD.size"
    " OR NEW.root <> OLD.root OR NEW.previous_root <> OLD.previous_root OR NEW.sealed_at <> OLD.sealed_at"
    " OR substr(NEW.checkpoint, 1, length(OLD.checkpoint)) <> OLD.checkpoint",
)
ledger_guard(ledger_batches, "ledger_batches_no_delete", "DELETE", "a checkpoint stays")

ledger_runs = sa.Table(
    "ledger_runs",
    schema,
    sa.Column("lane", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
    sa.Column("first_index", sa.BigInteger, nullable=False, unique=True),
    sa.Column("batch", sa.Integer, nullable=False, index=True),
)
ledger_guard(ledger_runs, "ledger_runs_no_update", "UPDATE", "a leaf keeps its place in the tree")
ledger_guard(ledger_runs, "ledger_runs_no_delete", "DELETE", "a leaf keeps its place in the tree")

ledger_tiles = sa.Table(
    "ledger_tiles",
    schema,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tile", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)
ledger_guard(ledger_tiles, "ledger_tiles_no_delete", "DELETE", "a tile stays")
ledger_guard(
    ledger_tiles,
    "ledger_tiles_only_grow",
    "UPDATE",
    "a tile only grows",
    "NEW.level <> OLD.level OR NEW.tile <> OLD.tile OR length(NEW.hashes) < length(OLD.hashes)"
    " OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes",
)

# without the instant, which nothing authenticates and which may hold anything
_BATCHES = sa.select(*(column for column in ledger_batches.c if column.name != "sealed_at"))


def find_newest_batch(connection: Connection) -> Row[Any] | None:
    """Return the batch sealed last."""
    return connection.execute(_BATCHES.order_by(ledger_batches.c.batch.desc()).limit(1)).first()


def find_batch_of_size(connection: Connection, size: int) -> Row[Any] | None:
    """Return the batch whose checkpoint has this size."""
    return connection.execute(_BATCHES.where(ledger_batches.c.size == size)).first()


def lock_batch_of_size(connection: Connection, size: int) -> Row[Any] | None:
    """Return the batch whose checkpoint has this size, and let nobody else change it meanwhile."""
    return connection.execute(_BATCHES.where(ledger_batches.c.size == size).with_for_update()).first()


def grow_checkpoint(connection: Connection, batch: int, checkpoint: str) -> None:
    """Replace the note of a batch by one that begins with it; the database refuses any other."""
    connection.execute(
        ledger_batches.update().where(ledger_batches.c.batch == batch).values(checkpoint=checkpoint)
    )


def list_progress(connection: Connection) -> dict[int, tuple[int, int]]:
    """Return, for each lane, the number of its last leaf and of its last sealed leaf.

    A lane whose numbers are none - SQLite keeps any value - is left to the verification, which names it.
    """
    sealed = (
        sa.select(ledger_runs.c.last_sequence)
        .where(ledger_runs.c.lane == ledger_lanes.c.lane)
        .order_by(ledger_runs.c.first_sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = connection.execute(sa.select(ledger_lanes.c.lane, ledger_lanes.c.sequence, sealed))
    whole = (row for row in rows if all(isinstance(value or 0, int) for value in row))
    return {lane: (last, sealed or 0) for lane, last, sealed in whole}


def insert_batch(
    connection: Connection,
    *,
    batch: int,
    first_index: int,
    size: int,
    root: bytes,
    previous_root: bytes,
    sealed_at: datetime,
    checkpoint: str,
) -> bool:
    """Add a batch; False when another sealer has just added the one of this number."""
    added = connection.execute(
        insert_into(connection, ledger_batches)
        .values(
            batch=batch,
            first_index=first_index,
            size=size,
            root=root.hex(),
            previous_root=previous_root.hex(),
            sealed_at=sealed_at,
            checkpoint=checkpoint,
        )
        .on_conflict_do_nothing()
        .returning(ledger_batches.c.batch)
    )
    return added.first() is not None


def insert_runs(connection: Connection, runs: Sequence[Mapping[str, int]]) -> None:
    """Note where in the tree runs of leaves lie."""
    connection.execute(ledger_runs.insert(), runs)


def put_tiles(connection: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Add tiles, and let those that exist grow."""
    insert = insert_into(connection, ledger_tiles)
    upsert = insert.on_conflict_do_update(
        index_elements=["level", "tile"], set_={"hashes": insert.excluded.hashes}
    )
    rows = [{"level": level, "tile": tile, "hashes": hashes} for (level, tile), hashes in tiles.items()]
    connection.execute(upsert, rows)


def read_tile(connection: Connection, level: int, tile: int) -> bytes:
    """Return the hashes of a tile, nothing when there is none."""
    at = (ledger_tiles.c.level == level) & (ledger_tiles.c.tile == tile)
    hashes = connection.execute(sa.select(ledger_tiles.c.hashes).where(at)).scalar()
    return hashes if isinstance(hashes, bytes) else b""


def find_index(connection: Connection, lane: int, sequence: int) -> int | None:
    """Return the place of a leaf in the tree, None while it is not sealed."""
    run = connection.execute(
        ledger_runs.select()
        .where(ledger_runs.c.lane == lane, ledger_runs.c.first_sequence <= sequence)
        .order_by(ledger_runs.c.first_sequence.desc())
        .limit(1)
    ).first()
    if run is None or run.last_sequence < sequence:
        return None
    index: int = run.first_index + sequence - run.first_sequence
    return index


def iterate_batches(connection: Connection) -> Iterator[Row[Any]]:
    """Return all batches in order, a few at a time in memory."""
    return _stream(connection, _BATCHES.order_by(ledger_batches.c.batch))


def iterate_runs(connection: Connection, lane: int | None = None) -> Iterator[Row[Any]]:
    """Return the runs of one lane in the order of the lane, or all runs in the order of the tree."""
    query = ledger_runs.select()
    if lane is None:
        return _stream(connection, query.order_by(ledger_runs.c.first_index))
    return _stream(connection, query.where(ledger_runs.c.lane == lane).order_by(ledger_runs.c.first_sequence))


def iterate_tiles(connection: Connection, level: int) -> Iterator[Row[Any]]:
    """Return the tiles of a level in order."""
    query = ledger_tiles.select().where(ledger_tiles.c.level == level).order_by(ledger_tiles.c.tile)
    return _stream(connection, query, rows=_ROWS_AT_ONCE // HASH_BYTES)


def list_tile_levels(connection: Connection) -> list[tuple[Any, int, int]]:
    """Return the levels of tiles that there are, how many tiles each has, and how many bytes these hold."""
    held = sa.cast(sa.func.sum(sa.func.length(ledger_tiles.c.hashes)), sa.BigInteger)
    query = sa.select(ledger_tiles.c.level, sa.func.count(), held).group_by(ledger_tiles.c.level)
    return [(level, count, size) for level, count, size in connection.execute(query)]


def list_known_lanes(connection: Connection) -> list[Any]:
    """Return every lane that any table names."""
    names = sa.union(*(sa.select(table.c.lane) for table in (ledger_lanes, ledger_leaves, ledger_runs)))
    return sorted(connection.execute(names).scalars(), key=lambda lane: (str(type(lane)), lane))


def _stream(connection: Connection, query: sa.Select[Any], rows: int = _ROWS_AT_ONCE) -> Iterator[Row[Any]]:
    with connection.execute(query.execution_options(yield_per=rows)) as found:  # closed where a reader stops
        yield from found
