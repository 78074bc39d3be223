"""The committed document specimens: each file name is a case, each has its truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.specimens.barcodes import SYMBOLOGIES, barcode
from tools.specimens.identities import Person, generate_person
from tools.specimens.photo_attacks import cut_off, photograph_of_copy, screen_replay, two_cards
from tools.specimens.photography import Level, Photograph, photograph
from tools.specimens.portraits import demo_portrait, drawn_portrait, second_portrait
from tools.specimens.resident_card import render_resident_card_back, render_resident_card_front
from tools.specimens.travel_documents import (
    DocumentFormat,
    exit_entry_permit,
    render_travel_document,
    travel_document,
)
from tools.specimens.typefaces import Pixels

_JPEG_QUALITY_MAX = 70  # the committed files stay small
DEMO_PERSON = generate_person(2026, name="柯爱林", sex="女", birth_date=date(1990, 6, 15), minority_share=0)
OTHER_PERSON = generate_person(2027, name="何桂珍", sex="女", birth_date=date(1968, 12, 9), minority_share=0)


@dataclass(frozen=True, slots=True)
class Case:
    """One file: how it is made and what is expected of it."""

    make: Callable[[], Photograph]
    expected: str


def _front(person: Person, portrait: Pixels, level: Level, seed: int, **options: Any) -> Photograph:
    card = render_resident_card_front(person, portrait, seed=seed)
    return photograph(card, level, seed, fields=person.front_truth(), kind="resident_id_front", **options)


def _back(person: Person, level: Level, seed: int, **options: Any) -> Photograph:
    card = render_resident_card_back(person, seed=seed)
    return photograph(card, level, seed, fields=person.back_truth(), kind="resident_id_back", **options)


def _travel(format_: DocumentFormat, seed: int, *, permit: bool = False) -> Photograph:
    person = generate_person(seed, minority_share=0)
    document = exit_entry_permit(person, seed) if permit else travel_document(person, format_, seed)
    page = render_travel_document(document, drawn_portrait(seed), seed=seed)
    kind = f"mrz_{document.format}"
    return photograph(page, "mild", seed, fields=document.truth(), kind=kind, card_width_px=1000)


def _attacked(make: Callable[..., Photograph], seed: int, level: Level) -> Photograph:
    card = render_resident_card_front(DEMO_PERSON, demo_portrait(), seed=seed)
    return make(card, level, seed, fields=DEMO_PERSON.front_truth(), kind="resident_id_front")


def _pair(seed: int) -> Photograph:
    first = render_resident_card_front(DEMO_PERSON, demo_portrait(), seed=seed)
    second = render_resident_card_front(OTHER_PERSON, second_portrait(), seed=seed + 1)
    return two_cards(first, second, seed, fields=DEMO_PERSON.front_truth())


def _with_barcodes(seed: int) -> Photograph:
    sheet = np.full((900, 1300, 3), 246, np.uint8)
    for index, symbology in enumerate(SYMBOLOGIES):
        code = barcode(f"SPECIMEN-{symbology}-2026", symbology, 4)
        y, x = 60 + index * 290, 80
        sheet[y : y + code.shape[0], x : x + code.shape[1]] = code
    fields = {"barcodes": [f"SPECIMEN-{name}-2026" for name in SYMBOLOGIES]}
    return photograph(
        sheet, "mild", seed, fields=fields, kind="unknown", card_width_px=1000, corner_radius=0.001
    )


def document_cases() -> dict[str, Case]:
    """Return all cases by file name."""
    people = {seed: generate_person(seed) for seed in range(101, 108)}
    minority = generate_person(111, name="迪丽努尔·阿卜杜拉", sex="女")
    demo = DEMO_PERSON, demo_portrait()
    read, refuse, doubt = "read", "refused with advice", "read, with signs of a copy"
    return {
        "demo_front.jpg": Case(lambda: _front(*demo, "mild", 1, background="desk", card_width_px=1000), read),
        "demo_back.jpg": Case(lambda: _back(demo[0], "mild", 2, background="desk", card_width_px=1000), read),
        "other_person_front.jpg": Case(
            lambda: _front(
                OTHER_PERSON, second_portrait(), "mild", 3, background="cloth", card_width_px=1000
            ),
            read,
        ),
        "front_mild.jpg": Case(
            lambda: _front(people[101], drawn_portrait(1), "mild", 4, card_width_px=1000), read
        ),
        "front_medium.jpg": Case(
            lambda: _front(people[102], drawn_portrait(2), "medium", 5, card_width_px=950), read
        ),
        "front_strong.jpg": Case(
            lambda: _front(people[103], drawn_portrait(3), "strong", 6, card_width_px=900), read
        ),
        "front_upside_down.jpg": Case(
            lambda: _front(people[104], drawn_portrait(4), "mild", 7, roll=176, card_width_px=950), read
        ),
        "front_minority_name.jpg": Case(
            lambda: _front(minority, drawn_portrait(5), "mild", 8, background="plain", card_width_px=950),
            read,
        ),
        "back_medium.jpg": Case(lambda: _back(people[105], "medium", 9, card_width_px=900), read),
        "back_strong.jpg": Case(lambda: _back(people[106], "strong", 10, card_width_px=900), read),
        "front_screen_replay.jpg": Case(lambda: _attacked(screen_replay, 11, "mild"), doubt),
        "front_photocopy.jpg": Case(lambda: _attacked(photograph_of_copy, 12, "mild"), doubt),
        "front_cut_off.jpg": Case(lambda: cut_off(_front(*demo, "mild", 13, card_width_px=950)), refuse),
        "two_cards.jpg": Case(lambda: _pair(14), refuse),
        "wrong_side.jpg": Case(
            lambda: replace(_back(demo[0], "mild", 15, card_width_px=900), kind="resident_id_back"),
            "refused where the front is asked for",
        ),
        "passport_td3.jpg": Case(lambda: _travel("td3", 16), read),
        "card_td1.jpg": Case(lambda: _travel("td1", 17), read),
        "card_td2.jpg": Case(lambda: _travel("td2", 18), read),
        "visa_mrva.jpg": Case(lambda: _travel("mrva", 19), read),
        "visa_mrvb.jpg": Case(lambda: _travel("mrvb", 20), read),
        "exit_entry_permit_td1.jpg": Case(lambda: _travel("td1", 21, permit=True), read),
        "barcodes.jpg": Case(lambda: _with_barcodes(22), read),
    }


def build_documents(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Write all document specimens; returns their truth by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, Mapping[str, Any]] = {}
    for name, case in document_cases().items():
        taken = case.make()
        quality = min(int(taken.conditions.get("jpeg_quality", 86)), _JPEG_QUALITY_MAX)
        cv2.imwrite(str(folder / name), taken.image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        truth[name] = taken.truth() | {"expected": case.expected}
    return truth
