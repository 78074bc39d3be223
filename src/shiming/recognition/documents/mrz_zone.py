"""SUPERSEDED by `documents/mrz` (see /tmp/MRZ_TAKEN_OVER.md): do not extend. Read the machine readable zone of a travel document (ICAO Doc 9303).

(1) a long line with many fillers gives the place and the direction of the zone
(2) its band is cut out level, enlarged, and its rows are found again
(3) rows are read with the zone's own alphabet, again and again from other pixels, until the check digits
    hold; characters are also put on the grid of a fixed-pitch line, which counts fillers better
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import cv2
import numpy as np

from shiming.recognition.document_detection.rectification import rows_of
from shiming.recognition.document_detection.text_geometry import (
    direction_degrees,
    in_text_frame,
    out_of_text_frame,
)
from shiming.recognition.documents.strips import prepared_strips
from shiming.recognition.measurements import DocumentKind, Image
from shiming.recognition.text_recognition import Line, Reading, TextReader, cut_out, straightened
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.machine_readable_zone import MachineReadableZone, parse

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FILLERS = "<«《〈＜‹く＜"
MRZ_ALPHABET = (
    {sign: sign for sign in _LETTERS + "0123456789"}
    | {sign.lower(): sign for sign in _LETTERS}
    | {chr(ord(sign) + 0xFEE0): sign for sign in _LETTERS + "0123456789"}
    | dict.fromkeys(_FILLERS, "<")
)
_KINDS = {
    "TD1": DocumentKind.MRZ_TD1,
    "TD2": DocumentKind.MRZ_TD2,
    "TD3": DocumentKind.MRZ_TD3,
    "MRV-A": DocumentKind.MRZ_MRVA,
    "MRV-B": DocumentKind.MRZ_MRVB,
}
_SEXES = {"male": "M", "female": "F", "unspecified": "<"}
_LINE_LENGTHS = (30, 36, 44)
_LINE_ASPECT_MIN = 7.0
_LINES_TRIED = 4
_PLAIN_TEXT_CONFIDENCE, _PLAIN_TEXT_LETTERS = 0.85, 5
_FILLERS_MIN, _ROW_LETTERS_MIN = 2, 15
_BAND_LINE_HEIGHTS = 7.0
_BAND_WIDTH_PX = 1440
_COMBINATIONS_MAX = 64
_AGREEING_MIN, _ROWS_MAX = 2, 3
_RIVAL_PROBABILITY_MIN, _SETTLED_CONFIDENCE = 0.005, 0.6


@dataclass(frozen=True, slots=True)
class ZonePlace:
    """A line of the zone, running as it reads."""

    line: Line = field(repr=False)

    @property
    def degrees(self) -> float:
        """Return the direction of its text."""
        return direction_degrees(self.line)


@dataclass(frozen=True, slots=True)
class ZoneReading:
    """A zone with its fields as the measurement names them."""

    kind: DocumentKind
    fields: Mapping[str, Any] = field(repr=False)
    confidence: Mapping[str, float]
    check_digits_valid: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A parsed zone and how surely its lines were read."""

    zone: MachineReadableZone
    confidence: float

    @property
    def holding(self) -> int:
        """Return how many check digits hold."""
        return sum(check.valid for check in self.zone.checks)


def find_zone(image: Image, lines: Sequence[Line], reader: TextReader) -> ZonePlace | None:
    """Return a line of a machine readable zone, whichever way up; None when there is none."""
    long_lines = [line for line in lines if line.width > _LINE_ASPECT_MIN * line.height]
    for line in sorted(long_lines, key=lambda one: -one.width / one.height)[:_LINES_TRIED]:
        for way in (line, line.turned_round()):
            reading = reader.read(cut_out(image, way))
            if _looks_like_zone(reading.text):
                return ZonePlace(way)
            if reading.confidence > _PLAIN_TEXT_CONFIDENCE and len(reading.letters) >= _PLAIN_TEXT_LETTERS:
                break  # other text, the right way up
    return None


def _looks_like_zone(text: str) -> bool:
    signs = sum(MRZ_ALPHABET.get(sign) is not None and not sign.islower() for sign in text)
    fillers = sum(MRZ_ALPHABET.get(sign) == "<" for sign in text)
    return fillers >= _FILLERS_MIN and signs >= max(_ROW_LETTERS_MIN, 0.8 * len(text))


