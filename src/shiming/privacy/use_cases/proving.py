"""Hand out checkpoints and proofs of the ledger, and check proofs that came from elsewhere."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.signed_notes import NoteKey
from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerFinding
from shiming.privacy.permissions import MayReadLedger
from shiming.privacy.rules.checkpoint import LedgerCheckpoint
from shiming.privacy.rules.merkle import consistency_path, inclusion_path, tree_root
from shiming.privacy.rules.proofs import ConsistencyProof, InclusionProof, LeafNotSealed, LeafUnknown
from shiming.privacy.rules.tiles import TileDamaged, subtrees_in
from shiming.privacy.store import ledger as leaves_store
from shiming.privacy.store import ledger_tree as store
from shiming.privacy.store.ledger import LeafRow
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside

_LEAF_ID = re.compile(r"(\d{1,9})-(\d{1,18})(?::([0-9a-f]{64}))?")


@asks(MayReadLedger)
def latest_checkpoint(connection: Connection) -> LedgerCheckpoint | None:
    """Return the newest checkpoint, None before anything is sealed."""
    tip = store.find_newest_batch(connection)
    return None if tip is None else LedgerCheckpoint(tip.size, tip.root, tip.checkpoint)


@asks(MayReadLedger)
def inclusion_proof(
    connection: Connection, leaf_id: str
) -> InclusionProof | LeafUnknown | LeafNotSealed | LedgerBroken:
    """Prove that a leaf (`lane-number`, or `lane-number:hash` as receipts carry it) is in the newest tree.

    LedgerBroken when the database cannot prove it any more; BadInput for what names no leaf.
    """
    found = _LEAF_ID.fullmatch(leaf_id.strip())
    if found is None:
        raise _leaf_id_refused()
    lane, sequence, known_hash = int(found[1]), int(found[2]), found[3]
    index, tip = store.find_index(connection, lane, sequence), store.find_newest_batch(connection)
    rows = leaves_store.find_leaves(connection, lane, sequence)
    leaf_id = f"{lane}-{sequence}"
    if not rows:
        return LeafUnknown(leaf_id) if index is None else _broken(leaf_id, LedgerFault.LEAF_MISSING)
    if known_hash is not None and rows[0].hash != known_hash:
        return _broken(leaf_id, LedgerFault.KNOWN_LEAF_CONTRADICTED)
    if index is None or tip is None:
        return LeafNotSealed(leaf_id)
    return _proof_of(connection, leaf_id, rows, index, tip)


@asks(MayReadLedger)
def consistency_proof(
    connection: Connection, old: int, new: int | None = None
) -> ConsistencyProof | LedgerBroken:
    """Prove that the tree of size `old` is the beginning of that of size `new`, or of the newest.

    Both sizes may be any up to the newest; BadInput beyond. The proof carries a checkpoint if one of size
    `new` was signed.
    """
    tip = store.find_newest_batch(connection)
    size = tip.size if tip else 0
    new = size if new is None else new
    if not 0 <= old <= new <= size:
        raise _sizes_refused(size)
    hash_at = subtrees_in(lambda *at: store.read_tile(connection, *at))
    signed = store.find_batch_of_size(connection, new)
    try:
        return ConsistencyProof(
            old_size=old,
            old_root=tree_root(old, hash_at),
            new_size=new,
            new_root=tree_root(new, hash_at),
            path=consistency_path(old, new, hash_at),
            checkpoint=signed.checkpoint if signed else "",
        )
    except TileDamaged as damaged:
        return _broken(f"tile {damaged}", LedgerFault.TILE_CHANGED)


@inside("anybody may check a proof: it needs no database and shows nothing that is not in it")
def proof_holds(proof: InclusionProof | ConsistencyProof, log_keys: tuple[NoteKey, ...]) -> bool:
    """Say whether a proof leads to the root of its checkpoint, and one of the keys signed that."""
    checkpoint = signed_checkpoint(proof.checkpoint, log_keys)
    if checkpoint is None:
        return False
    if isinstance(proof, InclusionProof):
        return (proof.size, proof.root) == (checkpoint.size, checkpoint.root)
    return (proof.new_size, proof.new_root) == (checkpoint.size, checkpoint.root) and proof.holds


def _proof_of(
    connection: Connection, leaf_id: str, rows: Sequence[LeafRow], index: int, tip: Row[Any]
) -> InclusionProof | LedgerBroken:
    """Make the proof, and make sure that it holds before anybody gets it."""
    try:
        path = inclusion_path(index, tip.size, subtrees_in(lambda *at: store.read_tile(connection, *at)))
        leaf_hash = bytes.fromhex(rows[0].hash)
    except TileDamaged as damaged:
        return _broken(f"tile {damaged}", LedgerFault.TILE_CHANGED)
    except (ValueError, TypeError):
        return _broken(leaf_id, LedgerFault.LEAF_CHANGED)
    proof = InclusionProof(leaf_id, leaf_hash, index, tip.size, path, tip.checkpoint)
    if len(rows) > 1 or proof.root is None or proof.root.hex() != tip.root:
        return _broken(leaf_id, LedgerFault.LEAF_NOT_AS_SEALED)
    return proof


def _broken(at: str, why: LedgerFault) -> LedgerBroken:
    return LedgerBroken((LedgerFinding(at, why),), 1)


def _leaf_id_refused() -> BadInput:
    return BadInput(
        "LEAF_ID_FORMAT",
        Text(zh="这不是账本记录编号。", en="This names no leaf of the ledger."),
        Text(zh="格式为 通道-序号，如回执所示。", en="Write LANE-NUMBER, as on a receipt."),
    )


def _sizes_refused(size: int) -> BadInput:
    return BadInput(
        "LEDGER_SIZE_UNKNOWN",
        Text(zh="账本没有这样大小的检查点。", en="The ledger has no trees of these sizes."),
        Text(zh=f"先小后大，且不超过 {size}。", en=f"Name the smaller first, and none beyond {size}."),
        {"size": size},
    )
