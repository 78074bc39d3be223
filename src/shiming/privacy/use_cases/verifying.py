"""Verify the ledger: recompute everything, in constant memory, and name what is not what was written."""

import re

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.signed_notes import NoteKey
from shiming.privacy.model import LeafRef, LedgerBroken, LedgerFault, LedgerVerified
from shiming.privacy.permissions import MayReadLedger
from shiming.privacy.rules.checkpoint import Checkpoint
from shiming.privacy.store import ledger as store
from shiming.privacy.use_cases.findings import Findings
from shiming.privacy.use_cases.verifying_lanes import Progress, examine_lanes
from shiming.privacy.use_cases.verifying_tree import examine_tree
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside

_LEAF = re.compile(r"(\d{1,9})-(\d{1,18}):([0-9a-f]{64})")


@asks(MayReadLedger)
def verify_ledger(
    engine: Engine,
    keys: KeyProvider,
    log_keys: tuple[NoteKey, ...] = (),
    *,
    witnesses: tuple[NoteKey, ...] = (),
    known_checkpoint: Checkpoint | None = None,
    known_leaf: LeafRef | None = None,
    progress: Progress | None = None,
) -> LedgerVerified | LedgerBroken:
    """Examine the whole ledger under one snapshot; writers and the sealer may go on meanwhile.

    (1) every leaf is what was written, where it was written, and none is missing
    (2) every lane ends in the leaf that its authenticated head names
    (3) every sealed leaf has the hash that the tree holds for it
    (4) the tiles give the root of every checkpoint, one of `log_keys` signed each, and no signature in the
        name of one of `witnesses` is wrong
    (5) what was kept outside - a checkpoint, a leaf of a receipt - is still on the way
    (6) the triggers against changes are in place

    `known_checkpoint` must have been verified; without `log_keys` every checkpoint counts as foreign.
    """
    findings = Findings()
    with reading(engine) as connection, store.tolerant_text(connection):
        leaves = examine_lanes(connection, keys, findings, known_leaf, progress)
        sealed = examine_tree(connection, findings, log_keys, witnesses, known_checkpoint)
        for name in store.missing_guards(connection):
            findings.add(f"guard {name}", LedgerFault.GUARD_MISSING)
    if findings.found:
        return LedgerBroken(tuple(findings.first), findings.found)
    return LedgerVerified(leaves, sealed)


@inside("reads what a receipt carries; it asks nothing of the ledger")
def parse_leaf(text: str) -> LeafRef:
    """Read `lane-number:hash`; BadInput for anything else."""
    found = _LEAF.fullmatch(text.strip())
    if found is None:
        raise BadInput(
            "LEAF_REFERENCE_FORMAT",
            Text(zh="账本记录引用格式不正确。", en="This is no reference to a leaf."),
            Text(zh="格式为 通道-序号:哈希。", en="Write LANE-NUMBER:HASH, as on a receipt."),
        )
    return LeafRef(int(found[1]), int(found[2]), found[3])