def read_zone(image: Image, place: ZonePlace, reader: TextReader, today: date) -> ZoneReading | None:
    """Read the zone; None when what was found cannot be one.

    One digit in ten is right by chance, and many readings are tried: a zone is taken when two strips say
    the same one, or when no other zone's check digits hold.
    """
    band = _band(image, place)
    best: _Candidate | None = None
    for rows in _row_sets(band, reader):
        texts: list[dict[str, float]] = [{} for _ in rows]
        votes: Counter[tuple[str, ...]] = Counter()
        valid: dict[tuple[str, ...], _Candidate] = {}
        for strips in zip(*(prepared_strips(band, row) for row in rows), strict=True):
            now = [_spelled(reader.read(strip(), MRZ_ALPHABET)) for strip in strips]
            for seen, new in zip(texts, now, strict=True):
                seen.update(new)
            found = {one.zone.lines: one for one in _candidates(now, today) if one.zone.check_digits_valid}
            valid |= found
            votes.update(found.keys())
            if votes and votes.most_common(1)[0][1] >= _AGREEING_MIN:
                return _as_reading(valid[votes.most_common(1)[0][0]])
        if votes:
            return _as_reading(_most_voted(votes, valid))
        for candidate in itertools.islice(_candidates(texts, today), _COMBINATIONS_MAX):
            if best is None or candidate.holding > best.holding:
                best = candidate
        if best is None or not best.zone.check_digits_valid:
            best = _settled_by_rivals(band, rows, reader, today) or best
        if best is not None and best.zone.check_digits_valid:
            return _as_reading(best)
    return _as_reading(best) if best else None


def _most_voted(votes: Counter[tuple[str, ...]], valid: Mapping[tuple[str, ...], _Candidate]) -> _Candidate:
    """Return the zone with most votes; rivals with as many make it unsure."""
    ranked = votes.most_common(2)
    chosen = valid[ranked[0][0]]
    tied = len(ranked) > 1 and ranked[1][1] == ranked[0][1]
    return replace(chosen, confidence=chosen.confidence / 2 if tied else chosen.confidence)


def _spelled(reading: Reading) -> dict[str, float]:
    """Return the line as read and as put on the grid, with its confidence."""
    return {text: reading.confidence for text in (reading.text, on_grid(reading)) if text}


def _candidates(texts: Sequence[Mapping[str, float]], today: date) -> Iterator[_Candidate]:
    """Yield zones from one text for each row; with three rows also without the topmost."""
    sets = (texts, texts[1:]) if len(texts) == _ROWS_MAX else (texts,)
    for rows in sets:
        for lines in itertools.product(*rows):
            zone = _parsed(lines, today)
            if zone is not None:
                confidence = float(np.mean([row[line] for row, line in zip(rows, lines, strict=True)]))
                yield _Candidate(zone, confidence)


