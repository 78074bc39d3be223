"""Industry cards, contracts and scenes for tests."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from stdnum import luhn

from shiming.jurisdictions.model import Binding, Channel, Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.model.iot import (
    Assessment,
    AssessmentResult,
    CardState,
    ContractStatus,
    FenceTerms,
    IotCard,
    IotContract,
    TrafficClass,
)
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPERATOR = "cn-mobile"


def a_policy() -> Policy:
    return policy_on(read_pack("cn"), date(2026, 3, 1))


def an_iccid(index: int = 0) -> str:
    digits = f"898601128{index:010d}"
    return digits + str(luhn.calc_check_digit(digits))


def an_imsi(index: int = 0) -> str:
    return f"46000{index:010d}"


def an_imei(index: int = 0) -> str:
    digits = f"35686800{index:06d}"
    return digits + str(luhn.calc_check_digit(digits))


def a_card_number(index: int = 0) -> str:
    return f"+86147{index:08d}"


def a_card(index: int = 0, **changes: Any) -> IotCard:
    card = IotCard(
        Iccid.parse(an_iccid(index)),
        Imsi.parse(an_imsi(index)),
        Msisdn.parse(a_card_number(index)),
        OPERATOR,
        CardState.STOCK,
    )
    return replace(card, **changes)


def an_imei_value(index: int = 0) -> Imei:
    return Imei.parse(an_imei(index))


def some_terms(**changes: Any) -> FenceTerms:
    terms = FenceTerms(apns=("meter.example",), targets=("head.example",), binding=Binding.IMEI)
    return replace(terms, **changes)


def a_contract(**changes: Any) -> IotContract:
    contract = IotContract(
        contract_id="IC-1",
        operator=OPERATOR,
        organisation="ORG-1",
        scene="metering",
        traffic=TrafficClass.SMALL,
        cards_max=10,
        terms=some_terms(),
        channel=Channel.SHOP,
        resale_clause=True,
        sells_devices=False,
        handler_session="SES-1",
        assessment=None,
        status=ContractStatus.ACTIVE,
        signed_at=NOON,
    )
    return replace(contract, **changes)


def an_assessment(**changes: Any) -> Assessment:
    made = Assessment("ASM-1", OPERATOR, "ORG-1", AssessmentResult.PASSED, "ACC-1", "EVD-1", NOON)
    return replace(made, **changes)
