"""How many machine readable zones are read with every check digit right, by format and by degradation.

    python -m evaluation.travel_documents --count 35 [--seed 1] [--json FIGURES.json]

Documents are drawn, not photographed: invented holders and numbers, states and names of many kinds, zones
in OCR-B and in other typefaces, treated like the pictures that people find on the web (small, strongly
compressed, turned, printed over) or photographed synthetically. An upper bound for real documents.
"""

import argparse
import dataclasses
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_args

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from evaluation.digits.intervals import wilson
from shiming.recognition.documents.reader import read_document
from shiming.recognition.documents.tools import DocumentTools, load_document_tools
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import DocumentMeasurement, Image
from shiming.recognition.model_files import ModelFiles
from tools.specimens.identities import generate_person
from tools.specimens.photography import photograph
from tools.specimens.portraits import drawn_portrait
from tools.specimens.security_print import guilloche
from tools.specimens.travel_documents import (
    SIZES,
    DocumentFormat,
    TravelDocument,
    mrz_lines,
    render_travel_document,
    travel_document,
)

DEGRADATIONS = (
    "scan", "small", "turned", "watermark", "patterned", "spread",
    "photo_mild", "photo_medium", "photo_strong",
)  # fmt: skip
#: Issuing state, surname and given names as zones have them.
HOLDERS = (
    ("D<<", "MUSTERMANN", "ERIKA"),
    ("GBR", "UK SPECIMEN", "ANGELA ZOE"),
    ("USA", "TRAVELER", "HAPPY"),
    ("FRA", "DOUEL", "ADRIENNE MARIE ISABELLE"),
    ("NLD", "DE BRUIJN", "WILLEKE LISELOTTE"),
    ("CHN", "ZHENGJIAN", "YANGBEN"),
    ("POL", "KOWALSKA", "ANNA"),
    ("IND", "VENKATANARASIMHARAJUVARIPETA", "SRI"),
    ("BEL", "ROOSEVELT KELLER", "KLAUS LUKAS"),
    ("ISL", "THORSTEINSDOTTIR", "ASDIS"),
)
TYPEFACES = ("ocr_b", "ocr_b", "ocr_b", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_OCR_B = Path(__file__).parents[1] / "tools" / "specimens" / "fonts" / "OCR-B.ttf"
_TODAY = date(2026, 11, 22)
_SCALE = 1.3


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture and its truth."""

    name: str
    format: DocumentFormat
    degradation: str
    lines: tuple[str, ...] = field(repr=False)
    image: Image = field(repr=False)


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield pictures, going through all degradations and formats in turn."""
    formats: tuple[DocumentFormat, ...] = get_args(DocumentFormat)
    pairs = itertools.cycle(itertools.product(DEGRADATIONS, formats))
    for number, (degradation, format_) in zip(range(count), pairs, strict=False):
        rng = np.random.default_rng([seed, number])
        document = _document(format_, number + 1000 * seed, rng)
        page = _page(document, str(rng.choice(TYPEFACES)), number)
        image = _degraded(page, degradation, int(rng.integers(1 << 30)), rng)
        yield Trial(
            f"{degradation}-{format_}-{number}", format_, degradation, tuple(mrz_lines(document)), image
        )


def _document(format_: DocumentFormat, seed: int, rng: np.random.Generator) -> TravelDocument:
    plain = travel_document(generate_person(seed, minority_share=0), format_, seed)
    if rng.random() < 0.2:
        return plain
    state, surname, given_names = HOLDERS[int(rng.integers(len(HOLDERS)))]
    alphabet = list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    number = "".join(rng.choice(alphabet, size=int(rng.integers(7, 10))))
    optional = "".join(rng.choice(alphabet[:10], size=6)) if rng.random() < 0.4 else ""
    code = {"td1": "ID", "td2": "I", "td3": "P", "mrva": "V", "mrvb": "V"}[format_]
    return dataclasses.replace(
        plain, issuing_state=state, nationality=state, surname=surname, given_names=given_names,
        document_number=number, optional=optional, document_code=code,
        sex=str(rng.choice(["M", "F", "<"])),
    )  # fmt: skip


def _page(document: TravelDocument, typeface: str, seed: int) -> Image:
    """Draw the document, its zone in the typeface given."""
    page = render_travel_document(document, drawn_portrait(seed), scale=_SCALE, seed=seed)
    if typeface == "ocr_b":
        return page
    lines, (width, height) = mrz_lines(document), SIZES[document.format]
    top = height - 75 * len(lines) - 24
    canvas = PilImage.fromarray(np.ascontiguousarray(page[..., ::-1]))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle([0, (top - 22) * _SCALE, width * _SCALE, height * _SCALE], fill=(236, 240, 238))
    face = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / typeface), round(40 * _SCALE))
    for row, place in itertools.product(range(len(lines)), range(len(lines[0]))):
        at = (72 + place * 30.0) * _SCALE, (top + row * 75) * _SCALE
        draw.text(at, lines[row][place], (30, 30, 34), font=face)
    return np.ascontiguousarray(np.asarray(canvas, np.uint8)[..., ::-1])


