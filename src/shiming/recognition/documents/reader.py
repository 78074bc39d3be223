"""Read one side of a document from a photo.

(1) find the lines of text and which way up they run
(2) find the card by its edges, or by its text, and flatten it
(3) read every line; what is written says which document it is
(4) read its fields, again from other pixels where it matters
(5) measure quality, signs of a copy, portrait, codes
"""

import time
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from shiming.recognition.document_detection.rectification import RectifiedCard, place_text, rectify
from shiming.recognition.documents.barcodes import read_barcodes
from shiming.recognition.documents.card_fields import CardFields
from shiming.recognition.documents.card_text import SecondLook, read_card_text
from shiming.recognition.documents.copy_signs import measure_copy_signs
from shiming.recognition.documents.portrait import find_portrait
from shiming.recognition.documents.resident_card_back import back_signs, read_back
from shiming.recognition.documents.resident_card_front import front_signs, read_front
from shiming.recognition.documents.tools import DocumentTools
from shiming.recognition.image_quality import measure_quality
from shiming.recognition.measurements import DocumentKind, DocumentMeasurement, Image

_SIGNS_MIN = 2


def read_document(image: Image, tools: DocumentTools, *, today: date) -> DocumentMeasurement:
    """Measure one photo of one side of one document; `today` dates numbers and decides centuries."""
    started = time.perf_counter()
    text = place_text(image, tools.text)
    card = rectify(image, text)
    kind, fields = _read_card(image, card, tools, today)
    return _measured(image, card, kind, fields, tools, started)


def _read_card(
    image: Image, card: RectifiedCard, tools: DocumentTools, today: date
) -> tuple[DocumentKind, CardFields]:
    text = read_card_text(card, tools.text)
    look = SecondLook(image, card, tools.text)
    front, back = front_signs(text), back_signs(text)
    if max(front, back) < _SIGNS_MIN:
        return DocumentKind.UNKNOWN, CardFields({}, {})
    if front >= back:
        return DocumentKind.RESIDENT_ID_FRONT, read_front(text, look, today)
    return DocumentKind.RESIDENT_ID_BACK, read_back(text, look)


def _measured(
    image: Image, card: RectifiedCard, kind: DocumentKind, fields: CardFields, tools: DocumentTools, started: float
) -> DocumentMeasurement:
    width_px = round(float(np.linalg.norm(card.corners[1] - card.corners[0])))
    return DocumentMeasurement(
        kind=kind,
        fields=fields.values,
        field_confidence={key: round(value, 3) for key, value in fields.confidence.items()},
        number_checksum=fields.number_checksum,
        mrz_check_digits=None,
        quality=measure_quality(image, card.image, object_width_px=width_px, cut_edges=_cut_edges(image, card)),
        copy_signs=measure_copy_signs(image, card.image, card.corners if card.by_edges else None),
        portrait=None if kind is DocumentKind.RESIDENT_ID_BACK else find_portrait(card.image, tools.faces),
        barcodes=read_barcodes(image),
        cards_seen=card.cards_seen,
        rotation_degrees=round(card.rotation_degrees, 1),
        cross_checks=fields.cross_checks,
        models=tools.text.models,
        seconds=round(time.perf_counter() - started, 3),
    )


def _cut_edges(image: Image, card: RectifiedCard) -> tuple[str, ...]:
    return ()
