"""The rows of a zone: its surroundings cut out level and enlarged, its rows found there.

Rows of one zone have one height, one direction, and begin and end together (ICAO Doc 9303 part 3, 4).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from shiming.recognition.document_detection.text_geometry import (
    direction_degrees,
    in_text_frame,
    out_of_text_frame,
)
from shiming.recognition.documents.mrz.alphabet import FILLER
from shiming.recognition.documents.mrz.effort import CountedReader
from shiming.recognition.documents.mrz.places import ZonePlace
from shiming.recognition.images import reduced
from shiming.recognition.measurements import Image
from shiming.recognition.text_recognition import Line, cut_out, straightened

_ROW_WIDTH_PX = 1320  # 44 characters of 30 pixels
_REACH_ROW_HEIGHTS = 7.0
_SLOPE_DEGREES_MAX = 7.0
_ROW_LETTERS_MIN, _ROW_CONFIDENCE_MIN = 12, 0.45
_WHOLE_ROW_ASPECT = 18.0  # shorter is a piece of a row, or blurred wide
_ALIKE_WIDTH = 0.6
_UNEVEN = 1.6
#: A row further, in widths of a row of 44, 36 or 30: the pitch is 2.5 characters, on some cards 1.7.
_PITCHES = (2.5 / 44, 2.5 / 36, 2.5 / 30, 1.8 / 30)


@dataclass(frozen=True, slots=True)
class Row:
    """One row in the band and what it says at first sight."""

    line: Line = field(repr=False)
    text: str = field(repr=False)
    confidence: float


def band_of(image: Image, place: ZonePlace) -> Image:
    """Return what surrounds a row, level, the row about `_ROW_WIDTH_PX` wide."""
    scale = _ROW_WIDTH_PX / place.row.width
    corners = place.row.corners
    if scale < 0.7:
        smaller = reduced(image, max(64, round(max(image.shape[:2]) * scale * 1.2)))
        corners = corners * np.float32(smaller.shape[1] / image.shape[1])
        image = smaller
    cut = straightened(image, _surroundings(image, Line(corners), place.degrees))
    scale = _ROW_WIDTH_PX / Line(corners).width
    if scale <= 1:
        return cut
    size = round(cut.shape[1] * scale), round(cut.shape[0] * scale)
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _surroundings(image: Image, row: Line, degrees: float) -> np.ndarray:
    height, width = image.shape[:2]
    page = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    framed_page, framed = in_text_frame(page, degrees), in_text_frame(row.corners, degrees)
    is_piece = row.width < _WHOLE_ROW_ASPECT * row.height
    slack = row.width * (1.0 if is_piece else 0.12) + 2 * row.height
    left = max(float(framed_page[:, 0].min()), float(framed[:, 0].min()) - slack)
    right = min(float(framed_page[:, 0].max()), float(framed[:, 0].max()) + slack)
    reach = _REACH_ROW_HEIGHTS * row.height
    top, bottom = float(framed[:, 1].min()) - reach, float(framed[:, 1].max()) + reach
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return out_of_text_frame(corners, degrees)


def row_sets(band: Image, reader: CountedReader) -> Iterator[list[Row]]:
    """Yield the rows of the zone, top to bottom, as found at different scales, then as they must lie."""
    most: list[Row] = []
    seen: set[tuple[int, ...]] = set()
    for side_px in (1280, 864):
        rows = _rows_found(band, reader, side_px)
        most = max(most, rows, key=len)
        key = tuple(round(float(row.line.centre[1]) / 12) for row in rows)
        if len(rows) > 1 and key not in seen:
            seen.add(key)
            yield rows
    if most:
        rows = _with_neighbours(band, most, reader)
        key = tuple(round(float(row.line.centre[1]) / 12) for row in rows)
        if len(rows) > 1 and key not in seen:
            yield rows


def _rows_found(band: Image, reader: CountedReader, side_px: int) -> list[Row]:
    found = reader.find_lines(band, side_px)
    level = [
        line
        for line in found
        if line.width > line.height and abs(direction_degrees(line)) < _SLOPE_DEGREES_MAX
    ]
    rows = [_read(band, line, reader) for line in joined_rows(level)]
    return zone_rows(rows)


def _read(band: Image, line: Line, reader: CountedReader) -> Row:
    reading = reader.read_zone_row(cut_out(band, line, beside=0.3))
    return Row(line, reading.text, reading.confidence)


def zone_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that belong to the zone, evened; the last three where prose above looks alike."""
    plain = [r for r in rows if len(r.text) >= _ROW_LETTERS_MIN and r.confidence > _ROW_CONFIDENCE_MIN]
    certain = [row for row in plain if FILLER in row.text]
    if not certain:
        return []
    widest = max(row.line.width for row in certain)
    height = float(np.median([row.line.height for row in certain]))
    alike = [
        row
        for row in plain
        if row.line.width > _ALIKE_WIDTH * widest
        and any(abs(float(row.line.centre[1] - one.line.centre[1])) < 3.2 * height for one in certain)
    ]
    return _evened(_evenly_apart(alike[-3:]))


