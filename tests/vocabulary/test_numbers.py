import os
import string
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import luhn

from shiming.vocabulary.document_numbers import DocumentKind, parse_document_number
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.identity_numbers.cn import check_character
from shiming.vocabulary.instants import DateRange, format_instant, parse_date, parse_instant
from shiming.vocabulary.masking import mask_address, mask_identity_number, mask_middle, mask_name, mask_phone
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.organisation_codes.cn import UnifiedSocialCreditCode, organisation_check_character
from shiming.vocabulary.organisation_codes.cn import problems_of as credit_code_problems
from shiming.vocabulary.reference_numbers import ALPHABET, ReferenceNumber
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi


def code_of(refusal: pytest.ExceptionInfo[BadInput]) -> str:
    return refusal.value.code


# --- MSISDN


@given(st.integers(0, 99_999_999))
def test_a_chinese_mobile_number_is_the_same_in_every_form(tail: int) -> None:
    national = f"138{tail:08}"
    number = Msisdn.parse(national, region="CN")
    assert number == Msisdn.parse(f"+86 {national}") == Msisdn.parse(f"0086-{national}", region="CN")
    assert number.reveal("test") == f"+86{national}"
    assert national not in repr(number)


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("13800138000", None, "MSISDN_COUNTRY_UNKNOWN"),
        ("abc", "CN", "MSISDN_FORMAT"),
        ("1" * 41, "CN", "MSISDN_FORMAT"),
        ("+8610", None, "MSISDN_NOT_ASSIGNABLE"),
        ("13800138000 ext. 5", "CN", "MSISDN_EXTENSION"),
        ("+86 123", None, "MSISDN_NOT_ASSIGNABLE"),
        ("+1", None, "MSISDN_FORMAT"),
    ],
)
def test_what_is_no_number_is_refused(text: str, region: str | None, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Msisdn.parse(text, region)
    assert code_of(refusal) == code


@given(st.text(max_size=45))
def test_any_text_is_a_telephone_number_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        Msisdn.parse(text, "CN")


def test_some_numbers_belong_to_no_region() -> None:
    assert Msisdn.parse("+80012345678").region is None
    assert Msisdn.parse("+12025550123").region == "US"


# --- SIM identifiers


@given(st.from_regex(r"89[0-9]{15,17}", fullmatch=True), st.integers(0, 17))
def test_an_iccid_needs_its_check_digit(first: str, position: int) -> None:
    text = first + luhn.calc_check_digit(first)
    assert Iccid.parse(text).reveal("test") == text
    at = position % len(text)
    wrong = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
    with pytest.raises(BadInput, match="ICCID_"):
        Iccid.parse(wrong)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (Iccid, "8986", "ICCID_FORMAT"),
        (Imsi, "46000123", "IMSI_FORMAT"),
        (Imsi, "799991234567890", "IMSI_NETWORK_UNKNOWN"),
        (Imei, "3568680000414", "IMEI_FORMAT"),
        (Imei, "356868000041419", "IMEI_CHECK_DIGIT"),
        (Imei, "٣٥٦٨٦٨٠٠٠٠٤١٤١٨", "IMEI_FORMAT"),
    ],
)
def test_wrong_sim_identifiers_are_refused(kind: type[Iccid | Imsi | Imei], text: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        kind.parse(text)
    assert code_of(refusal) == code


# --- organisation codes


def test_the_codes_of_organisations() -> None:
    code = UnifiedSocialCreditCode.parse("９１１１００００６０００３７３４１l")
    assert str(code) == "91110000600037341L"
    assert organisation_check_character(code.organisation_code[:8]) == code.organisation_code[8]


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_every_wrong_character_of_a_credit_code_is_found(position: int, character: str) -> None:
    right = "91110000600037341L"
    assume(character != right[position])
    wrong = right[:position] + character + right[position + 1 :]
    assert credit_code_problems(wrong)
    with pytest.raises(BadInput, match="CREDIT_CODE"):
        UnifiedSocialCreditCode.parse(wrong)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("911100006000373", ("CREDIT_CODE_LENGTH",)),
        ("9111000060003734IL", ("CREDIT_CODE_CHARACTERS",)),
        ("91110000600037341A", ("CREDIT_CODE_CHECK_CHARACTER",)),
        ("91110000600037342L", ("CREDIT_CODE_CHECK_CHARACTER", "CREDIT_CODE_ORGANISATION_CHECK_CHARACTER")),
    ],
)
def test_problems_of_credit_codes(text: str, problems: tuple[str, ...]) -> None:
    assert credit_code_problems(text) == problems


