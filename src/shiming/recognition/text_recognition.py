"""Find lines of text in a picture and read them: the PP-OCR nets, run by the shared engines.

The nets come with `rapidocr`. Their pre- and post-processing stands here in full because a document asks
for more than a line's best text: the probability of each character, its place along the line, and readings
that only a given alphabet can have (an identity number has digits and X, a machine readable zone A-Z, 0-9
and <). Differentiable binarisation (Liao et al. 2020) marks the shrunken core of a line; growing it by
area x ratio / perimeter gives the line back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import Image, ModelUse

Floats = NDArray[np.float32]
#: From a character that the net knows to the one that it stands for; unnamed characters cannot be read.
Alphabet = Mapping[str, str]

READING_HEIGHT_PX = 48
_READING_WIDTH_PX = (96, 2400)
_SIDE_STEP_PX = 32
_ENLARGEMENT_MAX = 2.0
_CORE_PROBABILITY = 0.3
_LINE_PROBABILITY_MIN = 0.5
_GROWTH = 1.6
_CORE_SIDE_PX_MIN = 3
_LINES_MAX = 300  # a page of print; more is texture
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
#: What each of the 256 values of a channel is for the net; looking up is one pass instead of four.
_NORMALISED = ((np.arange(256, dtype=np.float32)[None] / 255 - _MEAN[:, None]) / _DEVIATION[:, None]).astype(
    np.float32
)
_SPACE = " "


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: its corners (4, 2) from the top left clockwise as the text runs, and how sure."""

    corners: Floats = field(repr=False)
    score: float = 1.0

    @property
    def width(self) -> float:
        """Return the length of the line in pixels."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        """Return its height in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def centre(self) -> Floats:
        """Return its middle (2,)."""
        return np.asarray(self.corners.mean(axis=0), np.float32)

    def turned_round(self) -> "Line":
        """Return the same line read from the other end."""
        return Line(np.roll(self.corners, 2, axis=0), self.score)


class Letter(NamedTuple):
    """One character read: its probability, its place along the line, 0 (start) .. 1 (end), and its rival."""

    character: str
    probability: float
    at: float
    rival: str = ""  # the next best character in its place
    rival_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one line says."""

    letters: tuple[Letter, ...] = field(repr=False, default=())

    @property
    def text(self) -> str:
        """Return the characters."""
        return "".join(letter.character for letter in self.letters)

    @property
    def confidence(self) -> float:
        """Return the mean probability of the characters, 0 for an empty line."""
        return float(np.mean([letter.probability for letter in self.letters])) if self.letters else 0.0

    @property
    def weakest(self) -> float:
        """Return the smallest probability of a character, 0 for an empty line."""
        return min((letter.probability for letter in self.letters), default=0.0)


class TextReader:
    """Finds and reads lines; safe for threads."""

    def __init__(self, runtime: ModelRuntime) -> None:
        self._finder = runtime.onnx("text_detection")
        self._recogniser = runtime.onnx("text_recognition")
        # the characters are data of the model file, which the engine does not expose
        described = self._recogniser._session.get_modelmeta()  # noqa: SLF001
        self._characters = ("", *described.custom_metadata_map["character"].splitlines(), _SPACE)
        self._classes_of: dict[frozenset[tuple[str, str]], tuple[tuple[str, ...], NDArray[np.intp]]] = {}

    @property
    def models(self) -> tuple[ModelUse, ...]:
        """Return the models used."""
        return self._finder.use, self._recogniser.use

    def find_lines(self, image: Image, side_px: int) -> tuple[Line, ...]:
        """Return the lines, as the net sees them with the longer side brought to about `side_px`."""
        height, width = image.shape[:2]
        scale = min(side_px / max(height, width), _ENLARGEMENT_MAX)
        size = _stepped(width * scale), _stepped(height * scale)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        tensor = np.empty((1, 3, size[1], size[0]), np.float32)
        for channel, plane in enumerate(cv2.split(cv2.resize(image, size, interpolation=how))):
            tensor[0, channel] = cv2.LUT(plane, _NORMALISED[channel])
        cores = self._finder(tensor)[0][0, 0]
        to_image = np.array((width / size[0], height / size[1]), np.float32)
        return tuple(_lines(cores, to_image))

    def read(self, strip: Image, alphabet: Alphabet | None = None) -> Reading:
        """Read a picture of one upright line."""
        probabilities = self._recogniser(_prepared(strip))[0][0]
        used = min(1.0, _reading_width(strip) / (probabilities.shape[0] * 8))
        if alphabet is None:
            return _collapsed(probabilities, self._characters, used)
        characters, groups = self._groups(alphabet)
        gathered = np.zeros((probabilities.shape[0], len(characters)), np.float32)
        for target, source in groups:
            gathered[:, target] += probabilities[:, source]
        return _collapsed(gathered, characters, used)

    def _groups(self, alphabet: Alphabet) -> tuple[tuple[str, ...], NDArray[np.intp]]:
        key = frozenset(alphabet.items())
        if key not in self._classes_of:
            targets = ("", *dict.fromkeys(alphabet.values()))
            pairs = [(0, 0)]
            for index, character in enumerate(self._characters):
                if index and character in alphabet:
                    pairs.append((targets.index(alphabet[character]), index))
            self._classes_of[key] = targets, np.array(pairs, np.intp)
        return self._classes_of[key]


def cut_out(image: Image, line: Line, *, beside: float = 0.0, above: float = 0.0) -> Image:
    """Return the strip of a line, upright, with margins in line heights; at least 4 pixels high."""
    top_left, top_right, _, bottom_left = line.corners.astype(np.float64)
    along = (top_right - top_left) / max(line.width, 1e-6)
    down = (bottom_left - top_left) / max(line.height, 1e-6)
    grown = line.corners + line.height * np.array(
        [-along * beside - down * above, along * beside - down * above,
         along * beside + down * above, -along * beside + down * above]
    )  # fmt: skip
    return straightened(image, grown.astype(np.float32))


def straightened(image: Image, corners: Floats) -> Image:
    """Return the quadrilateral (top left, top right, bottom right, bottom left) as a rectangle."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = (max(4, round(float(max(sides[i], sides[i + 2])))) for i in (0, 1))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    move = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(
        image, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def _stepped(length: float) -> int:
    return max(_SIDE_STEP_PX, round(length / _SIDE_STEP_PX) * _SIDE_STEP_PX)


