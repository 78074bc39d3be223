"""Whether a witness may sign a checkpoint: only if it continues the one that the witness signed last."""

from dataclasses import dataclass
from enum import StrEnum

from shiming.privacy.rules.checkpoint import Checkpoint
from shiming.privacy.rules.proofs import ConsistencyProof
from shiming.vocabulary.errors import Text


class WitnessRefusal(StrEnum):
    """Why a witness does not sign a checkpoint."""

    CHECKPOINT_FOREIGN = "CHECKPOINT_FOREIGN"
    CHECKPOINT_OLDER = "CHECKPOINT_OLDER"
    LAST_FOREIGN = "LAST_FOREIGN"
    NOT_CONSISTENT = "NOT_CONSISTENT"
    PROOF_MISSING = "PROOF_MISSING"

    @property
    def text(self) -> Text:
        """Say it in words."""
        return _REFUSAL_TEXTS[self]


@dataclass(frozen=True, slots=True)
class CheckpointWitnessed:
    """A checkpoint with the signature of the witness; `note` is also what the witness must remember."""

    size: int
    note: str


@dataclass(frozen=True, slots=True)
class WitnessingRefused:
    """The witness does not sign: what it was shown does not continue what it signed last."""

    why: WitnessRefusal


@dataclass(frozen=True, slots=True)
class CosignaturesKept:
    """What became of the signatures in a cosigned checkpoint, by the names of their witnesses.

    `unknown`: passed over, for nobody told us their keys; `wrong`: passed over, for they do not hold.
    """

    size: int
    added: tuple[str, ...]
    there_already: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def to_json(self) -> dict[str, int | list[str]]:
        """Return it as programs read it."""
        names = {name: list(getattr(self, name)) for name in ("added", "there_already", "unknown", "wrong")}
        return {"size": self.size, **names}


def decide_cosigning(
    checkpoint: Checkpoint, last: Checkpoint | None, proof: ConsistencyProof | None
) -> WitnessRefusal | None:
    """May a checkpoint that the log signed be cosigned? None: yes.

    The first that a witness sees is taken on trust. Later ones must not be smaller than the last, are of the
    same size only if they are the same, and else need a proof from the last one's root to theirs.
    """
    if last is None or (last.size, last.root) == (checkpoint.size, checkpoint.root):
        return None
    if checkpoint.size < last.size:
        return WitnessRefusal.CHECKPOINT_OLDER
    if proof is None:
        return WitnessRefusal.PROOF_MISSING
    ends = (proof.old_size, proof.old_root, proof.new_size, proof.new_root)
    if ends != (last.size, last.root, checkpoint.size, checkpoint.root) or not proof.holds:
        return WitnessRefusal.NOT_CONSISTENT
    return None


_REFUSAL_TEXTS = {
    WitnessRefusal.CHECKPOINT_FOREIGN: Text(
        zh="检查点不是由该账本签署。", en="The ledger did not sign this checkpoint."
    ),
    WitnessRefusal.CHECKPOINT_OLDER: Text(
        zh="检查点比上次见证的更旧。", en="It is older than the checkpoint that was witnessed last."
    ),
    WitnessRefusal.LAST_FOREIGN: Text(
        zh="上次见证的记录已损坏或属于另一账本密钥。",
        en="The checkpoint that was witnessed last is damaged, or another key of the ledger signed it.",
    ),
    WitnessRefusal.NOT_CONSISTENT: Text(
        zh="与上次见证的检查点不连续，账本可能被改写。",
        en="It does not continue the checkpoint that was witnessed last: the ledger may have been rewritten.",
    ),
    WitnessRefusal.PROOF_MISSING: Text(
        zh="缺少与上次检查点的一致性证明。", en="The proof that it continues the last one is missing."
    ),
}