def _degraded(page: Image, degradation: str, seed: int, rng: np.random.Generator) -> Image:
    quality = int(rng.integers(45, 86))
    sides = (650.0, 1300.0)
    match degradation:
        case "photo_mild" | "photo_medium" | "photo_strong":
            level = degradation.removeprefix("photo_")
            page, sides = photograph(page, level, seed).image, (800, 1500)  # type: ignore[arg-type]
        case "small":
            sides = (400, 650)
        case "turned":
            turned = np.rot90(_tilted(page, float(rng.uniform(-5, 5))), int(rng.integers(1, 4)))
            page, sides = np.ascontiguousarray(turned), (600, 1200)
        case "watermark":
            page, sides = _printed_over(page, rng), (600, 1100)
        case "patterned":
            paper = guilloche(page.shape[1], page.shape[0], seed % 1000, ((190, 205, 180), (205, 180, 200)))
            page = (page.astype(np.uint16) * paper // 255 + 12).clip(0, 255).astype(np.uint8)
            sides = (480, 1000)
        case "spread":
            page, sides = np.vstack([np.full_like(page, 225), page]), (800, 1400)
    return _compressed(_scaled(page, float(rng.uniform(*sides))), quality)


def _scaled(page: Image, longer_side: float) -> Image:
    factor = longer_side / max(page.shape[:2])
    return np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def _tilted(page: Image, degrees: float) -> Image:
    height, width = page.shape[:2]
    framed = cv2.copyMakeBorder(
        page, height // 8, height // 8, width // 8, width // 8, cv2.BORDER_CONSTANT, value=(150, 160, 165)
    )
    centre = framed.shape[1] / 2, framed.shape[0] / 2
    turn = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(framed, turn, framed.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _printed_over(page: Image, rng: np.random.Generator) -> Image:
    height, width = page.shape[:2]
    ink = np.zeros((height, width), np.uint8)
    for row in range(4):
        at = int(rng.integers(0, width // 3)), int(height * (0.4 + 0.19 * row))
        cv2.putText(
            ink, "SPECIMEN", at, cv2.FONT_HERSHEY_SIMPLEX, width / 420, 255, max(3, width // 200), cv2.LINE_AA
        )
    cover = (_tilted(np.dstack([ink] * 3), 12.0)[height // 8 :, width // 8 :][:height, :width] / 255.0) * 0.35
    colour = np.array([60, 60, 190]) if rng.random() < 0.5 else np.array([130, 130, 130])
    return np.asarray(page * (1 - cover) + colour * cover, np.uint8)


def _compressed(page: Image, quality: int) -> Image:
    _, encoded = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def outcome(trial: Trial, measured: DocumentMeasurement) -> dict[str, bool]:
    """Return what was right; `false_valid` is the fault that matters: all checks hold, a number is wrong."""
    read = tuple(measured.fields.get("mrz", ()))
    valid = bool(measured.mrz_check_digits)
    names = 2 if trial.format == "td1" else 0
    numbers_right = [line for i, line in enumerate(read) if i != names] == [
        line for i, line in enumerate(trial.lines) if i != names
    ]
    return {
        "kind": measured.kind.value == f"mrz_{trial.format}",
        "check_digits": valid,
        "exact": read == trial.lines,
        "false_valid": valid and not numbers_right,
    }


def measure(count: int, seed: int, tools: DocumentTools) -> dict[str, Any]:
    """Return rates with 95 % Wilson intervals, over all and by group, and the time taken."""
    groups: dict[str, list[dict[str, bool]]] = defaultdict(list)
    seconds = []
    for trial in trials(count, seed):
        measured = read_document(trial.image, tools, today=_TODAY)
        found = outcome(trial, measured)
        seconds.append(measured.seconds)
        for group in ("all", f"format {trial.format}", f"degradation {trial.degradation}"):
            groups[group].append(found)
    return {
        "note": "drawn documents: an upper bound for real ones",
        "groups": {name: _rates(outcomes) for name, outcomes in sorted(groups.items())},
        "seconds": {"median": float(np.median(seconds)), "max": max(seconds)},
    }


def _rates(outcomes: list[dict[str, bool]]) -> dict[str, Any]:
    rates: dict[str, Any] = {"pictures": len(outcomes)}
    for key in outcomes[0]:
        hits = sum(one[key] for one in outcomes)
        low, high = wilson(hits, len(outcomes))
        rates[key] = {"rate": round(hits / len(outcomes), 3), "interval": [round(low, 3), round(high, 3)]}
    return rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = measure(arguments.count, arguments.seed, load_document_tools(ModelRuntime(ModelFiles())))
    text = json.dumps(figures, indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
