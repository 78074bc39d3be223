"""Open one picture of a session that waits for people, marked, on record, for a stated purpose.

Never two at a time, never a clip, never what a decided session left behind (that lies in the vault).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_forms import identity_of, image_of
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.permissions import MayReviewSession
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.privacy.model import AccessRequest, EvidenceKind
from shiming.privacy.use_cases.copies import Marking
from shiming.privacy.use_cases.held_pictures import HELD_PURPOSES, HeldPicture, show_held_picture
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.recognition.measurements import Image
from shiming.vocabulary.permissions import asks, inside

#: Frames spread over the clip: the beginning, where turns are, and the end.
FRAME_SHARES = (0.1, 0.4, 0.7, 0.95)
_FRAMES = {f"frame_{number}": number for number in range(1, len(FRAME_SHARES) + 1)}
#: In the order in which they are looked at: the two faces first, side by side.
_KINDS = {
    "portrait": EvidenceKind.PORTRAIT,
    "best_frame": EvidenceKind.CLIP,
    "document": EvidenceKind.DOCUMENT_FRONT,
    "document_back": EvidenceKind.DOCUMENT_BACK,
    **dict.fromkeys(_FRAMES, EvidenceKind.CLIP),
}
PICTURES = tuple(_KINDS)
FramePicker = Callable[[bytes, Sequence[float]], Sequence[Image]]


@dataclass(frozen=True, slots=True)
class LookTools:
    """What a look works with besides the desk: the vault's tools, and who takes frames out of a clip."""

    privacy: PrivacyTools
    pick_frames: FramePicker


@dataclass(frozen=True, slots=True)
class Look:
    """Which picture of which session, by whom and why, and what its mark says."""

    session_id: str
    picture: str
    request: AccessRequest
    marking: Marking


@inside("names only; nothing is opened")
def held_piece_of(picture: str) -> str:
    """Return the held piece that a picture is taken from."""
    return "clip" if picture in _FRAMES else picture


@asks(MayReviewSession)
def open_picture(desk: Desk, tools: LookTools, look: Look) -> bytes:
    """Return a marked JPEG of one picture.

    (1) the session waits for people  (2) the purpose is one of a review  (3) the picture is there
    (4) the look is recorded before the copy leaves
    """
    if look.picture not in _KINDS or look.request.purpose not in HELD_PURPOSES:
        raise refused("REVIEW_PICTURE_UNKNOWN")
    session, piece = _waiting(desk, look.session_id), held_piece_of(look.picture)
    with desk.begin() as connection:
        present = held_pieces.list_present(connection, session.id)
    if not {piece, "identity"} <= present.keys():
        raise refused("REVIEW_PICTURE_UNKNOWN")
    held = held_pieces.open_pieces(desk.holding, desk.begin, session.id, {piece, "identity"})
    identity = identity_of(b"".join(held["identity"]))
    number = identity.number
    subject = desk.tools.pseudonym(identity.document_type, number) if number else session.id
    content = _content(desk, tools, look.picture, b"".join(held[piece]))
    with desk.begin() as connection:
        decided = store.find_decided_session(connection, session.id)
        shown = HeldPicture(
            piece=present[piece],
            kind=_KINDS[look.picture],
            operator=(decided.operator if decided else None) or "",
            subject=subject,
            content=content,
        )
        now = desk.tools.clock.now()
        return show_held_picture(tools.privacy, connection, shown, look.request, look.marking, now=now)


def _waiting(desk: Desk, session_id: str) -> Session:
    with desk.begin() as connection:
        session = store.get_session(connection, session_id)
    if session.state.is_final or session.waiting_since is None:
        raise refused("REVIEW_NOT_AWAITED")
    if desk.tools.clock.now() >= session.expires_at:
        raise refused("SESSION_EXPIRED")
    return session


def _content(desk: Desk, tools: LookTools, picture: str, held: bytes) -> bytes:
    """Return the picture as a file: what was photographed as it came, what was computed as a new JPEG."""
    if picture in {"document", "document_back"}:
        return held
    if picture not in _FRAMES:
        return desk.tools.encode_jpeg(image_of(held))
    frames = tools.pick_frames(held, FRAME_SHARES)
    number = _FRAMES[picture] - 1
    if number >= len(frames):
        raise refused("REVIEW_PICTURE_UNKNOWN")
    return desk.tools.encode_jpeg(frames[number])
