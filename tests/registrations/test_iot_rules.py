"""Assessment, contract, sale and reconciliation of industry cards, decided purely."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import Binding, Channel
from shiming.registrations.errors.organisations import OrganisationRefusal
from shiming.registrations.model.iot import (
    AssessmentResult,
    CardState,
    ContractStatus,
    FenceTerms,
    TrafficClass,
)
from shiming.registrations.rules.iot_assessment import assessment_refusals
from shiming.registrations.rules.iot_contract import (
    ContractAllowed,
    ContractAsked,
    ContractFacts,
    ContractRefused,
    decide_iot_contract,
    traffic_class,
)
from shiming.registrations.rules.iot_reconciliation import CardCounts, Discrepancy, differences
from shiming.registrations.rules.iot_sale import SaleFacts, cap_of_actual_user, sale_refusals
from shiming.vocabulary.refusals import Refusal
from tests.registrations.iot_builders import (
    NOON,
    a_card,
    a_contract,
    a_policy,
    an_assessment,
    an_imei_value,
    some_terms,
)

POLICY = a_policy()
DAYS = POLICY.iot.assessment_days.value
counts = st.integers(0, 50)


def _with(policy: Any, section: str, **values: Any) -> Any:
    """The policy with other values in one section."""
    part = getattr(policy, section)
    changed = {
        name: getattr(part, name).model_copy(update={"value": value}) for name, value in values.items()
    }
    return policy.model_copy(update={section: part.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("changes", "days_later", "codes"),
    [
        ({}, 0, []),
        ({}, DAYS - 1, []),
        ({}, DAYS, ["IOT_ASSESSMENT_EXPIRED"]),
        ({}, -1, ["IOT_ASSESSMENT_MISSING"]),  # clock skew: an assessment of tomorrow is none
        ({"result": AssessmentResult.FAILED}, 0, ["IOT_ASSESSMENT_FAILED"]),
        ({"result": AssessmentResult.FAILED}, DAYS, ["IOT_ASSESSMENT_FAILED", "IOT_ASSESSMENT_EXPIRED"]),
    ],
)
def test_an_assessment_holds_so_long(changes: dict[str, Any], days_later: int, codes: list[str]) -> None:
    now = NOON + timedelta(days=days_later)
    found = assessment_refusals(an_assessment(**changes), POLICY.iot, now=now)
    assert [refusal.code.value for refusal in found] == codes


def test_where_none_is_required_none_is_missed() -> None:
    lax = _with(POLICY, "iot", assessment_required=False)
    assert assessment_refusals(None, lax.iot, now=NOON) == ()
    assert assessment_refusals(None, POLICY.iot, now=NOON)


def _decide(
    scene: str = "metering",
    terms: FenceTerms | None = None,
    channel: Channel = Channel.SHOP,
    *,
    clause: bool = True,
    standing: tuple[Refusal, ...] = (),
    policy: Any = POLICY,
) -> ContractAllowed | ContractRefused:
    asked = ContractAsked(scene, terms or some_terms(), channel, clause)
    return decide_iot_contract(asked, ContractFacts(standing, an_assessment()), policy, now=NOON)


def _codes(outcome: ContractAllowed | ContractRefused) -> list[str]:
    return [each.code.value for each in outcome.refusals] if isinstance(outcome, ContractRefused) else []


def test_a_contract_inside_the_rules() -> None:
    assert _decide() == ContractAllowed(TrafficClass.SMALL)
    assert _decide("vehicle") == ContractAllowed(TrafficClass.GENERAL)


def test_a_contract_outside_the_rules() -> None:
    stopped = Refusal(OrganisationRefusal.ORGANISATION_SUSPENDED, "a:b")
    assert _codes(_decide("casino")) == ["IOT_SCENE_UNKNOWN"]
    assert _codes(_decide(channel=Channel.AGENT)) == ["IOT_CHANNEL_REFUSED"]
    assert _codes(_decide(channel=Channel.ONLINE, clause=False, standing=(stopped,))) == [
        "ORGANISATION_SUSPENDED",
        "IOT_CHANNEL_REFUSED",
        "IOT_RESALE_CLAUSE_MISSING",
    ]


def test_a_pack_without_industry_cards_sells_none() -> None:
    products = {name: rule for name, rule in POLICY.products.items() if not name.value.startswith("iot_")}
    bare = POLICY.model_copy(update={"products": products, "iot_scenes": {}})
    assert _codes(_decide(policy=bare)) == ["IOT_SCENE_UNKNOWN", "IOT_NOT_SOLD"]


def test_where_resale_is_allowed_no_clause_is_missed() -> None:
    assert _decide(clause=False, policy=_with(POLICY, "iot", resale_allowed=True)) == ContractAllowed(
        TrafficClass.SMALL
    )


@given(st.integers(1, 40_000))
def test_the_traffic_follows_from_the_data_cap(megabytes: int) -> None:
    scene = POLICY.iot_scenes["video_camera"]
    found = traffic_class(some_terms(data_mb_per_month=megabytes), scene, POLICY)
    small = megabytes <= POLICY.iot.small_data_mb_per_month_max.value
    assert found is (TrafficClass.SMALL if small else TrafficClass.GENERAL)


def _facts(**changes: Any) -> SaleFacts:
    facts: dict[str, Any] = {
        "card": a_card(),
        "sold_under_contract": 0,
        "imei": an_imei_value(),
        "device_bound_to_other_card": False,
        "actual_user": None,
        "cards_of_actual_user": 0,
    }
    return SaleFacts(**{**facts, **changes})


GENERAL = {"scene": "vehicle", "traffic": TrafficClass.GENERAL}


@pytest.mark.parametrize(
    ("contract", "facts", "codes"),
    [
        ({}, {}, []),
        ({"status": ContractStatus.SUSPENDED}, {}, ["IOT_CONTRACT_CLOSED"]),
        ({"status": ContractStatus.ENDED}, {}, ["IOT_CONTRACT_CLOSED"]),
        ({}, {"sold_under_contract": 9}, []),
        ({}, {"sold_under_contract": 10}, ["IOT_CARDS_USED_UP"]),
        ({}, {"card": None}, ["IOT_CARD_UNKNOWN"]),
        ({}, {"card": a_card(state=CardState.SOLD)}, ["IOT_CARD_NOT_IN_STOCK"]),
        ({}, {"card": a_card(state=CardState.RETURNED)}, ["IOT_CARD_NOT_IN_STOCK"]),
        ({}, {"imei": None}, ["FENCE_IMEI_MISSING"]),
        ({"terms": some_terms(binding=Binding.AREA)}, {"imei": None}, []),
        ({}, {"device_bound_to_other_card": True}, ["IOT_DEVICE_BOUND"]),
        (GENERAL, {}, ["IOT_ACTUAL_USER_MISSING"]),
        (GENERAL, {"actual_user": "p1.x", "cards_of_actual_user": 9}, []),
        (GENERAL, {"actual_user": "p1.x", "cards_of_actual_user": 10}, ["IOT_ACTUAL_USER_CAP"]),
        ({}, {"actual_user": "p1.x", "cards_of_actual_user": 10}, []),
    ],
)
def test_when_a_card_is_sold(contract: dict[str, Any], facts: dict[str, Any], codes: list[str]) -> None:
    found = sale_refusals(a_contract(**contract), _facts(**facts), POLICY)
    assert [refusal.code.value for refusal in found] == codes


def test_a_pack_without_such_a_cap_counts_nobody() -> None:
    general = POLICY.products[TrafficClass.GENERAL.product].model_copy(update={"cap_of_person": None})
    uncounted = POLICY.model_copy(
        update={"products": {**POLICY.products, TrafficClass.GENERAL.product: general}}
    )
    contract = a_contract(**GENERAL)
    assert cap_of_actual_user(contract, uncounted) is None
    assert sale_refusals(contract, _facts(actual_user="p1.x", cards_of_actual_user=99), uncounted) == ()


@given(counts, counts, counts, counts)
def test_what_adds_up_agrees(stock: int, registered: int, awaiting: int, returned: int) -> None:
    sold = registered + awaiting
    delivered = stock + sold + returned
    assert differences(CardCounts(delivered, returned, sold, stock, registered, awaiting, delivered)) == ()


@given(counts, counts, counts, counts, st.integers(1, 20))
def test_one_card_too_many_or_missing_is_found(
    stock: int, registered: int, awaiting: int, returned: int, off: int
) -> None:
    sold = registered + awaiting
    delivered = stock + sold + returned
    kept = differences(CardCounts(delivered, returned, sold, stock + off, registered, awaiting))
    assert [(each.what, each.excess) for each in kept] == [(Discrepancy.STOCK, off)]
    unreported = differences(CardCounts(delivered, returned, sold + off, stock - off, registered, awaiting))
    assert (Discrepancy.SOLD, off) in [(each.what, each.excess) for each in unreported]


def test_more_than_was_delivered_or_signed_for() -> None:
    found = differences(CardCounts(10, 0, 12, -2, 12, 0, contract_max=9))
    assert [each.what for each in found] == [Discrepancy.OVERSOLD, Discrepancy.CONTRACT_EXCEEDED]
