"""What the verbs of identity proofing work with; built in one place, passed in everywhere."""

from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Self

from shiming.identity_proofing.ports import (
    AuthorityPort,
    ClipMeter,
    DecisionRecorder,
    DigitsMeter,
    DocumentReader,
    EvidenceKeeper,
    FaceComparer,
    JpegEncoder,
    PictureReader,
    PortraitMeter,
    Pseudonyms,
)
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.signing import Signer
from shiming.jurisdictions.model import Gesture
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

SESSION, CHALLENGE, TRANSACTION = "SES", "CHA", "TRX"


@dataclass(frozen=True, slots=True)
class RehearsedChallenge:
    """What a sandbox asks of everybody instead of drawing: a recorded clip can answer it."""

    steps: tuple[Gesture, ...]
    digits: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `turn_left,blink/470913`; None for nothing, BadInput for what is none.

        >>> RehearsedChallenge.parse("turn_left,blink/4709").digits
        '4709'
        """
        if not text:
            return None
        gestures, _, digits = text.partition("/")
        try:
            steps = tuple(Gesture(name.strip()) for name in gestures.split(",") if name.strip())
        except ValueError:
            steps = ()
        if not steps or not (digits.isascii() and digits.isdecimal()):
            raise BadInput(
                "REHEARSED_CHALLENGE",
                Text(zh="演练动作的写法有误。", en="The challenge of the rehearsal is not in its form."),
                Text(zh="例如 turn_left,blink/470913", en="Write, for example, turn_left,blink/470913"),
            )
        return cls(steps, digits)


@dataclass(frozen=True, slots=True)
class ProofingTools:
    """Recognition, the authority, time, chance and the signing key. `random` must be cryptographic."""

    read_document: DocumentReader
    measure_clip: ClipMeter
    measure_portrait: PortraitMeter
    compare_faces: FaceComparer
    measure_digits: DigitsMeter
    encode_jpeg: JpegEncoder
    authority: AuthorityPort
    clock: Clock
    signer: Signer
    pseudonym: Pseudonyms
    record: DecisionRecorder
    keeper: EvidenceKeeper | None = None
    random: Random = field(default_factory=SystemRandom)
    program: str = "shiming"
    rehearsed: RehearsedChallenge | None = None
    read_picture: PictureReader | None = None  # for portraits that a card reader hands in

    def new_reference(self, prefix: str) -> str:
        """Return a fresh reference number of this kind."""
        return str(ReferenceNumber.create(prefix, self.random.randbytes(RANDOM_BYTES)))
