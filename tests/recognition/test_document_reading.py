"""What the reader reports of cards, and what it must leave out."""

from datetime import date

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.recognition.document_detection.rectification import RectifiedCard
from shiming.recognition.document_detection.text_geometry import (
    clusters,
    in_text_frame,
    out_of_text_frame,
    reading_direction,
)
from shiming.recognition.documents.card_text import CardLine, CardText, SecondLook, from_to
from shiming.recognition.documents.identity_number import find_number_line, read_number
from shiming.recognition.documents.reader import read_document
from shiming.recognition.documents.tools import DocumentTools, load_document_tools
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import DocumentKind, Image
from shiming.recognition.model_files import ModelFiles
from shiming.recognition.text_recognition import Alphabet, Letter, Line, Reading, cut_out
from tools.specimens.card_series import photographed_back, photographed_front
from tools.specimens.identities import generate_person
from tools.specimens.photo_attacks import childs_drawing
from tools.specimens.portraits import demo_portrait

TODAY = date(2026, 11, 22)
NUMBER = "11010519491231002X"
OTHER_VALID_NUMBER = "110105194912310070"


def a_line(left: float, top: float, right: float, height: float = 30, degrees: float = 0.0) -> Line:
    corners = np.array([[left, top], [right, top], [right, top + height], [left, top + height]], np.float32)
    return Line(out_of_text_frame(corners, degrees))


def a_reading(text: str, probability: float = 0.95) -> Reading:
    return Reading(tuple(Letter(sign, probability, (i + 0.5) / len(text)) for i, sign in enumerate(text)))


