"""Rules of status and stops as tables and properties; no database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import Policy, StopActor, StopLevel, StopReason
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.numbers import NumberState
from shiming.registrations.model.sims import SimState
from shiming.registrations.model.stops import CLOCK_TOLERANCE, WORDS, LineStop, StopRefused, read_reference
from shiming.registrations.rules.line_status import (
    confirmed_status,
    emergency_calls_allowed,
    status_of,
    strictest,
)
from shiming.registrations.rules.projections import (
    card_resource,
    line_projections,
    number_resource,
    product_status,
    service_state,
    subscription_status,
)
from shiming.registrations.rules.stops import MayLift, MaySet, StopFacts, decide_lift, decide_stop
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.stock_builders import codes_of, the_rules

DAY = timedelta(days=1)
ALIVE = [status for status in LineStatus if status is not LineStatus.TERMINATED]


def a_stop(
    reason: StopReason = StopReason.REQUEST,
    level: StopLevel = StopLevel.TWO_WAY,
    *,
    is_open: bool = True,
    reference: str = "CASE-1",
) -> LineStop:
    return LineStop(
        "STP-1",
        "REG-1",
        "cn-mobile",
        reason,
        level,
        reference,
        NOW,
        StopActor.HOLDER,
        lifted_at=None if is_open else NOW,
    )


stops = st.lists(
    st.builds(
        lambda reason, level, is_open: a_stop(reason, level, is_open=is_open),
        st.sampled_from(StopReason),
        st.sampled_from(StopLevel),
        st.booleans(),
    ),
    max_size=6,
)


def set_by(
    actor: StopActor,
    reason: StopReason = StopReason.REQUEST,
    *,
    status: LineStatus = LineStatus.ACTIVE,
    at: timedelta = timedelta(),
    now: timedelta = timedelta(),
    policy: Policy | None = None,
    standing: tuple[LineStop, ...] = (),
) -> MaySet | StopRefused:
    return decide_stop(
        StopFacts(status, NOW, standing),
        reason=reason,
        actor=actor,
        reference="CASE-1",
        at=NOW + at,
        now=NOW + now,
        policy=policy or the_rules(),
    )


def lifted_by(
    actor: StopActor,
    reason: StopReason = StopReason.REQUEST,
    *,
    status: LineStatus = LineStatus.TWO_WAY_STOPPED,
    now: timedelta = DAY,
    policy: Policy | None = None,
    standing: tuple[LineStop, ...] = (a_stop(),),
    reference: str | None = None,
) -> MayLift | StopRefused:
    return decide_lift(
        StopFacts(status, NOW, standing),
        reason=reason,
        actor=actor,
        reference=reference,
        now=NOW + now,
        policy=policy or the_rules(),
    )


@given(stops)
def test_the_strictest_open_stop_is_the_status(found: list[LineStop]) -> None:
    levels = [stop.level for stop in found if stop.is_open]
    expected = (
        LineStatus.TWO_WAY_STOPPED
        if StopLevel.TWO_WAY in levels
        else LineStatus.ONE_WAY_STOPPED
        if levels
        else LineStatus.ACTIVE
    )
    assert confirmed_status(found) is expected
    assert (strictest(found) is None) == (not levels)
    assert status_of(found, LineStatus.ACTIVE) is expected
    assert status_of(found, LineStatus.PENDING) is LineStatus.PENDING
    assert status_of(found, LineStatus.TERMINATED) is LineStatus.TERMINATED


@pytest.mark.parametrize("status", LineStatus)
def test_emergency_calls_stay_as_long_as_there_is_a_line(status: LineStatus) -> None:
    assert emergency_calls_allowed(status) is (status in ALIVE)
    assert line_projections(status)["emergency_calls"] is (status in ALIVE)


@pytest.mark.parametrize("reason", StopReason)
@pytest.mark.parametrize("actor", StopActor)
def test_the_pack_says_who_may_set_and_lift(reason: StopReason, actor: StopActor) -> None:
    rule = the_rules().stops[reason]
    done = set_by(actor, reason)
    if actor in rule.set_by.value:
        assert done == MaySet(rule.level.value)
    else:
        assert codes_of(done) == ["STOP_ROLE"]
    lifted = lifted_by(actor, reason, standing=(a_stop(reason),))
    if actor in rule.lifted_by.value:
        assert isinstance(lifted, MayLift)
    else:
        assert codes_of(lifted) == ["LIFT_ROLE"]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"status": LineStatus.TERMINATED}, ["LINE_TERMINATED"]),
        ({"status": LineStatus.PENDING}, []),
        ({"at": CLOCK_TOLERANCE}, []),
        ({"at": CLOCK_TOLERANCE + timedelta(seconds=1)}, ["STOP_IN_FUTURE"]),
        ({"at": -timedelta(seconds=1)}, ["STOP_BEFORE_REGISTRATION"]),
        ({"now": -DAY, "at": -DAY}, ["STOP_BEFORE_REGISTRATION"]),
        ({"now": -DAY}, ["STOP_IN_FUTURE", "STOP_BEFORE_REGISTRATION"]),
        (
            {"actor": StopActor.SYSTEM, "status": LineStatus.TERMINATED, "at": DAY},
            ["LINE_TERMINATED", "STOP_ROLE", "STOP_IN_FUTURE"],
        ),
    ],
)
def test_every_reason_against_a_stop_is_named(change: dict[str, object], codes: list[str]) -> None:
    found = set_by(**{"actor": StopActor.HOLDER, **change})  # type: ignore[arg-type] # a table
    assert codes_of(found) == codes


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"status": LineStatus.TERMINATED}, ["LINE_TERMINATED"]),
        ({"standing": ()}, ["STOP_NOT_SET"]),
        ({"standing": (a_stop(is_open=False),)}, ["STOP_NOT_SET"]),
        ({"reference": "CASE-2"}, ["STOP_NOT_SET"]),
        ({"reason": StopReason.FRAUD}, ["STOP_NOT_SET", "LIFT_ROLE"]),
        ({"now": -CLOCK_TOLERANCE}, []),
        ({"now": -DAY}, ["STOP_LIFTED_BEFORE_SET"]),
    ],
)
def test_every_reason_against_lifting_is_named(change: dict[str, object], codes: list[str]) -> None:
    found = lifted_by(**{"actor": StopActor.HOLDER, **change})  # type: ignore[arg-type] # a table
    assert codes_of(found) == codes


def test_a_reason_that_the_pack_does_not_know_is_refused() -> None:
    rules = the_rules()
    fewer = {reason: rule for reason, rule in rules.stops.items() if reason is not StopReason.REQUEST}
    without = rules.model_copy(update={"stops": fewer})
    assert codes_of(set_by(StopActor.HOLDER, policy=without)) == ["STOP_UNKNOWN"]
    assert codes_of(lifted_by(StopActor.HOLDER, policy=without)) == ["STOP_UNKNOWN"]


def test_the_same_reference_stops_once_and_another_one_again() -> None:
    standing = a_stop()
    assert set_by(StopActor.HOLDER, standing=(standing,)) == MaySet(StopLevel.TWO_WAY, standing)
    other = replace(standing, reference="CASE-2")
    assert set_by(StopActor.HOLDER, standing=(other,)) == MaySet(StopLevel.TWO_WAY)
    both = lifted_by(StopActor.HOLDER, standing=(standing, other))
    assert both == MayLift((standing, other))
    assert lifted_by(StopActor.HOLDER, standing=(standing, other), reference="CASE-2") == MayLift((other,))


def test_the_holder_is_told_why_where_and_with_what_in_both_languages() -> None:
    assert set(WORDS) == set(StopReason)
    for words in WORDS.values():
        for text in (words.reason, words.remedy, words.materials):
            assert len(text.zh) > 3
            assert len(text.en) > 10
    assert set(a_stop().words.to_json()) == {"reason", "remedy", "materials"}


@pytest.mark.parametrize("text", ["", "17", "+8613800138000", "张三", "CASE 1", "C" * 65])
def test_a_reference_is_no_name_and_no_number(text: str) -> None:
    with pytest.raises(BadInput, match="STOP_REFERENCE_FORMAT"):
        read_reference(text)
    assert read_reference("CASE-2026.17") == "CASE-2026.17"


#: Enumerations of the standards: CAMARA SubscriptionStatus 0.1.0, TMF637, TMF638 and TMF639 v5.
ACTIVE_OR_SUSPENDED = {"active", "suspended"}
SERVICE_STATES = {
    "feasibilityChecked", "designed", "reserved", "inactive", "active", "suspended", "terminated"
}  # fmt: skip
OPERATING = {
    "pending", "configured", "starting", "running", "degraded", "failed", "limited", "stopping", "stopped",
    "unknown",
}  # fmt: skip
PRODUCT = {
    "created", "pendingActive", "cancelled", "active", "pendingTerminate", "terminated", "suspended",
    "aborted",
}  # fmt: skip
RESOURCE = {"standby", "alarm", "available", "reserved", "unknown", "suspended"}


@pytest.mark.parametrize(
    ("status", "incoming", "outgoing", "product", "service"),
    [
        (LineStatus.PENDING, "suspended", "suspended", "pendingActive", ("inactive", "pending")),
        (LineStatus.ACTIVE, "active", "active", "active", ("active", "running")),
        (LineStatus.ONE_WAY_STOPPED, "active", "suspended", "suspended", ("suspended", "limited")),
        (LineStatus.TWO_WAY_STOPPED, "suspended", "suspended", "suspended", ("suspended", "stopped")),
        (LineStatus.TERMINATED, "suspended", "suspended", "terminated", ("terminated", "stopped")),
    ],
)
def test_a_line_in_the_words_of_others(
    status: LineStatus, incoming: str, outgoing: str, product: str, service: tuple[str, str]
) -> None:
    told = subscription_status(status).to_json()
    assert told == {"voiceSmsIn": incoming, "voiceSmsOut": outgoing, "dataService": outgoing}
    assert {incoming, outgoing} <= ACTIVE_OR_SUSPENDED
    assert (product_status(status), service_state(status)) == (product, service)
    assert product in PRODUCT
    assert service[0] in SERVICE_STATES
    assert service[1] in OPERATING


def test_numbers_and_cards_in_the_words_of_others() -> None:
    resources = [*map(number_resource, NumberState), *map(card_resource, SimState)]
    for resource in resources:
        told = resource.to_json()
        assert told["resourceStatus"] in RESOURCE
        assert told["usageState"] in {"idle", "active", "busy"}
        assert told["administrativeState"] in {"locked", "unlocked", "shutdown"}
        assert told["operationalState"] in {"enable", "disable"}
    assert number_resource(NumberState.IN_SERVICE).usage_state == "active"
    assert number_resource(NumberState.FREE).resource_status == "available"
