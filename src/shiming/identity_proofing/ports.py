"""What identity proofing asks of others: an authority, recognition, and someone who keeps the evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import Connection

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import AuthorityAnswer, DigitsReading
from shiming.recognition.measurements import (
    ClipMeasurement,
    DocumentMeasurement,
    FaceComparison,
    FaceTemplate,
    Image,
)


@dataclass(frozen=True, slots=True)
class AuthorityQuestion:
    """One person's attributes, and at most one portrait (JPEG), to be confirmed or denied together."""

    transaction_id: str
    identifier_type: str
    identity: ClaimedIdentity
    portrait_jpeg: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AuthorityReply:
    """A strict answer: everything asked agrees, or not. `detail` is a stable word, never personal."""

    answer: AuthorityAnswer
    detail: str = ""


class AuthorityPort(Protocol):
    """A national identity authority."""

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        """Ask; an authority that does not answer is the reply UNREACHABLE, not an exception."""
        ...


class DocumentReader(Protocol):
    """Reads one side of a document from a picture file."""

    def __call__(self, picture: Path) -> DocumentMeasurement: ...  # noqa: D102 - see the class


class ClipMeter(Protocol):
    """Measures a live clip."""

    def __call__(self, clip: Path) -> ClipMeasurement: ...  # noqa: D102 - see the class


class PortraitMeter(Protocol):
    """Makes the template of the one face in a picture."""

    def __call__(self, picture: Image) -> FaceTemplate: ...  # noqa: D102 - see the class


class FaceComparer(Protocol):
    """Compares two templates of one claimed person."""

    def __call__(self, a: FaceTemplate, b: FaceTemplate, /) -> FaceComparison: ...  # noqa: D102 - see the class


class DigitsMeter(Protocol):
    """Scores a claimed digit string against a recording or the sound of a clip."""

    def __call__(self, source: Path, expected: str, language: str) -> DigitsReading: ...  # noqa: D102 - see the class


class PictureReader(Protocol):
    """Decodes a picture; raises BadInput for what is none."""

    def __call__(self, picture: bytes, /) -> Image: ...  # noqa: D102 - see the class


class PortraitDecoder(Protocol):
    """Decodes the portrait on the chip of a card. The codec (WLT) is proprietary: usually nobody can.

    `name` is recorded with the evidence; `unavailable` says that there is no decoder.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class

    def decode(self, photo: bytes) -> bytes | None:
        """Return the portrait as JPEG; None when this block cannot be decoded. Never raises."""
        ...


class JpegEncoder(Protocol):
    """Encodes a picture for the authority."""

    def __call__(self, picture: Image) -> bytes: ...  # noqa: D102 - see the class


class Pseudonyms(Protocol):
    """Names a person by a keyed hash of type and number of the document."""

    def __call__(self, document_type: str, number: str) -> str: ...  # noqa: D102 - see the class


class EvidenceKeeper(Protocol):
    """Keeps what the law wants kept, encrypted, in the caller's transaction (the vault)."""

    def keep(
        self,
        connection: Connection,
        *,
        session_id: str,
        operator: str,
        subject: str,
        identity: ClaimedIdentity,
        files: Mapping[str, Path],
        pending: bool,
    ) -> None:
        """Keep the identity and the files (`document`, `document_back`, `clip`, `digits`) of a session.

        `pending`: people still have to review it, so what would be deleted at a decision is there to be seen.
        """
        ...

    def release(self, connection: Connection, session_id: str) -> None:
        """Let go of what a review needed: the session was decided and proves nobody."""
        ...


class DecisionRecorder(Protocol):
    """Writes one leaf of the ledger in the caller's transaction: references, codes and hashes only."""

    def __call__(  # noqa: D102 - see the class
        self,
        connection: Connection,
        *,
        kind: str,
        facts: Mapping[str, str | int | bool | None],
        operator: str,
    ) -> None: ...


class EarlyMeasuring(Protocol):
    """Measures a clip while it is still being uploaded; whoever cannot, lets it be measured at the end."""

    def begin(self, upload_id: str, portrait: Callable[[], Image | None]) -> None:
        """Make ready for a clip; `portrait` gives the document's, if there is one."""
        ...

    def feed(self, upload_id: str, start: int, content: bytes, *, whole: bool) -> None:
        """Take the next bytes, which are kept already; `whole`: nothing follows."""
        ...

    def drop(self, upload_id: str) -> None:
        """Forget an upload."""
        ...

    def measured(self, upload_id: str, content_hash: str) -> "Measured | None":
        """Wait for what was measured early of this very content and take it; None: measure it now."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a clip before it was handed in, with the template of the document's portrait."""

    clip: ClipMeasurement
    portrait: tuple[Image, FaceTemplate] | None = field(repr=False)
