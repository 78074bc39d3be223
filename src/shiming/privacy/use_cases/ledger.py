"""Write to the ledger: one leaf in the transaction of what it records.

A leaf is canonical JSON (RFC 8785): lane, number in the lane, instant, kind and facts. Its RFC 6962 hash is
authenticated together with lane and number, and so is the head of the lane, which moves with every append;
so nobody without the ledger key can change, drop, insert, reorder or add a leaf unseen, even before the
sealer puts it into the Merkle tree. No writer waits for another: each connection has its own lane.

Facts are references, codes, hashes and counts. Personal data in clear is refused here, as a mistake of
the program.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.encryption import KeyProvider, KeyUse
from shiming.privacy.model import LeafDraft, LeafRef
from shiming.privacy.rules.merkle import leaf_hash
from shiming.privacy.store import ledger as store
from shiming.vocabulary.permissions import inside

Fact = str | int | bool | None
PLATFORM = ""  # the operator of what concerns no operator
_KIND = re.compile(r"[a-z]+(?:[._][a-z]+)*")
_PERSONAL_NUMBER = re.compile(r"\+?\d{7,18}[0-9Xx]|[A-Z]{1,2}\d{7,9}")
_FACT_LENGTH_MAX = 200


@inside("every use case records what it does in its own transaction")
def record(
    connection: Connection,
    keys: KeyProvider,
    *,
    kind: str,
    facts: Mapping[str, Fact],
    now: datetime,
    operator: str = PLATFORM,
) -> LeafRef:
    """Append one leaf in the caller's transaction and return its reference."""
    lane, last = store.lock_lane(connection) or (_new_lane(connection, keys), 0)
    leaf = draft_leaf(keys, lane=lane, sequence=last + 1, kind=kind, facts=facts, now=now, operator=operator)
    store.insert_leaf(
        connection,
        operator=operator,
        lane=lane,
        sequence=leaf.ref.sequence,
        leaf=leaf.text,
        hash=leaf.ref.hash,
        mac=leaf.mac,
        key_id=leaf.key_id,
    )
    store.advance_lane(connection, lane, sequence=leaf.ref.sequence, mac=leaf.head_mac, key_id=leaf.key_id)
    return leaf.ref


@inside("the one-statement registration writes its leaf in the database function")
def draft_leaf(
    keys: KeyProvider,
    *,
    lane: int,
    sequence: int,
    kind: str,
    facts: Mapping[str, Fact],
    now: datetime,
    operator: str = PLATFORM,
) -> LeafDraft:
    """Return the leaf that is number `sequence` of its lane, ready to be written."""
    if not _KIND.fullmatch(kind):
        raise ValueError(kind)
    for name, fact in facts.items():
        _refuse_personal(name, fact)
    content = canonical_bytes(
        {
            "at": now.astimezone(UTC).isoformat(),
            "facts": dict(facts),
            "kind": kind,
            "lane": lane,
            "operator": operator,
            "sequence": sequence,
        }
    )
    ref = LeafRef(lane, sequence, leaf_hash(content).hex())
    mac = keys.mac(KeyUse.LEDGER, leaf_message(ref))
    head = keys.mac(KeyUse.LEDGER, head_message(ref), mac.key_id)
    return LeafDraft(ref, content.decode(), mac.value, head.value, mac.key_id)


@inside("shared by writing and verifying")
def leaf_message(ref: LeafRef) -> bytes:
    """Return what the code of a leaf authenticates."""
    return f"leaf {ref}".encode()


@inside("shared by writing and verifying")
def head_message(ref: LeafRef | None) -> bytes:
    """Return what the code of a lane's head authenticates; None: the lane has no leaf yet."""
    return f"head {ref}".encode() if ref else b"head of an empty lane"


def _new_lane(connection: Connection, keys: KeyProvider) -> int:
    mac = keys.mac(KeyUse.LEDGER, head_message(None))
    return store.insert_lane(connection, mac=mac.value, key_id=mac.key_id)


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
