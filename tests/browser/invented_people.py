"""Another invented person with papers of their own: the face of the specimen person, at another age."""

import json
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import cv2

from tests.browser.live_world import World
from tools.specimens.identities import generate_person, validity_years
from tools.specimens.photography import photograph
from tools.specimens.portraits import demo_portrait
from tools.specimens.resident_card import render_resident_card_back, render_resident_card_front
from tools.specimens.typefaces import Pixels

_LONG_YEARS = 20  # where a card has no end: nobody looks at it for longer
_SEED, _JPEG_QUALITY = 2040, 85


@dataclass(frozen=True)
class Papers:
    """Both sides of a card, as photographs; who stands on it, as the authority knows them."""

    front: bytes
    back: bytes
    record: dict[str, str]


@cache
def papers_of(name: str, age_years: int, today: date) -> Papers:
    """Draw the card of a woman of this age who has the face of the specimen person.

    Faces are compared one to one, so that the same face may serve a holder and the one who acts for them.
    """
    born = date(today.year - age_years, 1, 5)
    drawn = generate_person(
        _SEED + age_years,
        name=name,
        sex="女",
        birth_date=born,
        on=born.replace(year=born.year + 20),
        minority_share=0,
    )
    issued = date(today.year - 1, 1, 9)
    until = issued.replace(year=issued.year + (validity_years(age_years - 1) or _LONG_YEARS))
    person = replace(drawn, valid_from=issued, valid_to=until)
    front = render_resident_card_front(person, demo_portrait(), seed=_SEED)
    return Papers(
        _photographed(front, 1),
        _photographed(render_resident_card_back(person, seed=_SEED), 2),
        {
            "number": person.number,
            "name": person.name,
            "birth_date": born.isoformat(),
            "valid_to": until.isoformat(),
            "portrait": "demo_portrait.jpg",
        },
    )


def is_born(world: World, papers: Papers) -> None:
    """Let the pretended authority know a person; it reads its file again when that has changed."""
    people = json.loads(world.population.read_text("utf-8"))["people"]
    if papers.record in people:
        return
    draft = world.population.with_suffix(".part")
    draft.write_text(json.dumps({"people": [*people, papers.record]}, ensure_ascii=False), "utf-8")
    draft.replace(world.population)


def _photographed(card: Pixels, seed: int) -> bytes:
    seen = photograph(card, "mild", seed, background="desk", card_width_px=1000)
    written, content = cv2.imencode(".jpg", seen.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert written
    return content.tobytes()