class ScriptedReader:
    """Says one text after another, whatever it is shown."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    def read(self, _strip: Image, _alphabet: Alphabet | None = None) -> Reading:
        return a_reading(self.texts.pop(0) if len(self.texts) > 1 else self.texts[0])


def a_look(*texts: str) -> SecondLook:
    image = np.full((540, 856, 3), 200, np.uint8)
    corners = np.array([[0, 0], [856, 0], [856, 540], [0, 540]], np.float32)
    card = RectifiedCard(image, corners, by_edges=True, rotation_degrees=0.0)
    return SecondLook(image, card, ScriptedReader(*texts))  # type: ignore[arg-type]


def number_line(text: str) -> CardLine:
    return CardLine(a_line(300, 450, 800), a_reading(text))


@given(st.floats(-170, 170), st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1))
def test_the_text_frame_is_undone(degrees: float, points: list[tuple[float, float]]) -> None:
    given_points = np.array(points, np.float32)
    back = out_of_text_frame(in_text_frame(given_points, degrees), degrees)
    assert np.allclose(back, given_points, atol=1e-2)


@given(st.floats(-85, 85))
def test_the_direction_of_most_text_wins(degrees: float) -> None:
    lines = [a_line(0, 60 * i, 400, degrees=degrees) for i in range(4)]
    stray = a_line(0, 0, 90, degrees=degrees + 60)
    assert abs(reading_direction([*lines, stray]) - degrees) < 0.5


def test_text_of_another_sheet_is_another_group() -> None:
    card = [a_line(0, 60 * i, 300) for i in range(4)]
    sheet = [a_line(0, 60 * i, 300, degrees=60) for i in range(2)]
    groups = clusters([*card, *sheet], 4.0)
    assert [len(group) for group in groups] == [4, 2]


@settings(max_examples=30)
@given(st.floats(0, 200), st.floats(220, 600))
def test_a_strip_begins_and_ends_where_asked(left: float, right: float) -> None:
    strip = from_to(a_line(50, 10, 400), left, right)
    assert strip.corners[0, 0] == pytest.approx(left, abs=0.1)
    assert strip.corners[1, 0] == pytest.approx(right, abs=0.1)


def test_cutting_out_a_line_turns_it_level() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    line = a_line(50, 100, 250, 40, degrees=20)
    cv2.fillConvexPoly(image, line.corners.astype(np.int32), (255, 255, 255))
    strip = cut_out(image, line)
    assert strip.shape[:2] == (40, 200)
    assert strip.mean() > 235
    assert cut_out(image, line, beside=1.0, above=1.0).mean() < 128


def test_the_number_is_found_beside_its_label() -> None:
    label_and_number = CardLine(a_line(50, 450, 800), a_reading("公民身份号码" + NUMBER))
    found = find_number_line(CardText(((label_and_number,),)))
    assert found is not None
    assert found.text == NUMBER
    assert found.left > 200


def test_two_equal_readings_make_a_number_sure() -> None:
    reading = read_number(number_line(NUMBER), a_look(NUMBER), TODAY)
    assert (reading.candidate, reading.is_valid, reading.agreeing) == (NUMBER, True, 2)


def test_a_number_read_once_only_is_not_agreed() -> None:
    misread = NUMBER[:-2] + "8X"
    reading = read_number(number_line(NUMBER), a_look(misread), TODAY)
    assert reading.agreeing == 1


def test_two_different_valid_numbers_are_no_number() -> None:
    reading = read_number(number_line(NUMBER), a_look(OTHER_VALID_NUMBER, NUMBER, OTHER_VALID_NUMBER), TODAY)
    assert not reading.is_valid


def test_a_wrong_check_character_is_never_valid() -> None:
    wrong = NUMBER[:-1] + "1"
    assert not read_number(number_line(wrong), a_look(wrong), TODAY).is_valid


@pytest.fixture(scope="module")
def tools() -> DocumentTools:
    return load_document_tools(ModelRuntime(ModelFiles()))


@pytest.mark.models
@pytest.mark.parametrize("turned", [0, 90, 180])
def test_a_front_is_read_whichever_way_up(tools: DocumentTools, turned: int) -> None:
    person = generate_person(4100, minority_share=0, rare_share=0)
    taken = photographed_front(person, "mild", 4100, portrait=demo_portrait(), roll=float(turned))
    measured = read_document(taken.image, tools, today=TODAY)
    assert measured.kind is DocumentKind.RESIDENT_ID_FRONT
    assert {key: measured.fields.get(key) for key in taken.fields} == dict(taken.fields)
    assert measured.number_checksum is True
    assert measured.portrait is not None
    assert person.ethnicity not in str(dict(measured.fields))
    assert person.number not in repr(measured)


@pytest.mark.models
def test_a_back_is_read(tools: DocumentTools) -> None:
    taken = photographed_back(generate_person(4101), "mild", 4101)
    measured = read_document(taken.image, tools, today=TODAY)
    assert measured.kind is DocumentKind.RESIDENT_ID_BACK
    assert dict(measured.fields) == dict(taken.fields)
    assert measured.portrait is None


@pytest.mark.models
def test_a_number_that_contradicts_the_printed_birth_date_is_left_out(tools: DocumentTools) -> None:
    person = generate_person(4102, minority_share=0, rare_share=0)
    stranger = generate_person(4103, minority_share=0, rare_share=0)
    forged = type(person)(
        **{name: getattr(person, name) for name in person.__slots__} | {"number": stranger.number}
    )
    taken = photographed_front(forged, "mild", 4102)
    measured = read_document(taken.image, tools, today=TODAY)
    assert measured.number_checksum is True
    assert "number" not in measured.fields
    assert measured.cross_checks["number_birth_date"] is False
    assert measured.fields["birth_date"] == person.birth_date.isoformat()


@pytest.mark.models
@pytest.mark.parametrize("picture", [childs_drawing(), np.zeros((400, 600, 3), np.uint8)])
def test_what_is_no_document_is_unknown(tools: DocumentTools, picture: Image) -> None:
    measured = read_document(picture, tools, today=TODAY)
    assert measured.kind is DocumentKind.UNKNOWN
    assert measured.fields == {}
    assert measured.number_checksum is None
