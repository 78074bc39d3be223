"""Read the machine readable zone of a travel document in a picture.

(1) a long line with many fillers gives the place and the direction of the zone
(2) its surroundings are cut out level and enlarged, its rows are found again
(3) rows are read in the zone's own alphabet, again and again from differently prepared pixels, until every
    check digit holds; characters are also put on the columns of a fixed-pitch line
(4) the names, which no check digit covers, are what most readings say
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from shiming.recognition.documents.mrz.effort import CountedReader, EffortSpent
from shiming.recognition.documents.mrz.places import ZonePlace, place_among, places_by_search
from shiming.recognition.documents.mrz.rows import band_of, row_sets
from shiming.recognition.documents.mrz.seen_rows import SeenRows
from shiming.recognition.documents.mrz.strips import PREPARATIONS
from shiming.recognition.measurements import DocumentKind, Image
from shiming.recognition.text_recognition import Line, TextReader
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.machine_readable_zone import MachineReadableZone, parse

_KINDS = {
    "TD1": DocumentKind.MRZ_TD1,
    "TD2": DocumentKind.MRZ_TD2,
    "TD3": DocumentKind.MRZ_TD3,
    "MRV-A": DocumentKind.MRZ_MRVA,
    "MRV-B": DocumentKind.MRZ_MRVB,
}
_SEXES = {"male": "M", "female": "F", "unspecified": "<"}
_FIRST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class ZoneReading:
    """A zone with its fields as the measurement names them; without valid check digits only the lines."""

    kind: DocumentKind
    fields: Mapping[str, object] = field(repr=False)
    confidence: Mapping[str, float]
    check_digits_valid: bool
    degrees: float


def read_travel_document(
    image: Image, lines: Sequence[Line], reader: TextReader, *, today: date, thorough: bool = False
) -> ZoneReading | None:
    """Read the zone of a travel document; None when there is none.

    `lines` are those already found in the picture. `thorough` also searches where the lines show no zone,
    which takes a second or two: only for pictures that are nothing else.
    """
    counted = CountedReader(reader)
    best: tuple[MachineReadableZone, float, float] | None = None
    try:
        for place in _places(image, lines, counted, thorough=thorough):
            for zone, confidence in _zones(band_of(image, place), counted, today):
                if best is None or _holding(zone) > _holding(best[0]):
                    best = zone, confidence, place.degrees
                if zone.check_digits_valid:
                    return _as_reading(zone, confidence, place.degrees)
    except EffortSpent:
        pass
    return _as_reading(*best) if best else None


def _places(
    image: Image, lines: Sequence[Line], reader: CountedReader, *, thorough: bool
) -> Iterator[ZonePlace]:
    place = place_among(image, lines, reader)
    if place is not None:
        yield place
    if place is not None or thorough:
        yield from places_by_search(image, reader)


def _holding(zone: MachineReadableZone) -> int:
    return sum(check.valid for check in zone.checks)


def _zones(band: Image, reader: CountedReader, today: date) -> Iterator[tuple[MachineReadableZone, float]]:
    """Yield zones of ever more readings: a few rounds with each set of rows, then the other rounds."""
    sets: list[SeenRows] = []
    for rows in row_sets(band, reader):
        sets.append(SeenRows(band, rows, reader))
        for _ in range(_FIRST_ROUNDS):
            yield from _one_round(sets[-1], today)
    for seen in sets:
        for _ in range(_FIRST_ROUNDS, len(PREPARATIONS)):
            yield from _one_round(seen, today)


def _one_round(seen: SeenRows, today: date) -> Iterator[tuple[MachineReadableZone, float]]:
    """Read every row once more and yield the zones that this makes likely."""
    seen.read_once_more()
    for lines in seen.new_combinations():
        zone = _parsed(lines, today)
        if zone is not None:
            yield _names_agreed(zone, seen, today), seen.confidence
    zone = seen.proven(today)
    if zone is not None:
        yield zone, seen.confidence


def _names_agreed(zone: MachineReadableZone, seen: SeenRows, today: date) -> MachineReadableZone:
    """Return the zone with the names that most readings give; read again where the first was not sure."""
    if not zone.check_digits_valid:
        return zone
    lines = seen.with_names_voted(zone.lines)
    voted = _parsed(lines, today)
    return voted if voted is not None and voted.check_digits_valid else zone


def _parsed(lines: tuple[str, ...], today: date) -> MachineReadableZone | None:
    try:
        return parse(lines, today=today, repair=True)
    except BadInput:
        return None


def _as_reading(zone: MachineReadableZone, confidence: float, degrees: float) -> ZoneReading:
    valid = zone.check_digits_valid
    fields = _fields(zone) if valid else {"mrz": list(zone.lines)}
    sure = round(confidence if valid else confidence / 2, 3)
    return ZoneReading(_KINDS[zone.format], fields, dict.fromkeys(fields, sure), valid, degrees)


def _fields(zone: MachineReadableZone) -> dict[str, object]:
    values: dict[str, object] = {
        "mrz": list(zone.lines),
        "document_code": zone.document_code,
        "issuing_state": zone.issuing_state,
        "surname": zone.surname,
        "given_names": zone.given_names,
        "document_number": zone.document_number,
        "nationality": zone.nationality,
        "birth_date": zone.birth_date.isoformat() if zone.birth_date else str(zone.birth_date_parts or ""),
        "sex": _SEXES[zone.sex],
        "expiry_date": zone.expiry_date.isoformat()
        if zone.expiry_date
        else str(zone.expiry_date_parts or ""),
    }
    return {name: value for name, value in values.items() if value}
