"""Read one side of a document from a photo.

(1) find the lines of text and which way up they run
(2) find the card by its edges, or by its text, and flatten it
(3) read every line; what is written says which document it is
(4) read its fields, again from other pixels where it matters
(5) measure quality, signs of a copy, portrait, codes
"""

import time
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from shiming.recognition.document_detection.card_edges import CardOutline, cards_seen, find_cards
from shiming.recognition.document_detection.cut_off_cards import cut_edges
from shiming.recognition.document_detection.rectification import (
    SEARCH_SIDE_PX,
    RectifiedCard,
    by_text,
    card_candidates,
    whole_picture,
)
from shiming.recognition.documents.barcodes import read_barcodes
from shiming.recognition.documents.card_fields import CardFields
from shiming.recognition.documents.card_text import SecondLook, read_card_text
from shiming.recognition.documents.copy_signs import measure_copy_signs
from shiming.recognition.documents.mrz.travel_document import read_travel_document
from shiming.recognition.documents.portrait import find_portrait
from shiming.recognition.documents.resident_card_back import back_signs, read_back
from shiming.recognition.documents.resident_card_front import front_signs, read_front
from shiming.recognition.documents.tools import DocumentTools
from shiming.recognition.image_quality import measure_quality
from shiming.recognition.measurements import DocumentKind, DocumentMeasurement, Image
from shiming.recognition.text_recognition import Line
from shiming.vocabulary.errors import Text

_SIGNS_MIN = 3
_BACK = DocumentKind.RESIDENT_ID_BACK
_RESIDENT_CARDS = frozenset({DocumentKind.RESIDENT_ID_FRONT, _BACK})
_NO_FIELDS = CardFields({}, {})
_NO_DOCUMENT = Text(
    zh="未认出证件。请将整张证件平放在画面中，对焦后重新拍摄。",
    en="No known document was recognised. Lay the whole document flat in the picture, focus, and try again.",
)


@dataclass(frozen=True, slots=True)
class _ReadSide:
    """One side: where it lies, what it is, what it says."""

    card: RectifiedCard
    kind: DocumentKind
    fields: CardFields
    mrz_check_digits: bool | None = None
    lines: tuple[Line, ...] = ()  # of the card, in the photo

    @property
    def is_whole(self) -> bool:
        """Whether the one thing was found without which the outline may be wrong."""
        return self.fields.number_checksum is not None or "valid_from" in self.fields.values


@dataclass(frozen=True, slots=True)
class _Scene:
    """The picture with what was found in it before anything was read."""

    image: Image
    lines: tuple[Line, ...]
    outlines: tuple[CardOutline, ...]


def read_document(image: Image, tools: DocumentTools, *, today: date) -> DocumentMeasurement:
    """Measure one photo of one side of one document; `today` dates numbers and decides centuries."""
    started = time.perf_counter()
    lines = tools.text.find_lines(image, SEARCH_SIDE_PX)
    scene = _Scene(image, lines, find_cards(image, lines))
    measured = _measured(scene, _read_side(scene, tools, today), tools)
    return replace(measured, seconds=round(time.perf_counter() - started, 3))


def _read_side(scene: _Scene, tools: DocumentTools, today: date) -> _ReadSide:
    """Take the likeliest candidate for a resident card, else a machine readable zone, else the others."""
    candidates = card_candidates(scene.image, scene.lines, scene.outlines, tools.text)
    likeliest = next(candidates, None)
    if likeliest is None:
        nothing = _ReadSide(by_text(scene.image, (), 0.0), DocumentKind.UNKNOWN, _NO_FIELDS)
        return _read_zone(scene, tools, today, thorough=True) or nothing
    first = _read_resident_card(scene, likeliest, tools, today)
    if first is not None and first.is_whole:
        return first
    zone = _read_zone(scene, tools, today) if first is None else None
    if zone is not None and zone.mrz_check_digits:
        return zone
    best = first or _ReadSide(likeliest, DocumentKind.UNKNOWN, _NO_FIELDS)
    for card in candidates:
        side = _read_resident_card(scene, card, tools, today)
        if side is not None and len(side.fields.values) > len(best.fields.values):
            best = side
        if best.is_whole:
            break
    if best.kind is not DocumentKind.UNKNOWN:
        return best
    searched = _read_zone(scene, tools, today, thorough=True)
    return searched if searched and searched.mrz_check_digits else zone or searched or best


def _read_zone(
    scene: _Scene, tools: DocumentTools, today: date, *, thorough: bool = False
) -> _ReadSide | None:
    zone = read_travel_document(scene.image, scene.lines, tools.text, today=today, thorough=thorough)
    if zone is None:
        return None
    card = by_text(scene.image, whole_picture(scene.image), zone.degrees)
    return _ReadSide(card, zone.kind, CardFields(zone.fields, zone.confidence), zone.check_digits_valid)


def _read_resident_card(
    scene: _Scene, card: RectifiedCard, tools: DocumentTools, today: date
) -> _ReadSide | None:
    text = read_card_text(card, tools.text)
    look = SecondLook(scene.image, card, tools.text)
    front, back = front_signs(text), back_signs(text)
    if max(front, back) < _SIGNS_MIN:
        return None
    lines = tuple(Line(look.in_photo(line.line.corners)) for line in text.lines)
    if front >= back:
        return _ReadSide(card, DocumentKind.RESIDENT_ID_FRONT, read_front(text, look, today), lines=lines)
    return _ReadSide(card, DocumentKind.RESIDENT_ID_BACK, read_back(text, look), lines=lines)


def _measured(scene: _Scene, side: _ReadSide, tools: DocumentTools) -> DocumentMeasurement:
    image, card, fields = scene.image, side.card, side.fields
    outline = card.corners if card.by_edges else None
    resident = side.kind in _RESIDENT_CARDS
    quality = measure_quality(
        image,
        card.image,
        object_width_px=round(float(np.linalg.norm(card.corners[1] - card.corners[0]))),
        cut_edges=cut_edges(image, outline, side.lines) if resident else (),
    )
    if side.kind is DocumentKind.UNKNOWN:
        quality = replace(quality, advice=(_NO_DOCUMENT, *quality.advice))
    return DocumentMeasurement(
        kind=side.kind,
        fields=fields.values,
        field_confidence={key: round(value, 3) for key, value in fields.confidence.items()},
        number_checksum=fields.number_checksum,
        mrz_check_digits=side.mrz_check_digits,
        quality=quality,
        copy_signs=measure_copy_signs(image, card.image, outline),
        portrait=find_portrait(card.image, tools.faces) if side.kind is not _BACK else None,
        barcodes=() if resident else read_barcodes(image),  # resident cards bear none
        cards_seen=1 if outline is None else cards_seen(scene.outlines, scene.lines, outline),
        rotation_degrees=round(card.rotation_degrees, 1),
        cross_checks=fields.cross_checks,
        rectified=card.image,
        models=tools.text.models,
    )
