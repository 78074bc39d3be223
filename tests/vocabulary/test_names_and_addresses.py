from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.vocabulary import address, person_name
from shiming.vocabulary.address import Address
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.person_name import PersonName, normal_form, similarity

han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=5)
latin = st.text(st.characters(max_codepoint=0x24F, categories=["Lu", "Ll", "Zs"]), min_size=1, max_size=20)
names = (han | latin).filter(lambda text: any(character.isalpha() for character in text))


def alike(a: str, b: str) -> float:
    return similarity(PersonName.parse(a), PersonName.parse(b))


@given(names)
def test_the_normal_form_is_stable(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


@given(names, names)
def test_similarity_is_symmetric_and_between_0_and_1(a: str, b: str) -> None:
    assert 0 <= alike(a, b) <= 1
    assert alike(a, b) == alike(b, a)
    assert alike(a, a) == 1


@given(st.text(st.characters(exclude_characters="*"), max_size=130))
def test_any_text_is_a_name_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        name = PersonName.parse(text)
        similarity(name, PersonName.parse("张三"))
        assert str(name) != name.reveal("test")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("張偉", "张伟"),
        ("髙橋", "高桥"),
        ("閆妮", "阎妮"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("欧阳 娜娜", "欧阳娜娜"),
        ("Müller", "Mueller"),
        ("STRAßE", "strasse"),
        ("José  da Silva", "JOSE DA SILVA"),
        ("O'Brien", "OBRIEN"),
        ("单雄信", "Shan Xiongxin"),
        ("单雄信", "XIONGXIN SHAN"),
        ("欧阳娜娜", "Ouyang Nana"),
        ("覃明", "QIN MING"),
        ("覃明", "TAN MING"),
        ("吕布", "LYU BU"),
        ("吕布", "LV BU"),
        ("吕布", "Lü Bu"),
        ("ＺＨＡＮＧ　ＳＡＮ", "张三"),
    ],
)
def test_one_name_in_two_forms(a: str, b: str) -> None:
    assert alike(a, b) == 1


@pytest.mark.parametrize(
    ("a", "b", "most"),
    [
        ("张伟", "李娜", 0.0),
        ("张伟", "张娜", 0.8),
        ("张三", "Li Na", 0.7),
        ("John Smith", "Jane Smyth", 0.95),
    ],
)
def test_different_names(a: str, b: str, most: float) -> None:
    assert alike(a, b) <= most


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "PERSON_NAME_EMPTY"),
        ("12", "PERSON_NAME_EMPTY"),
        ("a" * 121, "PERSON_NAME_LENGTH"),
        ("张\ud800", "PERSON_NAME_CHARACTERS"),
    ],
)
def test_what_is_no_name_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        PersonName.parse(text)
    assert refusal.value.code == code


def test_the_script_of_a_name() -> None:
    assert PersonName.parse("张三").is_han
    assert not PersonName.parse("Anna").is_han


@given(st.text(st.characters(), max_size=310))
def test_any_text_is_an_address_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        place = Address.parse(text)
        assert address.similarity(place, place) == 1
        assert place.normal_form.startswith(place.division_prefix)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("广东省深圳市南山区科技园1号", "广东省深圳市南山区"),
        ("内蒙古自治区锡林郭勒盟东乌珠穆沁旗某街", "内蒙古自治区锡林郭勒盟东乌珠穆沁旗"),
        ("建国路1号", ""),
        ("12 High Street, London", ""),
    ],
)
def test_the_divisions_of_an_address(text: str, prefix: str) -> None:
    assert Address.parse(text).division_prefix == prefix
    assert str(Address.parse(text)) == f"{prefix}***"


def test_addresses_are_compared_in_their_normal_form() -> None:
    one, two = Address.parse("廣東省深圳市南山區科技園１號"), Address.parse("广东省深圳市南山区科技园2号")
    assert 0.9 < address.similarity(one, two) < 1
    with pytest.raises(BadInput, match="ADDRESS_FORMAT"):
        Address.parse("  - ")
    assert person_name.normal_form("廣東省") == "广东省"