# --- document numbers


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("passport_cn", "E12345678"),
        ("passport_cn", "EA1234567"),
        ("passport_cn", "PE1234567"),
        ("passport", "L898902C3"),
        ("mainland_travel_permit_hk_macao", "H1234567801"),
        ("mainland_travel_permit_taiwan", "12345678"),
        ("mainland_travel_permit_taiwan", "1234567890B"),
        ("exit_entry_permit_hk_macao", "CA1234567"),
        ("exit_entry_permit_taiwan", "L12345678"),
        ("residence_permit_hk_macao_taiwan", "81000019900101001" + check_character("81000019900101001")),
        ("foreign_permanent_resident_card", "USA110585010105"),
        ("military_id", "武字第12345678号"),
    ],
)
def test_document_numbers_of_the_right_form(kind: DocumentKind, text: str) -> None:
    number = parse_document_number(kind, text)
    assert number.reveal("test") == text
    assert (number.birth_date is None) == (len(text) != 18)
    assert text not in str(number)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("passport_cn", "EI1234567", "DOCUMENT_NUMBER_FORMAT"),
        ("passport", "L8989-02C3456", "DOCUMENT_NUMBER_FORMAT"),
        ("residence_permit_hk_macao_taiwan", "810000199001010010", "ID_NUMBER_CHECK_CHARACTER"),
        ("foreign_permanent_resident_card", "911840198513120028", "DOCUMENT_NUMBER_BIRTH_DATE"),
        ("foreign_permanent_resident_card", "911840198503120027", "DOCUMENT_NUMBER_CHECK_CHARACTER"),
    ],
)
def test_document_numbers_of_another_form(kind: DocumentKind, text: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_document_number(kind, text)
    assert code_of(refusal) == code


# --- reference numbers


@given(st.binary(min_size=8, max_size=12), st.sampled_from(["SES", "REG", "CASE"]))
def test_a_reference_reads_back(random_bytes: bytes, prefix: str) -> None:
    number = ReferenceNumber.create(prefix, random_bytes)
    assert ReferenceNumber.parse(str(number).lower().replace("-", " "), prefix) == number
    assert number.prefix == prefix


@given(st.binary(min_size=8, max_size=8), st.integers(0, 12), st.sampled_from(ALPHABET))
def test_every_wrong_character_of_a_reference_is_found(random_bytes: bytes, place: int, other: str) -> None:
    text = str(ReferenceNumber.create("SES", random_bytes)).replace("-", "")
    at = place + 3
    assume(text[at] != other)
    with pytest.raises(BadInput, match="REFERENCE_CHECK_CHARACTER"):
        ReferenceNumber.parse(text[:at] + other + text[at + 1 :])


def test_references_that_are_none() -> None:
    number = ReferenceNumber.create("SES", os.urandom(8))
    with pytest.raises(BadInput, match="REFERENCE_KIND"):
        ReferenceNumber.parse(str(number), "REG")
    with pytest.raises(BadInput, match="REFERENCE_FORMAT"):
        ReferenceNumber.parse("SES-1234")
    for prefix, random_bytes in (("LOT", b"12345678"), ("SES", b"1234")):
        with pytest.raises(ValueError, match="a reference needs"):
            ReferenceNumber.create(prefix, random_bytes)


# --- instants


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - the zone is drawn next
def test_an_instant_reads_back(naive: datetime, offset: int) -> None:
    local = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    instant = parse_instant(local.isoformat())
    assert instant == local
    assert instant.tzinfo is UTC
    assert abs(parse_instant(format_instant(instant)) - instant) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text", ["", "2026-11-22", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-11-22T09:30:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="INSTANT_FORMAT"):
        parse_instant(text)


def test_an_instant_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 11, 22))  # noqa: DTZ001 - that is the mistake


@pytest.mark.parametrize("text", ["2026-02-30", "22.11.2026", "长期"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="DATE_FORMAT"):
        parse_date(text)


def test_ranges_of_dates() -> None:
    early, late = date(2020, 1, 1), date(2029, 12, 31)
    validity = DateRange(early, late)
    assert early in validity
    assert "2020-01-01" not in validity
    assert validity.overlaps(DateRange(late))
    assert DateRange(late).overlaps(validity)
    assert not validity.overlaps(DateRange(late + timedelta(days=1)))
    with pytest.raises(BadInput, match="DATE_RANGE_ORDER"):
        DateRange(late, early)


# --- masking and errors


@given(st.text(st.characters(exclude_characters="*"), max_size=40))
def test_masking_never_shows_a_whole_text(text: str) -> None:
    for mask in (mask_identity_number, mask_name, mask_address, mask_phone):
        shown = mask(text)
        assert not text.strip() or shown != text


@given(st.text(string.digits, max_size=30), st.integers(0, 4), st.integers(0, 4))
def test_masking_keeps_the_length_and_hides_half(text: str, first: int, last: int) -> None:
    shown = mask_middle(text, first=first, last=last)
    assert len(shown) == len(text)
    assert shown.count("*") * 2 >= len(text)


def test_an_error_speaks_both_languages() -> None:
    error = Unavailable("MODEL_MISSING", Text("缺少模型。", "The model is missing."), details={"name": "x"})
    assert error.exit_code == 3
    assert error.text.in_language("zh-CN") == "缺少模型。"
    assert error.text.in_language("en") == "The model is missing."
    assert error.to_json() == {
        "error": "MODEL_MISSING",
        "text": {"zh": "缺少模型。", "en": "The model is missing."},
        "advice": {"zh": "", "en": ""},
        "details": {"name": "x"},
    }
