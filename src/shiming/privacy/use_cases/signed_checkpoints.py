"""Read a checkpoint only as far as a trusted key signed it."""

from shiming.infrastructure.signed_notes import NoteKey, is_signed, parse_note
from shiming.privacy.rules.checkpoint import Checkpoint, parse_checkpoint
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.permissions import inside


@inside("sealing, verifying, proving and witnessing read checkpoints alike")
def signed_checkpoint(note: object, keys: tuple[NoteKey, ...]) -> Checkpoint | None:
    """Return what one of the keys signed in the name of its own log; None for anything else."""
    try:
        parsed = parse_note(note if isinstance(note, str) else "")
        checkpoint = parse_checkpoint(parsed.text)
    except BadInput:
        return None
    signed = any(key.name == checkpoint.origin and is_signed(parsed, key) for key in keys)
    return checkpoint if signed else None
