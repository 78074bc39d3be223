"""What the verbs of identity proofing work with; built in one place, passed in everywhere."""

from dataclasses import dataclass, field
from random import Random, SystemRandom

from shiming.identity_proofing.ports import (
    AuthorityPort,
    ClipMeter,
    DecisionRecorder,
    DigitsMeter,
    DocumentReader,
    EvidenceKeeper,
    FaceComparer,
    JpegEncoder,
    PortraitMeter,
    Pseudonyms,
)
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.signing import Signer
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

SESSION, CHALLENGE, TRANSACTION = "SES", "CHA", "TRX"


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

    def new_reference(self, prefix: str) -> str:
        """Return a fresh reference number of this kind."""
        return str(ReferenceNumber.create(prefix, self.random.randbytes(RANDOM_BYTES)))
