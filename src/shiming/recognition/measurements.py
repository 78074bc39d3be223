"""What recognition hands to the rest of the system: numbers and readings, never decisions.

Each measurement is a frozen record with `to_json()`; the keys are documented in
`docs/reference/measurements.md` and stable. Images are BGR `uint8` arrays (height, width, 3);
boxes are `(x, y, width, height)` in pixels of the upright input; times are seconds from the start
of the clip; angles are degrees; left and right are the person's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiming.vocabulary.errors import Text

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]


class DocumentKind(StrEnum):
    """Documents that can be read."""

    RESIDENT_ID_FRONT = "resident_id_front"
    RESIDENT_ID_BACK = "resident_id_back"
    MRZ_TD1 = "mrz_td1"
    MRZ_TD2 = "mrz_td2"
    MRZ_TD3 = "mrz_td3"
    MRZ_MRVA = "mrz_mrva"
    MRZ_MRVB = "mrz_mrvb"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Which model made a measurement; cited by the decision receipt."""

    name: str
    version: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        """Return name, version and hash."""
        return {"name": self.name, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """How well a picture can be read. Sharpness: variance of the Laplacian at a fixed width."""

    width: int
    height: int
    sharpness: float
    brightness: float  # mean grey, 0..255
    contrast: float  # standard deviation of grey, 0..127
    glare_share: float  # share of saturated pixels inside the object, 0..1
    object_width_px: int  # width of the card or face
    cut_edges: tuple[str, ...] = ()  # of "left", "right", "top", "bottom"
    advice: tuple[Text, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return all figures and the advice in both languages."""
        return {
            "width": self.width,
            "height": self.height,
            "sharpness": self.sharpness,
            "brightness": self.brightness,
            "contrast": self.contrast,
            "glare_share": self.glare_share,
            "object_width_px": self.object_width_px,
            "cut_edges": list(self.cut_edges),
            "advice": [text.to_json() for text in self.advice],
        }


@dataclass(frozen=True, slots=True)
class CopySigns:
    """Signs that the picture shows a screen or a photocopy; each 0 (none) .. 1 (strong)."""

    moire: float
    frame_edges: float
    missing_colour: float

    def to_json(self) -> dict[str, float]:
        """Return the three signs."""
        return {"moire": self.moire, "frame_edges": self.frame_edges, "missing_colour": self.missing_colour}


@dataclass(frozen=True, slots=True)
class Portrait:
    """The holder's picture printed on a document: its place on the rectified card and its pixels."""

    box: Box
    image: Image = field(repr=False)


@dataclass(frozen=True, slots=True)
class Barcode:
    """A 1D or 2D code on the document."""

    symbology: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DocumentMeasurement:
    """A reading of one side of a document. A field that was not read surely is absent, not guessed."""

    kind: DocumentKind
    fields: Mapping[str, Any] = field(repr=False)
    field_confidence: Mapping[str, float]
    number_checksum: bool | None
    mrz_check_digits: bool | None
    quality: ImageQuality
    copy_signs: CopySigns
    portrait: Portrait | None
    barcodes: tuple[Barcode, ...] = ()
    cards_seen: int = 1
    rotation_degrees: float = 0.0
    cross_checks: Mapping[str, bool] = field(default_factory=dict)
    rectified: Image | None = field(repr=False, default=None)  # the card as if scanned; for plots and people
    models: tuple[ModelUse, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object (pixels stay out)."""
        return {
            "kind": self.kind.value,
            "fields": dict(self.fields),
            "field_confidence": dict(self.field_confidence),
            "checks": {
                "number_checksum": self.number_checksum,
                "mrz_check_digits": self.mrz_check_digits,
                **self.cross_checks,
            },
            "quality": self.quality.to_json(),
            "copy_signs": self.copy_signs.to_json(),
            "portrait": {
                "present": self.portrait is not None,
                "box": list(self.portrait.box) if self.portrait else None,
            },
            "barcodes": [{"symbology": code.symbology, "text": code.text} for code in self.barcodes],
            "cards_seen": self.cards_seen,
            "rotation_degrees": self.rotation_degrees,
            "models": [use.to_json() for use in self.models],
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well one face can be compared. Light is the mean grey of the face, 0..255."""

    yaw_degrees: float  # positive: the person's own left
    pitch_degrees: float
    roll_degrees: float
    sharpness: float
    light: float
    light_evenness: float  # darker half / brighter half, 0..1
    occlusion: float  # 0 (free) .. 1 (covered); advisory
    width_px: int
    faces_seen: int

    def to_json(self) -> dict[str, float | int]:
        """Return all figures."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """The embeddings of ONE person's face, made of one picture or of a few frames. Never stored."""

    primary: NDArray[np.float32] = field(repr=False)  # 512, unit length
    secondary: NDArray[np.float32] | None = field(repr=False)  # 1024, unit length; None = model absent
    quality: FaceQuality
    frames_used: int = 1
    models: tuple[ModelUse, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceComparison:
    """Cosine similarities of two faces by two models, -1..1; higher is more alike."""

    similarity: float
    second_similarity: float | None
    models: tuple[ModelUse, ...] = ()


class ClipEventKind(StrEnum):
    """What may happen in a clip."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    BLINK = "blink"
    EYES_CLOSED = "eyes_closed"  # longer than a blink
    MOUTH_OPEN = "mouth_open"
    SPEECH = "speech"
    FACE_LOST = "face_lost"
    SECOND_FACE = "second_face"
    IDENTITY_CHANGE = "identity_change"
    FROZEN = "frozen"
    REPEATED = "repeated"
    TIME_GAP = "time_gap"


@dataclass(frozen=True, slots=True)
class ClipEvent:
    """One event. Degrees: largest turn from the neutral pose (turns only)."""

    kind: ClipEventKind
    start_s: float
    end_s: float
    degrees: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return kind, times and, for turns, degrees."""
        return {
            "kind": self.kind.value,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "degrees": self.degrees,
        }


@dataclass(frozen=True, slots=True)
class AttackSigns:
    """Signs of a presentation attack in a clip. None = could not be measured (never read as good)."""

    passive_live_score: float | None  # fr_liveness mean over frames, 1 = live; advisory
    frozen_share: float  # share of the clip's time without any change
    loop_distance: float | None  # landmark self-similarity, inter-ocular units; small = repeated
    planar_score: float | None  # 0 (moves as a head) .. 1 (moves as a flat picture)
    moire: float | None
    frame_edges: float | None
    same_person_min: float | None  # least similarity of any segment to the neutral segment
    same_person_second_min: float | None
    time_gap_s_max: float
    faces_max: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return all signs."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ClipFace:
    """The face of the clip: quality over the frames used and the template of its sharp frontal frames."""

    quality: FaceQuality | None
    template: FaceTemplate | None = field(repr=False)
    width_px_median: float
    present_share: float  # share of analysed frames with a tracked face
    neutral_yaw_degrees: float
    best_frame: Image | None = field(repr=False, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return figures only; neither pixels nor embeddings."""
        return {
            "quality": self.quality.to_json() if self.quality else None,
            "frames_used": self.template.frames_used if self.template else 0,
            "width_px_median": self.width_px_median,
            "present_share": self.present_share,
            "neutral_yaw_degrees": self.neutral_yaw_degrees,
        }


@dataclass(frozen=True, slots=True)
class ClipTimeline:
    """The sampled signals behind the events, for plots and for lip synchrony; one entry a frame analysed."""

    times_s: tuple[float, ...]
    yaw_degrees: tuple[float, ...]  # positive: the person's own left; NaN without a face
    eye_openness: tuple[float, ...]
    mouth_opening: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ClipMeasurement:
    """One live clip: what happened when, by whom as far as one face can tell, and what looks wrong."""

    events: tuple[ClipEvent, ...]
    attack_signs: AttackSigns
    face: ClipFace
    timeline: ClipTimeline = field(repr=False)
    frames: int  # decoded
    frames_analysed: int
    duration_s: float
    width: int
    height: int
    frame_rate: float
    has_audio: bool
    models: tuple[ModelUse, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            "events": [event.to_json() for event in self.events],
            "attack_signs": self.attack_signs.to_json(),
            "face": self.face.to_json(),
            "frames": self.frames,
            "frames_analysed": self.frames_analysed,
            "duration_s": self.duration_s,
            "width": self.width,
            "height": self.height,
            "frame_rate": self.frame_rate,
            "has_audio": self.has_audio,
            "models": [use.to_json() for use in self.models],
            "seconds": self.seconds,
        }
