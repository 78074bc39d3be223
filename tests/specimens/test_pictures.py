import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.specimens.barcodes import SYMBOLOGIES, barcode
from tools.specimens.identities import generate_person
from tools.specimens.photo_attacks import cut_off, photograph_of_copy, screen_replay, two_cards
from tools.specimens.photography import SEVERITIES, Level, photograph
from tools.specimens.portraits import demo_portrait, drawn_portrait
from tools.specimens.resident_card import (
    PORTRAIT_BOX,
    render_resident_card_back,
    render_resident_card_front,
)
from tools.specimens.travel_documents import check_digit, mrz_lines, travel_document
from tools.specimens.typefaces import Pixels

PERSON = generate_person(5)


@pytest.fixture(scope="module")
def card() -> Pixels:
    return render_resident_card_front(PERSON, demo_portrait(), scale=1.0)


def test_card_has_the_official_proportions(card: Pixels) -> None:
    assert card.shape == (638, 1011, 3)
    assert render_resident_card_back(PERSON, scale=1.0).shape == card.shape


def test_portrait_is_printed_unmarked(card: Pixels) -> None:
    x, y, width, height = PORTRAIT_BOX
    printed = card[y + 8 : y + height - 8, x + 8 : x + width - 8].astype(float)
    wanted = cv2.resize(demo_portrait(), (width, height), interpolation=cv2.INTER_AREA)[8:-8, 8:-8]
    assert np.abs(printed - wanted).mean() < 12


def test_fields_change_the_card_and_nothing_else_does(card: Pixels) -> None:
    again = render_resident_card_front(PERSON, demo_portrait(), scale=1.0)
    other = render_resident_card_front(generate_person(6), demo_portrait(), scale=1.0)
    assert np.array_equal(card, again)
    assert not np.array_equal(card, other)


@pytest.mark.parametrize("level", ["mild", "medium", "strong"])
def test_corners_lead_back_to_the_card(card: Pixels, level: Level) -> None:
    taken = photograph(card, level, 3, fields=PERSON.front_truth())
    height, width = card.shape[:2]
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    move = cv2.getPerspectiveTransform(np.array(taken.corners, np.float32), target)
    flat = cv2.warpPerspective(taken.image, move, (width, height))
    small = [cv2.resize(cv2.cvtColor(i, cv2.COLOR_BGR2GRAY), (96, 60)).astype(float) for i in (card, flat)]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.6
    assert taken.fields == PERSON.front_truth()


def test_photograph_is_deterministic(card: Pixels) -> None:
    first, second = (photograph(card, "medium", 9) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert first.truth() == second.truth()


def test_levels_grow_worse() -> None:
    for key in ("blur", "noise"):
        ranges = [getattr(SEVERITIES[level], key) for level in ("mild", "medium", "strong")]
        assert ranges == sorted(ranges)


def test_copy_is_grey_and_screen_is_not(card: Pixels) -> None:
    def colour(picture: Pixels) -> float:
        return float(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[..., 1].std())

    paper = photograph_of_copy(card, "mild", 2, background="plain")
    inner = np.array(paper.corners).astype(int)
    copied = paper.image[inner[:, 1].min() + 40 : inner[:, 1].max() - 40, inner[:, 0].min() + 40 :][:, :400]
    assert colour(copied) < colour(screen_replay(card, "mild", 2).image)
    assert paper.conditions["attack"] == "photocopy"


def test_cut_off_card_leaves_the_picture(card: Pixels) -> None:
    taken = cut_off(photograph(card, "mild", 4), 0.2, "right")
    assert max(x for x, _ in taken.corners) > taken.image.shape[1]


def test_two_cards_lie_apart(card: Pixels) -> None:
    taken = two_cards(card, render_resident_card_back(PERSON, scale=1.0), 1)
    assert taken.conditions["cards"] == 2
    assert max(y for _, y in taken.corners) < taken.image.shape[0] * 0.6


@pytest.mark.parametrize("format_", ["td1", "td2", "td3", "mrva", "mrvb"])
@given(seed=st.integers(0, 9999))
@settings(max_examples=20)
def test_zone_has_the_standard_shape_and_right_digits(format_: str, seed: int) -> None:
    document = travel_document(generate_person(seed), format_, seed)  # type: ignore[arg-type]  # parametrised
    lines = mrz_lines(document)
    shape = {"td1": (3, 30), "td2": (2, 36), "td3": (2, 44), "mrva": (2, 44), "mrvb": (2, 36)}[format_]
    assert (len(lines), {len(line) for line in lines}) == (shape[0], {shape[1]})
    assert set("".join(lines)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
    body = lines[0][5:] if format_ == "td1" else lines[1]
    assert body[9] == check_digit(body[:9])


@pytest.mark.parametrize("symbology", SYMBOLOGIES)
def test_barcode_reads_back(symbology: str) -> None:
    (found,) = zxingcpp.read_barcodes(barcode("SPECIMEN-42", symbology))
    assert found.text == "SPECIMEN-42"


def test_drawn_portraits_differ() -> None:
    assert not np.array_equal(drawn_portrait(1), drawn_portrait(2))
