"""Numbers of the plan that common data lack: from the block to a sold card, and none beyond the ranges."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shiming.infrastructure.database import reading
from shiming.jurisdictions.citations import Cited, Confidence
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.model.iot import CardState
from shiming.registrations.model.lines import LineKind, LineStatus, read_identifier
from shiming.registrations.model.numbers import NumberRange
from shiming.registrations.model.registration import RegisterLine
from shiming.registrations.use_cases.iot_sale import CardSold
from shiming.registrations.use_cases.lines import show_line
from shiming.registrations.use_cases.number_blocks import import_blocks, require_plan
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn, NumberSeries
from tests.privacy.builders import NOW
from tests.registrations.iot_builders import (
    OPERATOR,
    IotShop,
    an_iccid,
    an_imsi,
    an_iot_shop,
    stock_table,
    wanted,
)

NUMBER = "+861064812345678"
SERIES = (NumberSeries("+861064", 13), NumberSeries("+8614", 13))
OUTSIDE = (
    "+86106481234567",
    "+8610648123456789",
    "+861000012345678",
    "+8615012345678901",
    "+921064812345678",
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[IotShop]:
    made = an_iot_shop(tmp_path, database_url)
    yield made
    made.engine.dispose()


def test_such_a_number_goes_from_the_block_to_a_sold_card(shop: IotShop) -> None:
    table = b"operator,first,last,kind,excluded\ncn-mobile,+86106481234xxxx,,data_card,no\n"
    blocks = import_blocks(
        shop.desk.tools, shop.engine, BytesIO(table), "ranges.csv", operator=OPERATOR, regions=("CN",),
        now=NOW, policy=shop.desk.policy,
    )  # fmt: skip
    assert (blocks.added, blocks.refused) == (1, 0), blocks.to_json()
    rows = [
        (an_iccid(1), an_imsi(1), NUMBER),
        (an_iccid(2), an_imsi(2), NUMBER.removeprefix("+86").replace("5678", "5679")),
        (an_iccid(3), an_imsi(3), OUTSIDE[0]),
    ]
    stock = shop.bring_stock(stock_table(rows))
    assert (stock.added, stock.refused) == (2, 1)
    assert stock.to_json()["bad_rows"][0]["code"] == "MSISDN_NOT_ASSIGNABLE"
    (sold,) = shop.sell(shop.contract(), wanted(1))
    assert isinstance(sold, CardSold), sold
    card = shop.card(1)
    assert (card.state, card.number) == (CardState.SOLD, Msisdn(NUMBER))
    assert shop.line_status(card.line_id) is LineStatus.PENDING
    with reading(shop.engine) as connection:
        line = show_line(connection, shop.registration.read_number("1064812345678"))
    assert line is not None
    assert line.line_id == card.line_id


def test_a_range_beyond_the_plan_is_refused(shop: IotShop) -> None:
    table = b"operator,first,last,kind,excluded\ncn-mobile,+86100001234xxxx,,data_card,no\n"
    report = import_blocks(
        shop.desk.tools, shop.engine, BytesIO(table), "ranges.csv", operator=OPERATOR, regions=("CN",),
        now=NOW, policy=shop.desk.policy,
    )  # fmt: skip
    assert report.to_json()["bad_rows"][0]["code"] == "MSISDN_NOT_ASSIGNABLE"
    with pytest.raises(BadInput, match="RANGE_OTHER_REGION"):
        require_plan(NumberRange(NUMBER, NUMBER), ("PK",), also=SERIES)


def test_orders_and_registrations_read_such_numbers() -> None:
    assert read_identifier(NUMBER, LineKind.DATA_CARD, also=SERIES) == Msisdn(NUMBER)
    command = RegisterLine.parse(operator=OPERATOR, number=NUMBER, session_id="SES-1", also=SERIES)
    assert command.number == Msisdn(NUMBER)
    assert (Msisdn(NUMBER).country_code, Msisdn(NUMBER).region) == (86, "CN")


@pytest.mark.parametrize("number", OUTSIDE)
def test_a_number_outside_every_range_is_refused(number: str) -> None:
    with pytest.raises(BadInput, match="MSISDN"):
        Msisdn.parse(number, also=SERIES)


@given(st.integers(0, 10**9 - 1))
def test_a_series_takes_exactly_its_own(rest: int) -> None:
    text = f"+861064{rest:09d}"
    assert Msisdn.parse(text, also=SERIES).reveal("test") == text
    with pytest.raises(BadInput, match="MSISDN_NOT_ASSIGNABLE"):
        Msisdn.parse(text)
    with pytest.raises(BadInput):
        Msisdn.parse(text[:-1], also=SERIES)


def test_other_packs_have_none() -> None:
    for pack in ("pk", "mx"):
        numbering = policy_on(read_pack(pack), NOW.date()).numbering
        assert (numbering.additional_ranges, numbering.series) == (None, ())


@pytest.mark.parametrize(
    "text", ["861064:13", "+861064", "+861064:3", "+861064:15", "+0:8", "+86 1064:13", ""]
)
def test_a_series_is_written_in_one_way(text: str) -> None:
    with pytest.raises(BadInput, match="NUMBER_SERIES_FORMAT"):
        NumberSeries.parse(text)
    numbering = policy_on(read_pack("cn"), NOW.date()).numbering
    named = {"value": (text,), "citation": "numbering_plan:industry_cards", "since": NOW.date()}
    values = {name: getattr(numbering, name) for name in type(numbering).model_fields}
    with pytest.raises(ValidationError):
        type(numbering)(**{**values, "additional_ranges": named | {"confidence": Confidence.SECONDARY}})


def test_the_values_of_the_first_pack_are_marked_as_secondary() -> None:
    ranges = policy_on(read_pack("cn"), NOW.date()).numbering.additional_ranges
    assert isinstance(ranges, Cited)
    assert ranges.confidence is Confidence.SECONDARY
    assert ranges.value == ("+861064:13", "+8614:13")
