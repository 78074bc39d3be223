"""Examine one leaf or one head of a lane: whether this installation wrote it, and wrote it there."""

import json
from typing import Any

from shiming.infrastructure.encryption import KeyProvider, KeyUse
from shiming.privacy.model import LeafRef, LedgerFault
from shiming.privacy.rules.merkle import leaf_hash
from shiming.privacy.store.ledger import LeafRow
from shiming.privacy.use_cases.ledger import head_message, leaf_message
from shiming.vocabulary.errors import Unavailable
from shiming.vocabulary.permissions import inside


@inside("sealing and verifying examine leaves alike")
def examine_leaf(keys: KeyProvider, row: LeafRow) -> LedgerFault | None:
    """Say what is wrong with a row of `ledger_leaves`; it may hold anything.

    (1) the text gives its hash
    (2) our key authenticated that hash, for the place that the text names
    (3) it lies in that place
    """
    if not isinstance(row.leaf, str) or leaf_hash(row.leaf.encode(errors="replace")).hex() != row.hash:
        return LedgerFault.LEAF_CHANGED
    try:
        leaf = json.loads(row.leaf)
        written = (leaf["lane"], leaf["sequence"], leaf["operator"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return LedgerFault.LEAF_FOREIGN
    if not _is_ours(keys, row, leaf_message(LeafRef(leaf["lane"], leaf["sequence"], row.hash))):
        return LedgerFault.LEAF_FOREIGN
    return None if written == (row.lane, row.sequence, row.operator) else LedgerFault.LEAF_MOVED


@inside("verifying examines the heads of lanes")
def is_our_head(keys: KeyProvider, row: Any, last: LeafRef | None) -> bool:
    """Say whether our key authenticated a row of `ledger_lanes` as the head of a lane that ends in `last`."""
    return _is_ours(keys, row, head_message(last))


def _is_ours(keys: KeyProvider, row: Any, message: bytes) -> bool:
    try:
        return keys.mac(KeyUse.LEDGER, message, str(row.key_id)).value == str(row.mac)
    except Unavailable as problem:
        if problem.code != "KEY_UNKNOWN":
            raise
        return False  # a name of a key that never was: somebody else wrote this row
