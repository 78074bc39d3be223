"""The ledger in its first form: one hash chain, written in the transaction of what it records.

A leaf is canonical JSON (RFC 8785): sequence, instant, kind, facts and the hash of the leaf before it. Its
SHA-256 is authenticated by the ledger key, and so is the head record, which moves with every append; so
nobody without the key can change, drop, insert, reorder or add a leaf unseen, not even at the end. Whoever
restores a whole older state, head included, is found by a head that was kept outside: every registration
receipt carries one, and `shiming ledger verify --known-head` compares it.

Facts are references, codes, hashes and counts. Personal data in clear is refused here, as a mistake of
the program.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import KeyProvider, KeyUse, Mac
from shiming.privacy import store
from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerHead, LedgerVerified
from shiming.vocabulary.errors import Text, Unavailable

Fact = str | int | bool | None
GENESIS = LedgerHead(sequence=0, hash="0" * 64)
_KIND = re.compile(r"[a-z]+(?:[._][a-z]+)*")
_PERSONAL_NUMBER = re.compile(r"\+?\d{7,18}[0-9Xx]|[A-Z]{1,2}\d{7,9}")
_FACT_LENGTH_MAX = 200
_PROGRESS_EVERY = 10_000


def prepare_tables(engine: Engine, keys: KeyProvider) -> None:
    """Create the tables of privacy and the head of an empty ledger; leave what exists as it is.

    A ledger that lost its head does not get a new one: `verify_ledger` reports it.
    """
    with unit_of_work(engine) as connection:
        new = not sa.inspect(connection).has_table(store.ledger_head.name)
        store.schema.create_all(connection)
        if new:
            mac = _head_mac(keys, GENESIS)
            store.insert_head(connection, sequence=0, hash=GENESIS.hash, mac=mac.value, key_id=mac.key_id)


def record(
    connection: Connection, keys: KeyProvider, *, kind: str, facts: Mapping[str, Fact], now: datetime
) -> LedgerHead:
    """Append one leaf in the caller's transaction and return the head it made."""
    if not _KIND.fullmatch(kind):
        raise ValueError(kind)
    for name, fact in facts.items():
        _refuse_personal(name, fact)
    last = store.find_head(connection)
    if last is None:
        raise Unavailable(
            "LEDGER_HEAD_MISSING",
            Text(zh="账本头记录缺失，不能继续写入。", en="The head of the ledger is missing."),
            Text(
                zh="请运行 shiming ledger verify 并通知管理员。",
                en="Run `shiming ledger verify` and tell the administrator; nothing may be written.",
            ),
        )
    leaf = canonical_bytes(
        {
            "at": now.astimezone(UTC).isoformat(),
            "facts": dict(facts),
            "kind": kind,
            "previous": last.hash,
            "sequence": last.sequence + 1,
        }
    )
    head = LedgerHead(last.sequence + 1, hashlib.sha256(leaf).hexdigest())
    leaf_mac, head_mac = keys.mac(KeyUse.LEDGER, _leaf_message(head.hash)), _head_mac(keys, head)
    store.insert_leaf(
        connection,
        sequence=head.sequence,
        leaf=leaf.decode(),
        hash=head.hash,
        mac=leaf_mac.value,
        key_id=leaf_mac.key_id,
    )
    store.advance_head(
        connection, sequence=head.sequence, hash=head.hash, mac=head_mac.value, key_id=head_mac.key_id
    )
    return head


def verify_ledger(
    engine: Engine,
    keys: KeyProvider,
    *,
    known_head: LedgerHead | None = None,
    progress: Callable[[int], None] | None = None,
) -> LedgerVerified | LedgerBroken:
    """Recompute everything, in constant memory, and name the first thing that is wrong.

    (1) every leaf follows the one before it, in number and by hash
    (2) every leaf hashes to its hash and was authenticated by our key
    (3) a head that was kept outside is still on the way
    (4) the last leaf is the one that the authenticated head names
    (5) the triggers against changes are in place
    """
    with reading(engine) as connection, store.tolerant_text(connection):
        last = GENESIS
        known_head_met = known_head is None or known_head == GENESIS
        for row in store.iterate_leaves(connection):
            fault = _leaf_fault(keys, row, last)
            if fault is not None:
                return LedgerBroken(last.sequence + 1, fault)
            last = LedgerHead(row.sequence, row.hash)
            if known_head is not None and known_head.sequence == last.sequence:
                if known_head != last:
                    return LedgerBroken(last.sequence, LedgerFault.KNOWN_HEAD_CONTRADICTED)
                known_head_met = True
            if progress is not None and last.sequence % _PROGRESS_EVERY == 0:
                progress(last.sequence)
        fault = _head_fault(keys, store.find_head(connection), last)
        if fault is not None:
            return LedgerBroken(last.sequence + 1, fault)
        if not known_head_met:
            return LedgerBroken(last.sequence + 1, LedgerFault.KNOWN_HEAD_CONTRADICTED)
        if store.list_missing_guards(connection):
            return LedgerBroken(last.sequence + 1, LedgerFault.GUARD_MISSING)
        return LedgerVerified(last)


def _leaf_fault(keys: KeyProvider, row: Any, last: LedgerHead) -> LedgerFault | None:
    if row.sequence != last.sequence + 1:
        return LedgerFault.LEAF_MISSING
    if not isinstance(row.leaf, str) or hashlib.sha256(row.leaf.encode()).hexdigest() != row.hash:
        return LedgerFault.LEAF_CHANGED
    if not _is_ours(keys, row, _leaf_message(row.hash)):
        return LedgerFault.LEAF_FOREIGN
    leaf = json.loads(row.leaf)  # ours, so it can be read
    if leaf["sequence"] != row.sequence or leaf["previous"] != last.hash:
        return LedgerFault.LEAF_MOVED
    return None


def _head_fault(keys: KeyProvider, head: Any, last: LedgerHead) -> LedgerFault | None:
    if head is None:
        return LedgerFault.HEAD_MISSING
    if not _is_ours(keys, head, _head_message(LedgerHead(head.sequence, head.hash))):
        return LedgerFault.HEAD_FOREIGN
    if head.sequence != last.sequence:
        return LedgerFault.TAIL_MISSING if head.sequence > last.sequence else LedgerFault.TAIL_ADDED
    return None if head.hash == last.hash else LedgerFault.LEAF_CHANGED


def _is_ours(keys: KeyProvider, row: Any, message: bytes) -> bool:
    try:
        return keys.mac(KeyUse.LEDGER, message, row.key_id).value == str(row.mac)
    except Unavailable:  # a name of a key that never was: somebody else wrote this row
        return False


def _head_mac(keys: KeyProvider, head: LedgerHead) -> Mac:
    return keys.mac(KeyUse.LEDGER, _head_message(head))


def _leaf_message(leaf_hash: str) -> bytes:
    return f"leaf {leaf_hash}".encode()


def _head_message(head: LedgerHead) -> bytes:
    return f"head {head}".encode()


def _refuse_personal(name: str, fact: Fact) -> None:
    """Refuse names in any script and whatever looks like a number of a person or a line."""
    text = str(fact)
    if not text.isascii() or len(text) > _FACT_LENGTH_MAX or " " in text:
        message = f"fact {name!r} is no reference, code, hash or count"
    elif isinstance(fact, str) and _PERSONAL_NUMBER.fullmatch(fact):
        message = f"fact {name!r} looks like the number of a person or a line"
    else:
        return
    raise ValueError(message)
