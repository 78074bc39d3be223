"""A card for the visitor: the invented person of `specimens/tour`, with the visitor's picture as portrait.

The picture, the card and the population's new record lie in the folder of the tour and are deleted with it,
or at once when the visitor asks.
"""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from shiming.entrypoints.demo_processes import SPECIMENS
from shiming.vocabulary.errors import BadInput, Text

PORTRAIT_PX = 358, 441  # the stored picture of a resident card: 26 x 32 mm
PICTURE_BYTES_MAX = 2_000_000  # one frame of a camera
PREVIEW_WIDTH = 640
_SIDE_PX = 200, 4096  # smaller shows no face, larger is no frame of a camera
_JPEG_QUALITY = 90
_EDGE_SHARE = 0.012  # of the portrait's width: its printed edge is soft


@dataclass(frozen=True, slots=True)
class VisitorCard:
    """What the pretended camera shows, a small picture for pages, and the number on the card."""

    front: Path
    back: Path
    preview: Path
    number: str = field(repr=False)


def decode_picture(content: bytes) -> Image.Image:
    """Return a camera's frame cut to a portrait's shape; BadInput for anything else."""
    try:
        picture = Image.open(io.BytesIO(content), formats=("JPEG",))
        if not all(_SIDE_PX[0] <= side <= _SIDE_PX[1] for side in picture.size):
            raise _unusable()
        how = Image.Resampling.LANCZOS
        return ImageOps.fit(picture.convert("RGB"), PORTRAIT_PX, how, centering=(0.5, 0.4))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as problem:
        raise _unusable() from problem


def make_card(portrait: Image.Image, folder: Path, population: Path) -> VisitorCard:
    """Write the card, and let the pretended authority know the person."""
    template = SPECIMENS / "tour"
    known: dict[str, Any] = json.loads((template / "card.json").read_text("utf-8"))
    front, person = folder / "visitor-front.jpg", known["person"]
    with Image.open(template / "front.jpg") as card:
        made = laid_in(card.convert("RGB"), portrait, known["portrait_corners"])
    made.save(front, quality=_JPEG_QUALITY)
    preview = folder / "visitor-preview.jpg"
    made.resize((PREVIEW_WIDTH, made.height * PREVIEW_WIDTH // made.width)).save(
        preview, quality=_JPEG_QUALITY
    )
    picture = population.parent / "visitor.jpg"
    portrait.save(picture, quality=_JPEG_QUALITY)
    record = {key: person[key] for key in ("number", "name", "birth_date", "valid_to")}
    _replace_record(population, person["number"], record | {"portrait": picture.name})
    return VisitorCard(front, SPECIMENS / "documents" / "demo_back.jpg", preview, person["number"])


def forget_card(card: VisitorCard, population: Path) -> None:
    """Delete the visitor's picture, the card and the record."""
    _replace_record(population, card.number, None)
    card.front.unlink(missing_ok=True)
    card.preview.unlink(missing_ok=True)
    (population.parent / "visitor.jpg").unlink(missing_ok=True)


def laid_in(card: Image.Image, portrait: Image.Image, corners: list[list[float]]) -> Image.Image:
    """Put a portrait into the photograph of a card, in perspective; `corners` clockwise from the top left."""
    width, height = portrait.size
    mask = Image.new("L", portrait.size, 0)
    edge = max(1, round(width * _EDGE_SHARE))
    mask.paste(255, (edge, edge, width - edge, height - edge))
    mask = mask.filter(ImageFilter.GaussianBlur(edge))
    to_portrait = _perspective(corners, [(0, 0), (width, 0), (width, height), (0, height)])
    how = Image.Transform.PERSPECTIVE, to_portrait, Image.Resampling.BICUBIC
    card.paste(portrait.transform(card.size, *how), (0, 0), mask.transform(card.size, *how))
    return card


def _perspective(here: list[list[float]], there: list[tuple[int, int]]) -> tuple[float, ...]:
    """Return the eight numbers by which Pillow finds, for a point here, the point there."""
    rows, values = [], []
    for (x, y), (u, v) in zip(here, there, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(number) for number in np.linalg.solve(np.array(rows), np.array(values)))


def _replace_record(population: Path, number: str, record: dict[str, Any] | None) -> None:
    """Put a record in the place of the one with this number, in one step: the authority reads meanwhile."""
    people = json.loads(population.read_text("utf-8"))["people"]
    people = [person for person in people if person["number"] != number] + ([record] if record else [])
    draft = population.with_suffix(".part")
    draft.write_text(json.dumps({"people": people}, ensure_ascii=False), encoding="utf-8")
    draft.replace(population)


def _unusable() -> BadInput:
    return BadInput(
        "TOUR_PICTURE_UNUSABLE",
        Text(zh="无法使用这张照片。", en="This picture cannot be used."),
        Text(zh="请对准镜头重新拍照。", en="Look into the camera and take it again."),
    )
