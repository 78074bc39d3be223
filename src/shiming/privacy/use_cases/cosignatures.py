"""Keep what witnesses signed: add their signatures to the checkpoint of ours that they signed.

Whoever reads that checkpoint from then on - the desk, `shiming ledger checkpoint`, a proof - sees who else
vouches for it. Only signatures of witnesses whose keys are known are added, one of each: nobody else can make
the note grow. What is there stays; the database lets a checkpoint gain lines at its end and nothing more.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.outbox import Event, emit
from shiming.infrastructure.signed_notes import (
    NoteKey,
    NoteSignature,
    SignedNote,
    is_by,
    last_cosignature,
    parse_note,
    wrong_cosignatures,
)
from shiming.privacy.model import LedgerBroken, LedgerFault, LedgerFinding
from shiming.privacy.permissions import MayWitnessLedger
from shiming.privacy.rules.checkpoint import Checkpoint, parse_checkpoint
from shiming.privacy.rules.witnessing import CosignaturesKept
from shiming.privacy.store import ledger_tree as store
from shiming.privacy.use_cases.ledger import PLATFORM, Fact, record
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks

COSIGNED_BYTES_MAX = 32_768  # about two hundred witnesses; a proof carries the note in a file of 64 KiB
COSIGNED = "ledger.cosigned"
_SIZE_MAX = (1 << 63) - 1  # what a column holds


@asks(MayWitnessLedger)
def keep_cosignatures(
    connection: Connection,
    keys: KeyProvider,
    note: str,
    *,
    log_keys: tuple[NoteKey, ...],
    witnesses: tuple[NoteKey, ...],
    by: str,
    now: datetime,
) -> CosignaturesKept | LedgerBroken:
    """Add the signatures of known witnesses in a cosigned note to the checkpoint that it is a copy of.

    (1) the note names this ledger and a size that it signed
    (2) our own checkpoint of that size is still what we signed, and says the same, root and all
    (3) at least one signature is of a witness whose key is known, and holds
    (4) what is not there yet is added, with a leaf and an event for each; who is there already stays

    `by`: reference of the account or client, "" at a terminal. BadInput: NOTE_FORMAT, CHECKPOINT_FORMAT,
    CHECKPOINT_ORIGIN_OTHER, CHECKPOINT_UNKNOWN, CHECKPOINT_TREE_OTHER, NO_KNOWN_WITNESS, COSIGNATURE_WRONG,
    COSIGNATURES_TOO_MANY. LedgerBroken when our own copy is not what was written.
    """
    shown = parse_note(note)
    row = _lock_own(connection, parse_checkpoint(shown.text), {key.name for key in log_keys})
    signed = signed_checkpoint(row.checkpoint, log_keys)
    if signed is None or (signed.size, signed.root.hex()) != (row.size, row.root):
        return _broken(row.batch, LedgerFault.CHECKPOINT_FOREIGN)
    ours = parse_note(row.checkpoint)
    if shown.text != ours.text:
        raise _tree_other(signed.size)
    if wrong_cosignatures(ours, witnesses):
        return _broken(row.batch, LedgerFault.COSIGNATURE_WRONG)
    kept, lines = _sorted(ours, shown, witnesses, signed.size)
    if lines:
        store.grow_checkpoint(connection, row.batch, _grown(ours, lines))
    for line in lines:
        facts: dict[str, Fact] = {
            "size": signed.size,
            "root": row.root,
            "witness": f"key:{line.key_id.hex()}",
        }
        record(connection, keys, kind=COSIGNED, facts={**facts, "by": by or None}, now=now)
        emit(connection, Event(COSIGNED, "", PLATFORM, now, facts))
    return kept


def _lock_own(connection: Connection, checkpoint: Checkpoint, origins: set[str]) -> Row[Any]:
    """Return the batch that a checkpoint claims to be of."""
    if checkpoint.origin not in origins:
        raise _origin_other(checkpoint.origin)
    known = checkpoint.size <= _SIZE_MAX
    row = store.lock_batch_of_size(connection, checkpoint.size) if known else None
    if row is None:
        raise _checkpoint_unknown(checkpoint.size)
    return row


def _sorted(
    ours: SignedNote, shown: SignedNote, witnesses: tuple[NoteKey, ...], size: int
) -> tuple[CosignaturesKept, tuple[NoteSignature, ...]]:
    """Say what becomes of each signature that was shown, and return the lines to add."""
    wrong = wrong_cosignatures(shown, witnesses)
    good = [key for key in dict.fromkeys(witnesses) if _is_in(shown, key) and key not in wrong]
    held = [key for key in good if _is_in(ours, key)]
    new = [key for key in good if key not in held]
    strangers = dict.fromkeys(
        line.name
        for line in shown.signatures
        if line not in ours.signatures and not any(is_by(line, key) for key in witnesses)
    )
    if not good:
        raise _signature_wrong(wrong) if wrong else _witness_unknown(strangers)
    added, there, refused = (tuple(key.name for key in group) for group in (new, held, wrong))
    kept = CosignaturesKept(size, added, there, tuple(strangers), refused)
    return kept, tuple(last_cosignature(shown, key) for key in new)


def _grown(ours: SignedNote, lines: tuple[NoteSignature, ...]) -> str:
    grown = str(SignedNote(ours.text, (*ours.signatures, *lines)))
    if len(grown.encode()) > COSIGNED_BYTES_MAX:
        raise _too_many()
    return grown


def _is_in(note: SignedNote, key: NoteKey) -> bool:
    return any(is_by(line, key) for line in note.signatures)


def _broken(batch: int, why: LedgerFault) -> LedgerBroken:
    return LedgerBroken((LedgerFinding(f"batch {batch}", why),), 1)


def _origin_other(origin: str) -> BadInput:
    return BadInput(
        "CHECKPOINT_ORIGIN_OTHER",
        Text(zh="这是另一个账本的检查点。", en="This is a checkpoint of another ledger."),
        Text(
            zh="首行须为本账本名称，见 shiming ledger checkpoint。",
            en="Its first line must name this ledger, as in `shiming ledger checkpoint`.",
        ),
        {"origin": origin},
    )


def _checkpoint_unknown(size: int) -> BadInput:
    return BadInput(
        "CHECKPOINT_UNKNOWN",
        Text(zh="本账本没有这样大小的检查点。", en="The ledger signed no checkpoint of this size."),
        Text(
            zh="若确由本账本签署，账本已被回退：请用它运行 shiming ledger verify --from。",
            en="If our key signed it, the ledger was set back: run shiming ledger verify --from with it.",
        ),
        {"size": size},
    )


def _tree_other(size: int) -> BadInput:
    return BadInput(
        "CHECKPOINT_TREE_OTHER",
        Text(
            zh="同样大小的检查点在本账本中内容不同。",
            en="The ledger's own checkpoint of this size says something else.",
        ),
        Text(
            zh="若确由本账本签署，账本已被重写：请用它运行 shiming ledger verify --from。",
            en="If our key signed it, the ledger was rewritten: run shiming ledger verify --from with it.",
        ),
        {"size": size},
    )


def _signature_wrong(wrong: tuple[NoteKey, ...]) -> BadInput:
    return BadInput(
        "COSIGNATURE_WRONG",
        Text(zh="见证签名无效。", en="The signature of the witness does not hold."),
        Text(
            zh="请使用见证人给出的原文件，勿改动。",
            en="Use the file as the witness made it, unchanged.",
        ),
        {"witnesses": ", ".join(key.name for key in wrong)},
    )


def _witness_unknown(strangers: dict[str, None]) -> BadInput:
    return BadInput(
        "NO_KNOWN_WITNESS",
        Text(zh="其中没有已知见证人的签名。", en="No witness that is known here signed it."),
        Text(
            zh="请将见证人的公钥写入 SHIMING_LEDGER_WITNESSES。",
            en="Name the key of the witness in SHIMING_LEDGER_WITNESSES, as `witness` printed it.",
        ),
        {"witnesses": ", ".join(strangers)},
    )


def _too_many() -> BadInput:
    return BadInput(
        "COSIGNATURES_TOO_MANY",
        Text(zh="该检查点的见证签名已过多。", en="The checkpoint has no room for more signatures."),
        Text(
            zh="请减少 SHIMING_LEDGER_WITNESSES 中的见证人。",
            en="Name fewer witnesses in SHIMING_LEDGER_WITNESSES.",
        ),
    )
