"""Where a machine readable zone may lie in a picture, whichever way up.

A row of a zone is long and full of fillers. It is looked for among the lines already found; only when the
caller knows that the picture is nothing else, also in finer and turned searches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from shiming.recognition.document_detection.text_geometry import direction_degrees
from shiming.recognition.documents.mrz.alphabet import is_like_zone
from shiming.recognition.documents.mrz.effort import CountedReader
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Floats, Line, cut_out

_ASPECT_MIN = 7.0
_LINES_TRIED = 6
_SURELY_OTHER_TEXT = 0.9
_FINER_SIDE_PX, _TURNED_SIDE_PX = 1536, 736
_STROKES_WIDTH_PX = 600  # at which printed rows melt into bars under the kernels below


@dataclass(frozen=True, slots=True)
class ZonePlace:
    """One row of a zone, running as it reads."""

    row: Line = field(repr=False)

    @property
    def degrees(self) -> float:
        """Return the direction of its text, clockwise from the horizontal."""
        return direction_degrees(self.row)


def place_among(image: Image, lines: Sequence[Line], reader: CountedReader) -> ZonePlace | None:
    """Return the first of the longest lines that reads like a row of a zone, from either end."""
    long_lines = [line for line in lines if line.width > _ASPECT_MIN * line.height]
    for line in sorted(long_lines, key=lambda one: -one.width / one.height)[:_LINES_TRIED]:
        for way in (line, line.turned_round()):
            reading = reader.read_prose(cut_out(image, way))
            if is_like_zone(reading.text):
                return ZonePlace(way)
            if reading.confidence > _SURELY_OTHER_TEXT and len(reading.letters) > _ASPECT_MIN:
                break  # prose that reads so well is not a zone upside down
    return None


def places_by_search(image: Image, reader: CountedReader) -> Iterator[ZonePlace]:
    """Yield places that only a finer search, a turned picture or the dark bars of the rows show."""
    place = place_among(image, reader.find_lines(image, _FINER_SIDE_PX), reader)
    if place is not None:
        yield place
    turned = np.ascontiguousarray(np.rot90(image))
    place = place_among(turned, reader.find_lines(turned, _TURNED_SIDE_PX), reader)
    if place is not None:
        yield ZonePlace(Line(_turned_back(place.row.corners, image.shape[1])))
    place = place_among(image, dark_bars(image), reader)
    if place is not None:
        yield place


def _turned_back(corners: Floats, width: int) -> Floats:
    """Return points of a picture that was turned a quarter anticlockwise, in the picture before."""
    return np.stack([width - corners[:, 1], corners[:, 0]], axis=1).astype(np.float32)


def dark_bars(image: Image) -> list[Line]:
    """Return long bars of dark strokes on light ground, by morphology: rows that the net does not see."""
    scale = _STROKES_WIDTH_PX / image.shape[1]
    grey = cv2.cvtColor(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
    )
    strokes = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_RECT, (11, 9)))
    joined = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (15, 3)))
    _, dark = cv2.threshold(joined, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, (25, 3)))
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    bars = []
    for outline in outlines:
        (x, y), size, degrees = cv2.minAreaRect(outline)
        long, short = max(size), min(size)
        if short > 3 and long > _ASPECT_MIN * short:
            turned = degrees if size[0] >= size[1] else degrees - 90
            corners = cv2.boxPoints(((x, y), (long + short, short * 1.4), turned)) / scale
            bars.append(Line(_from_left(np.asarray(corners, np.float32))))
    return bars


def _from_left(corners: Floats) -> Floats:
    """Order corners from the top left clockwise, the long side first and running to the right."""
    if np.linalg.norm(corners[1] - corners[0]) < np.linalg.norm(corners[2] - corners[1]):
        corners = np.roll(corners, -1, axis=0)
    return np.roll(corners, 2, axis=0) if corners[1, 0] < corners[0, 0] else corners
