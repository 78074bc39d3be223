"""The card that the tour makes for its visitor: photographed, with an empty place for a portrait.

    python -m tools.specimens.tour_card specimens/tour

Writes sim-N.png (barcodes of SIM cards), front.jpg and card.json: the invented person, and where in the
photograph the card is and the portrait goes (corners: top left, top right, bottom right, bottom left, in
pixels). The tour puts a picture there without any of these tools. Issuer and validity are the demo person's,
whose card's back serves this one too.
"""

import argparse
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage

from tools.specimens.barcodes import barcode
from tools.specimens.document_cases import DEMO_PERSON
from tools.specimens.identities import generate_person
from tools.specimens.photography import photograph
from tools.specimens.resident_card import (
    CARD_HEIGHT,
    CARD_WIDTH,
    PORTRAIT_BOX,
    render_resident_card_front,
)
from tools.specimens.typefaces import Pixels

VISITOR = replace(
    generate_person(2031, name="游识明", sex="男", birth_date=date(1992, 4, 18), minority_share=0),
    issuer=DEMO_PERSON.issuer,
    valid_from=DEMO_PERSON.valid_from,
    valid_to=DEMO_PERSON.valid_to,
)
ICCIDS = tuple(f"898601128512345001{n}" for n in ("08", "16", "24", "32", "40", "57"))  # of no real cards
SIM_SIZE = 520, 900  # height, width
_SEED = 71
_SURFACE = "plain"  # it compresses best
_WIDTH_PX = 960
_ROLL = -2.0  # degrees: laid down by hand
_JPEG_QUALITY = 60


def no_portrait() -> Pixels:
    """Return the ground on which a portrait is printed."""
    shade = np.linspace(232, 214, 441)[:, None, None]
    return np.asarray(np.broadcast_to(shade, (441, 358, 3)), dtype=np.uint8)


def sim_card(iccid: str) -> Pixels:
    """Return the side of a SIM card's frame that bears its number, grey."""
    code = barcode(iccid, "Code128", 3)[..., 0]
    side = np.full(SIM_SIZE, 255, np.uint8)
    y, x = (side.shape[0] - code.shape[0]) // 2, (side.shape[1] - code.shape[1]) // 2
    side[y : y + code.shape[0], x : x + code.shape[1]] = code
    return side


def main(out: Path) -> None:
    """Write the three files."""
    out.mkdir(parents=True, exist_ok=True)
    front = render_resident_card_front(VISITOR, no_portrait(), seed=_SEED)
    seen = photograph(front, "mild", _SEED, background=_SURFACE, card_width_px=_WIDTH_PX, roll=_ROLL)
    cv2.imwrite(str(out / "front.jpg"), seen.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    x, y, width, height = PORTRAIT_BOX
    card = np.array([[0, 0], [CARD_WIDTH, 0], [CARD_WIDTH, CARD_HEIGHT], [0, CARD_HEIGHT]], np.float32)
    to_picture = cv2.getPerspectiveTransform(card, np.array(seen.corners, np.float32))
    box = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
    corners = cv2.perspectiveTransform(box[None], to_picture)[0]
    found = {
        "person": VISITOR.front_truth() | VISITOR.back_truth(),
        "corners": [[round(x, 1), round(y, 1)] for x, y in seen.corners],
        "portrait_corners": [[round(float(a), 1), round(float(b), 1)] for a, b in corners],
    }
    for at, iccid in enumerate(ICCIDS, start=1):
        PilImage.fromarray(sim_card(iccid)).convert("1").save(out / f"sim-{at}.png", optimize=True)
    (out / "card.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the card of the tour's visitor.")
    parser.add_argument("out", type=Path)
    main(parser.parse_args().out)
