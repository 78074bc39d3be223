"""Series of photographed resident cards of different people, for evaluation."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from tools.specimens.identities import Person, generate_person
from tools.specimens.photography import Level, Photograph, photograph
from tools.specimens.portraits import drawn_portrait
from tools.specimens.resident_card import render_resident_card_back, render_resident_card_front
from tools.specimens.typefaces import Pixels


def photographed_front(
    person: Person, level: Level, seed: int, *, portrait: Pixels | None = None, **options: Any
) -> Photograph:
    """Render and photograph a front; without a portrait a drawn one is printed."""
    card = render_resident_card_front(
        person, drawn_portrait(seed) if portrait is None else portrait, seed=seed
    )
    return photograph(card, level, seed, fields=person.front_truth(), kind="resident_id_front", **options)


def photographed_back(person: Person, level: Level, seed: int, **options: Any) -> Photograph:
    """Render and photograph a back."""
    card = render_resident_card_back(person, seed=seed)
    return photograph(card, level, seed, fields=person.back_truth(), kind="resident_id_back", **options)


def write_card_series(out: Path, count: int, level: Level, seed: int) -> Iterator[dict[str, Any]]:
    """Write `count` pictures, fronts and backs in turn, and `truth.jsonl`; yields the truth of each."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "truth.jsonl").open("w", encoding="utf-8") as lines:
        for index in range(count):
            person = generate_person(seed + index)
            make = photographed_back if index % 3 == 2 else photographed_front
            taken = make(person, level, seed + index)
            name = f"{taken.kind}_{level}_{seed + index}.jpg"
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(taken.conditions["jpeg_quality"])]
            cv2.imwrite(str(out / name), taken.image, quality)
            truth = {"file": name, **taken.truth()}
            lines.write(json.dumps(truth, ensure_ascii=False) + "\n")
            yield truth
