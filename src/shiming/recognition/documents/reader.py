"""Read one side of a document from a photo.

(1) find the lines of text and which way up they run
(2) find the card by its edges, or by its text, and flatten it
(3) read every line; what is written says which document it is
(4) read its fields, again from other pixels where it matters
(5) measure quality, signs of a copy, portrait, codes
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from shiming.recognition.document_detection.card_edges import cards_seen, cut_edges
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
from shiming.recognition.documents.mrz_zone import find_zone, read_zone
from shiming.recognition.documents.portrait import find_portrait
from shiming.recognition.documents.resident_card_back import back_signs, read_back
from shiming.recognition.documents.resident_card_front import front_signs, read_front
from shiming.recognition.documents.tools import DocumentTools
from shiming.recognition.image_quality import measure_quality
from shiming.recognition.measurements import DocumentKind, DocumentMeasurement, Image
from shiming.recognition.text_recognition import Line

_SIGNS_MIN = 3


@dataclass(frozen=True, slots=True)
class _ReadSide:
    """One side: where it lies, what it is, what it says."""

    card: RectifiedCard
    kind: DocumentKind
    fields: CardFields
    mrz_check_digits: bool | None = None


def read_document(image: Image, tools: DocumentTools, *, today: date) -> DocumentMeasurement:
    """Measure one photo of one side of one document; `today` dates numbers and decides centuries."""
    started = time.perf_counter()
    lines = tools.text.find_lines(image, SEARCH_SIDE_PX)
    side = _read_zone(image, lines, tools, today) or _read_card(image, lines, tools, today)
    measured = _measured(image, lines, side, tools)
    return replace(measured, seconds=round(time.perf_counter() - started, 3))


def _read_zone(image: Image, lines: Sequence[Line], tools: DocumentTools, today: date) -> _ReadSide | None:
    place = find_zone(image, lines, tools.text)
    if place is None:
        return None
    zone = read_zone(image, place, tools.text, today)
    if zone is None:
        return None
    card = by_text(image, whole_picture(image), place.degrees)
    return _ReadSide(card, zone.kind, CardFields(zone.fields, zone.confidence), zone.check_digits_valid)


def _read_card(image: Image, lines: Sequence[Line], tools: DocumentTools, today: date) -> _ReadSide:
    best: _ReadSide | None = None
    for card in card_candidates(image, lines, tools.text):
        text = read_card_text(card, tools.text)
        look = SecondLook(image, card, tools.text)
        front, back = front_signs(text), back_signs(text)
        if max(front, back) >= _SIGNS_MIN:
            if front >= back:
                return _ReadSide(card, DocumentKind.RESIDENT_ID_FRONT, read_front(text, look, today))
            return _ReadSide(card, DocumentKind.RESIDENT_ID_BACK, read_back(text, look))
        best = best or _ReadSide(card, DocumentKind.UNKNOWN, CardFields({}, {}))
    return best or _ReadSide(by_text(image, (), 0.0), DocumentKind.UNKNOWN, CardFields({}, {}))


def _measured(
    image: Image, lines: Sequence[Line], side: _ReadSide, tools: DocumentTools
) -> DocumentMeasurement:
    card, fields = side.card, side.fields
    width_px = round(float(np.linalg.norm(card.corners[1] - card.corners[0])))
    by_edges = card.by_edges
    cut = cut_edges(image, card.corners, lines, by_edges=by_edges) if side.kind in _CARDS else ()
    with_portrait = side.kind is not DocumentKind.RESIDENT_ID_BACK
    return DocumentMeasurement(
        kind=side.kind,
        fields=fields.values,
        field_confidence={key: round(value, 3) for key, value in fields.confidence.items()},
        number_checksum=fields.number_checksum,
        mrz_check_digits=side.mrz_check_digits,
        quality=measure_quality(image, card.image, object_width_px=width_px, cut_edges=cut),
        copy_signs=measure_copy_signs(image, card.image, card.corners if card.by_edges else None),
        portrait=find_portrait(card.image, tools.faces) if with_portrait else None,
        barcodes=read_barcodes(image),
        cards_seen=cards_seen(image, lines, card.corners) if by_edges else 1,
        rotation_degrees=round(card.rotation_degrees, 1),
        cross_checks=fields.cross_checks,
        models=tools.text.models,
    )


_CARDS = frozenset({DocumentKind.RESIDENT_ID_FRONT, DocumentKind.RESIDENT_ID_BACK})