def _evenly_apart(rows: list[Row]) -> list[Row]:
    """Return the rows without one that stands too far off the others: print above or below the zone."""
    if len(rows) < 3:
        return rows
    gaps = [float(b.line.centre[1] - a.line.centre[1]) for a, b in itertools.pairwise(rows)]
    if gaps[0] > _UNEVEN * gaps[1]:
        return rows[1:]
    return rows[:-1] if gaps[1] > _UNEVEN * gaps[0] else rows


def joined_rows(lines: Sequence[Line]) -> list[Line]:
    """Join pieces that lie on one level line and are of one height; longest piece first decides."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: -one.width):
        for row in rows:
            if _continues(row[0], line) and not any(_overlap(one, line) for one in row):
                row.append(line)
                break
        else:
            rows.append([line])
    joined = [_across(sorted(row, key=lambda one: float(one.centre[0]))) for row in rows]
    return sorted((row for row in joined if row.width > 5 * row.height), key=lambda one: float(one.centre[1]))


def _continues(row: Line, piece: Line) -> bool:
    along = row.corners[1] - row.corners[0]
    slope = float(along[1] / max(abs(along[0]), 1e-6))
    level = float(row.centre[1] + slope * (piece.centre[0] - row.centre[0]))
    return abs(level - float(piece.centre[1])) < 0.4 * row.height and 0.5 < piece.height / row.height < 1.6


def _overlap(first: Line, second: Line) -> bool:
    start = max(float(first.corners[0, 0]), float(second.corners[0, 0]))
    end = min(float(first.corners[1, 0]), float(second.corners[1, 0]))
    return end - start > 0.5 * min(first.height, second.height)


def _across(row: list[Line]) -> Line:
    first, last = row[0].corners, row[-1].corners
    return Line(np.array([first[0], last[1], last[2], first[3]], np.float32))


def _evened(rows: list[Row]) -> list[Row]:
    """Let all rows begin and end together; the net drops fillers at the end."""
    left = min((float(row.line.corners[[0, 3], 0].mean()) for row in rows), default=0.0)
    right = max((float(row.line.corners[[1, 2], 0].mean()) for row in rows), default=0.0)
    return [Row(between(row.line, left, right), row.text, row.confidence) for row in rows]


def between(row: Line, left: float, right: float) -> Line:
    """Return the row from `left` to `right` on its own level."""
    start, end = (float(row.corners[pair, 0].mean()) for pair in ([0, 3], [1, 2]))
    length = max(end - start, 1.0)
    tops = [
        row.corners[0] + (row.corners[1] - row.corners[0]) * ((x - start) / length) for x in (left, right)
    ]
    bottoms = [
        row.corners[3] + (row.corners[2] - row.corners[3]) * ((x - start) / length) for x in (left, right)
    ]
    return Line(np.array([tops[0], tops[1], bottoms[1], bottoms[0]], np.float32))


def _with_neighbours(band: Image, rows: list[Row], reader: CountedReader) -> list[Row]:
    """Add rows above and below that the search missed, where the distance of rows puts them."""
    row = max(rows, key=lambda one: one.confidence)
    known = list(rows)
    for pitch in _distances(rows) or [share * row.line.width for share in _PITCHES]:
        for steps in (-1, 1, -2, 2):
            line = Line(row.line.corners + np.array([0, steps * pitch], np.float32))
            if 0 < line.centre[1] < band.shape[0] and all(_apart(line, one.line) for one in known):
                found = _read(band, line, reader)
                if (
                    FILLER in found.text
                    and len(found.text) >= _ROW_LETTERS_MIN
                    and found.confidence > _ROW_CONFIDENCE_MIN
                ):
                    known.append(found)
        if len(known) > len(rows):
            break
    return zone_rows(sorted(known, key=lambda one: float(one.line.centre[1])))


def _distances(rows: list[Row]) -> list[float]:
    centres = [float(row.line.centre[1]) for row in rows]
    return [centres[1] - centres[0]] if len(rows) > 1 else []


def _apart(first: Line, second: Line) -> bool:
    return abs(float(first.centre[1] - second.centre[1])) > 0.7 * min(first.height, second.height)
