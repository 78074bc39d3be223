"""Read a checkpoint only as far as a trusted key signed it."""

from shiming.infrastructure.signed_notes import NoteKey, is_signed, parse_note
from shiming.privacy.rules.checkpoint import Checkpoint, parse_checkpoint
from shiming.vocabulary.errors import BadInput, Text
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


@inside("verifying and proving compare with a checkpoint that was kept outside")
def known_checkpoint(note: str, keys: tuple[NoteKey, ...]) -> Checkpoint:
    """Return a checkpoint that came from outside; BadInput when it is none or none of the keys signed it."""
    parse_checkpoint(parse_note(note).text)
    checkpoint = signed_checkpoint(note, keys)
    if checkpoint is None:
        raise BadInput(
            "CHECKPOINT_NOT_OURS",
            Text(zh="检查点不是由本账本签署。", en="This ledger did not sign the checkpoint."),
            Text(
                zh="请核对文件；签名密钥更换过时请登记旧公钥。",
                en="Check the file; if the ledger's key was changed, add its older key.",
            ),
        )
    return checkpoint