def _band(image: Image, place: ZonePlace) -> Image:
    """Return the surroundings of the line, level and enlarged: some rows up and down, some way beside."""
    height, width = image.shape[:2]
    page = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    low, high = (extreme(in_text_frame(page, place.degrees), axis=0) for extreme in (np.min, np.max))
    framed = in_text_frame(place.line.corners, place.degrees)
    reach = _BAND_LINE_HEIGHTS * place.line.height
    top, bottom = framed[:, 1].min() - reach, framed[:, 1].max() + reach
    slack = 0.35 * place.line.width + 2 * place.line.height
    left, right = max(low[0], framed[:, 0].min() - slack), min(high[0], framed[:, 0].max() + slack)
    if place.line.width < 18 * place.line.height:  # a piece of a row: the rest may be anywhere beside it
        left, right = max(low[0], left - 3 * slack), min(high[0], right + 3 * slack)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    band = straightened(image, out_of_text_frame(corners, place.degrees))
    scale = _BAND_WIDTH_PX / band.shape[1]
    if scale <= 1:
        return band
    size = round(band.shape[1] * scale), round(band.shape[0] * scale)
    return np.asarray(cv2.resize(band, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _row_sets(band: Image, reader: TextReader) -> Iterator[list[Line]]:
    """Yield the rows of the zone as found in the band at different scales."""
    seen: set[tuple[int, ...]] = set()
    for side_px in (1280, 960):
        rows = _rows(band, reader, side_px)
        key = tuple(round(float(row.centre[1]) / 8) for row in rows)
        if len(rows) >= 2 and key not in seen:
            seen.add(key)
            yield rows


def _rows(band: Image, reader: TextReader, side_px: int) -> list[Line]:
    found = [line for line in reader.find_lines(band, side_px) if line.width > line.height]
    rows = [_joined(row) for row in rows_of(found)]
    read = [(row, reader.read(cut_out(band, row, beside=0.3), MRZ_ALPHABET)) for row in rows]
    plain = [(row, reading) for row, reading in read if len(reading.letters) >= _ROW_LETTERS_MIN]
    zone = [(row, reading) for row, reading in plain if reading.confidence > 0.5]
    with_fillers = [row for row, reading in zone if reading.text.count("<") >= 1]
    if not with_fillers:
        return []
    widest = max(row.width for row in with_fillers)
    alike = [row for row, _ in zone if row.width > 0.7 * widest and _near(row, with_fillers)]
    return _evened(alike[-_ROWS_MAX:])


def _near(row: Line, others: list[Line]) -> bool:
    return any(abs(float(row.centre[1] - other.centre[1])) < 3.2 * other.height for other in others)


def _joined(row: list[Line]) -> Line:
    first, last = row[0].corners, row[-1].corners
    return Line(np.array([first[0], last[1], last[2], first[3]], np.float32))


def _evened(rows: list[Line]) -> list[Line]:
    """Let all rows begin and end together, as they do in print; the detector drops fillers at the end."""
    left = min((float(row.corners[[0, 3], 0].mean()) for row in rows), default=0.0)
    right = max((float(row.corners[[1, 2], 0].mean()) for row in rows), default=0.0)
    return [_between(row, left, right) for row in rows]


def _between(row: Line, left: float, right: float) -> Line:
    start, end = (float(row.corners[pair, 0].mean()) for pair in ([0, 3], [1, 2]))
    low, high = (left - start) / max(end - start, 1.0), (right - start) / max(end - start, 1.0)
    tops = [row.corners[0] + (row.corners[1] - row.corners[0]) * share for share in (low, high)]
    bottoms = [row.corners[3] + (row.corners[2] - row.corners[3]) * share for share in (low, high)]
    return Line(np.array([tops[0], tops[1], bottoms[1], bottoms[0]], np.float32))


def _settled_by_rivals(band: Image, rows: list[Line], reader: TextReader, today: date) -> _Candidate | None:
    """Put the net's second choice in one place; the only zone of those whose check digits hold is taken."""
    readings = [reader.read(cut_out(band, row, beside=0.35), MRZ_ALPHABET) for row in rows]
    texts = [on_grid(reading) or reading.text for reading in readings]
    found: dict[tuple[str, ...], MachineReadableZone] = {}
    for index, reading in enumerate(readings):
        for place, letter in enumerate(reading.letters):
            if letter.rival_probability > _RIVAL_PROBABILITY_MIN and len(texts[index]) == len(
                reading.letters
            ):
                spelled = reading.text[:place] + letter.rival + reading.text[place + 1 :]
                zone = _parsed((*texts[:index], spelled, *texts[index + 1 :]), today)
                if zone is not None and zone.check_digits_valid:
                    found[zone.lines] = zone
    return _Candidate(next(iter(found.values())), _SETTLED_CONFIDENCE) if len(found) == 1 else None


def _parsed(lines: tuple[str, ...], today: date) -> MachineReadableZone | None:
    try:
        return parse(lines, today=today, repair=True)
    except BadInput:
        return None


def on_grid(reading: Reading) -> str:
    """Return the line with each character in its place of a fixed-pitch line; empty when none fits.

    The pitch follows from the characters' own distances; runs of fillers, which the net counts badly,
    become as long as their place.
    """
    letters = reading.letters
    if len(letters) < _ROW_LETTERS_MIN:
        return ""
    places = np.array([letter.at for letter in letters])
    span = float(places[-1] - places[0])
    fits = [(_misfit(places, span / (length - 1)), length) for length in _LINE_LENGTHS]
    misfit, length = min(fits)
    if misfit > 0.18:
        return ""
    columns = np.round((places - places[0]) / (span / (length - 1))).astype(int)
    line = ["<"] * length
    for column, letter in zip(columns, letters, strict=True):
        line[min(int(column), length - 1)] = letter.character
    return "".join(line)


def _misfit(places: np.ndarray, pitch: float) -> float:
    steps = (places - places[0]) / pitch
    return float(np.abs(steps - np.round(steps)).mean())


def _as_reading(candidate: _Candidate) -> ZoneReading:
    zone, confidence = candidate.zone, candidate.confidence
    fields: dict[str, Any] = {
        "mrz": list(zone.lines),
        "document_code": zone.document_code,
        "issuing_state": zone.issuing_state,
        "surname": zone.surname,
        "given_names": zone.given_names,
        "document_number": zone.document_number,
        "nationality": zone.nationality,
        "birth_date": str(zone.birth_date or zone.birth_date_parts or ""),
        "sex": _SEXES[zone.sex],
        "expiry_date": str(zone.expiry_date or zone.expiry_date_parts or ""),
    }
    valid = zone.check_digits_valid
    return ZoneReading(
        kind=_KINDS[zone.format],
        fields={key: value for key, value in fields.items() if value} if valid else {"mrz": list(zone.lines)},
        confidence=dict.fromkeys(fields, confidence if valid else confidence / 2),
        check_digits_valid=valid,
    )
