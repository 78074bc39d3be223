"""The rules of provisioning: what is ordered, what is next, what drifts; examples and properties."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.registrations.errors.provisioning import WaitReason
from shiming.registrations.model.drift import DriftKind, RegistryService
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import (
    DesiredService,
    OrderAction,
    OrderState,
    ServiceOrder,
)
from shiming.registrations.ports.bss import NetworkService
from shiming.registrations.rules.drift import IN_SERVICE, decide_drift
from shiming.registrations.rules.service_orders import (
    REPORTED,
    Await,
    Drop,
    NothingToDo,
    Send,
    advance,
    decide_action,
    decide_next,
    desired_service,
)

AT = datetime(2026, 5, 1, tzinfo=UTC)
ACTIVE, ONE_WAY, TWO_WAY = LineStatus.ACTIVE, LineStatus.ONE_WAY_STOPPED, LineStatus.TWO_WAY_STOPPED
ENDED = LineStatus.TERMINATED
LIVING = st.sampled_from([ACTIVE, ONE_WAY, TWO_WAY])
PROFILES = st.dictionaries(
    st.sampled_from(["sms", "voice", "apns"]), st.booleans() | st.lists(st.text(max_size=3), max_size=2)
)
RESOURCES = st.frozensets(st.tuples(st.sampled_from(["MSISDN", "ICCID"]), st.sampled_from(["1", "2"])))
NETWORK_STATUS = st.sampled_from([*(status.value for status in LineStatus), "tmf:reserved"])
NETWORK = st.builds(NetworkService, st.just("REG-1"), NETWORK_STATUS, PROFILES, RESOURCES)
REGISTRY = st.builds(RegistryService, st.just("REG-1"), LIVING | st.just(ENDED), PROFILES, RESOURCES)


def as_network(registry: RegistryService, **more: Any) -> NetworkService:
    """A network that does what the registry says, and has characteristics of its own."""
    extra = frozenset({("VLAN", "7")})
    content = {**registry.profile, "cell": 3, **more}
    return NetworkService(registry.service_id, registry.status.value, content, registry.resources | extra)


@given(REGISTRY)
def test_a_network_that_does_what_the_registry_says_never_drifts(registry: RegistryService) -> None:
    assert decide_drift(registry, as_network(registry)) is None


@given(REGISTRY, NETWORK | st.none())
def test_a_drift_names_what_differs_and_never_a_value(
    registry: RegistryService, network: NetworkService | None
) -> None:
    drift = decide_drift(registry, network)
    if drift is None:
        ended = registry.status is ENDED
        assert ended or (network is not None and network.status == registry.status.value)
        return
    assert set(drift.differs) <= {*registry.profile, *(kind for kind, _ in registry.resources)}
    assert drift.kind is not DriftKind.UNREGISTERED
    if drift.kind is DriftKind.MISSING:
        assert registry.status is not ENDED
    if drift.kind is DriftKind.CHARACTERISTICS:
        assert drift.differs
        assert drift.registry == drift.network


@given(NETWORK)
def test_what_nobody_registered_drifts_exactly_while_it_is_in_service(network: NetworkService) -> None:
    drift = decide_drift(None, network)
    assert (drift is not None) == (network.status in IN_SERVICE)
    assert drift is None or drift.kind is DriftKind.UNREGISTERED


@given(REGISTRY.filter(lambda each: each.status is not ENDED))
def test_a_living_line_that_the_network_does_not_have_is_missing(registry: RegistryService) -> None:
    gone = NetworkService("REG-1", "terminated", {}, frozenset())
    for network in (None, gone):
        drift = decide_drift(registry, network)
        assert drift is not None
        assert drift.kind is DriftKind.MISSING


def test_nothing_on_either_side_is_no_drift() -> None:
    assert decide_drift(None, None) is None


@pytest.mark.parametrize("status", [ACTIVE, ONE_WAY, TWO_WAY])
def test_an_ended_line_that_the_network_holds_drifts(status: LineStatus) -> None:
    drift = decide_drift(
        RegistryService("REG-1", ENDED), NetworkService("REG-1", status.value, {}, frozenset())
    )
    assert drift is not None
    assert (drift.kind, drift.registry) == (DriftKind.STATUS, "terminated")


def wanted(status: LineStatus = ACTIVE, **profile: Any) -> DesiredService:
    return DesiredService(status, profile)


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (None, wanted(), OrderAction.ADD),
        (None, wanted(ENDED), None),
        (wanted(ENDED), wanted(), OrderAction.ADD),
        (wanted(ENDED), wanted(ENDED), None),
        (wanted(), wanted(), None),
        (wanted(), wanted(sms=False), OrderAction.MODIFY),
        (wanted(), wanted(ONE_WAY), OrderAction.SUSPEND),
        (wanted(ONE_WAY), wanted(TWO_WAY), OrderAction.SUSPEND),
        (wanted(TWO_WAY), wanted(ONE_WAY), OrderAction.RESUME),
        (wanted(TWO_WAY), wanted(), OrderAction.RESUME),
        (wanted(TWO_WAY), wanted(ENDED), OrderAction.DELETE),
    ],
)
def test_what_is_ordered_to_come_from_one_state_to_another(
    before: DesiredService | None, after: DesiredService, action: OrderAction | None
) -> None:
    assert decide_action(before, after) is action


@given(LIVING, st.lists(PROFILES, max_size=3))
def test_later_parts_of_a_profile_decide_and_an_ended_line_has_none(
    status: LineStatus, parts: list[dict[str, Any]]
) -> None:
    service = desired_service(status, parts, "EVT-1")
    assert service.status is status
    assert set(service.profile) == {name for part in parts for name in part}
    for name, value in parts[-1].items() if parts else ():
        assert service.profile[name] == value
    assert desired_service(ENDED, parts, "EVT-1") == DesiredService(ENDED)
    assert DesiredService.from_text(service.to_text()) == service


def test_a_pending_line_is_taken_up_as_active() -> None:
    assert desired_service(LineStatus.PENDING, [], None).status is ACTIVE


def an_order(
    sequence: int,
    action: OrderAction = OrderAction.ADD,
    state: OrderState = OrderState.WAITING,
    *,
    attempts: int = 0,
    line: str | None = "REG-1",
) -> ServiceOrder:
    return ServiceOrder(
        order_id=f"PRV-{sequence}",
        operator="cn-mobile",
        service_id="REG-1",
        sequence=sequence,
        action=action,
        desired=wanted(),
        state=state,
        created_at=AT,
        changed_at=AT,
        line_id=line,
        attempts=attempts,
    )


def test_orders_go_out_one_at_a_time() -> None:
    first, second = an_order(1, state=OrderState.IN_PROGRESS), an_order(2, OrderAction.SUSPEND)
    assert decide_next([first, second], known=False) == Await(first, WaitReason.EARLIER_ORDER)
    done = an_order(1, state=OrderState.COMPLETED)
    assert decide_next([done, second], known=True) == Send(second)
    assert decide_next([done], known=True) == NothingToDo()


def test_a_change_waits_for_an_addition_that_was_refused_but_a_strangers_stop_does_not() -> None:
    failed, change = an_order(1, state=OrderState.FAILED, attempts=1), an_order(2, OrderAction.SUSPEND)
    assert decide_next([failed, change], known=False) == Await(change, WaitReason.NOT_IN_NETWORK)
    stop = an_order(1, OrderAction.SUSPEND, line=None)
    assert decide_next([stop], known=False) == Send(stop)


def test_a_line_that_ended_unheard_of_is_dropped_and_one_that_may_be_known_is_not() -> None:
    add, end = an_order(1), an_order(2, OrderAction.DELETE)
    assert decide_next([add, end], known=False) == Drop((add, end))
    tried = an_order(1, attempts=1)
    assert decide_next([tried, end], known=False) == Send(tried)
    assert decide_next([end], known=True) == Send(end)


STATES = st.sampled_from(OrderState)
OPEN_STATES = st.sampled_from([state for state in OrderState if state is not OrderState.HELD])


@given(st.lists(st.tuples(st.sampled_from(OrderAction), OPEN_STATES), max_size=6), st.booleans())
def test_never_more_than_one_order_of_a_line_is_with_the_network(
    shape: list[tuple[OrderAction, OrderState]],
    known: bool,
) -> None:
    orders = [an_order(number, action, state) for number, (action, state) in enumerate(shape, 1)]
    match decide_next(orders, known=known):
        case Send(order):
            earlier = [each for each in orders if each.sequence < order.sequence]
            assert all(each.state.is_final for each in earlier)
            assert not order.state.is_sent
        case Drop(dropped):
            assert not known
            assert dropped[-1].action is OrderAction.DELETE
        case Await(order, _):
            assert not order.state.is_final
        case NothingToDo():
            assert all(each.state.is_final for each in orders)


@given(st.lists(st.sampled_from(sorted(REPORTED)), max_size=8))
def test_reports_in_any_order_only_move_forward_and_end_once(reports: list[str]) -> None:
    state, ends = OrderState.WAITING, 0
    for report in reports:
        after = advance(state, REPORTED[report])
        if after is not None:
            ends += after.is_final
            state = after
    assert ends == state.is_final
    finals = [REPORTED[each] for each in reports if REPORTED[each].is_final]
    if finals:
        assert state is finals[0]


@given(STATES)
def test_a_repeat_changes_nothing(state: OrderState) -> None:
    assert advance(state, state) is None