def _lines(cores: Floats, to_image: Floats) -> list[Line]:
    mask = cv2.dilate((cores > _CORE_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = (_grown(outline, cores, to_image) for outline in outlines[:_LINES_MAX])
    return [line for line in lines if line is not None]


def _grown(outline: NDArray[Any], cores: Floats, to_image: Floats) -> Line | None:
    centre, size, angle = cv2.minAreaRect(outline)
    if min(size) < _CORE_SIDE_PX_MIN:
        return None
    score = _mean_inside(cv2.boxPoints((centre, size, angle)), cores)
    if score < _LINE_PROBABILITY_MIN:
        return None
    reach = 2 * _GROWTH * size[0] * size[1] / (2 * (size[0] + size[1]))
    corners = cv2.boxPoints((centre, (size[0] + reach, size[1] + reach), angle)) * to_image
    return Line(_as_text_runs(corners.astype(np.float32)), score)


def _mean_inside(corners: NDArray[Any], cores: Floats) -> float:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = cores[top:bottom, left:right]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(corners - (left, top)).astype(np.int32)], (1,))
    return float(cv2.mean(part, inside)[0])


def _as_text_runs(corners: Floats) -> Floats:
    """Order corners so that the first edge is the longer one and points rightwards (or down, if upright)."""
    if np.linalg.norm(corners[1] - corners[0]) < np.linalg.norm(corners[2] - corners[1]):
        corners = np.roll(corners, -1, axis=0)
    along = corners[1] - corners[0]
    backwards = along[0] < 0 if abs(along[0]) >= abs(along[1]) else along[1] < 0
    return np.roll(corners, 2, axis=0) if backwards else corners


def _reading_width(strip: Image) -> int:
    height, width = strip.shape[:2]
    return int(np.clip(round(width * READING_HEIGHT_PX / height), 8, _READING_WIDTH_PX[1]))


def _prepared(strip: Image) -> Floats:
    width = _reading_width(strip)
    how = cv2.INTER_AREA if strip.shape[0] > READING_HEIGHT_PX else cv2.INTER_CUBIC
    scaled = cv2.resize(strip, (width, READING_HEIGHT_PX), interpolation=how).astype(np.float32)
    padded = np.zeros((1, 3, READING_HEIGHT_PX, max(width, _READING_WIDTH_PX[0])), np.float32)
    padded[0, :, :, :width] = scaled.transpose(2, 0, 1) / 127.5 - 1
    return padded


def _collapsed(probabilities: Floats, characters: tuple[str, ...], used: float) -> Reading:
    """Take the best class of each step; runs of one class are one character, class 0 is none."""
    best = probabilities.argmax(axis=1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    letters = []
    for start, end in zip(starts, [*starts[1:], len(best)], strict=True):
        if best[start]:
            run = probabilities[start:end, best[start]]
            at = (start + float(np.average(np.arange(len(run)) + 0.5, weights=run + 1e-9))) / len(best) / used
            step = probabilities[start + int(run.argmax())].copy()
            step[[0, best[start]]] = 0
            rival = int(step.argmax())
            letters.append(
                Letter(
                    characters[best[start]],
                    float(run.max()),
                    min(1.0, at),
                    characters[rival],
                    float(step[rival]),
                )
            )
    return Reading(tuple(letters))
