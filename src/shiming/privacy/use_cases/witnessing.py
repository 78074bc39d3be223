"""Witness a ledger: sign a checkpoint with a second key, kept by somebody else.

A witness remembers the last checkpoint it signed of each log and signs only what continues it. Whoever
trusts the witness then knows that nobody was shown another history.
"""

from datetime import datetime

from shiming.infrastructure.signed_notes import NoteKey, NoteSigner, parse_note
from shiming.privacy.permissions import MayWitnessLedger
from shiming.privacy.rules.proofs import ConsistencyProof
from shiming.privacy.rules.witnessing import (
    CheckpointWitnessed,
    WitnessingRefused,
    WitnessRefusal,
    decide_cosigning,
)
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.vocabulary.permissions import asks


@asks(MayWitnessLedger)
def cosign_checkpoint(
    note: str,
    witness: NoteSigner,
    *,
    log_key: NoteKey,
    last: str | None,
    proof: ConsistencyProof | None,
    now: datetime,
) -> CheckpointWitnessed | WitnessingRefused:
    """Add the witness's signature to a checkpoint of the log that continues the one it signed `last`."""
    checkpoint = signed_checkpoint(note, (log_key,))
    if checkpoint is None:
        return WitnessingRefused(WitnessRefusal.CHECKPOINT_FOREIGN)
    known = None if last is None else signed_checkpoint(last, (log_key,))
    if last is not None and known is None:
        return WitnessingRefused(WitnessRefusal.LAST_FOREIGN)
    refusal = decide_cosigning(checkpoint, known, proof)
    if refusal is not None:
        return WitnessingRefused(refusal)
    return CheckpointWitnessed(checkpoint.size, str(witness.cosign(parse_note(note), now)))
