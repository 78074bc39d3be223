"""The whole chain of rules under a real pack: everything that is missing has a code of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import (
    AtCap,
    Channel,
    EntryKind,
    HolderKind,
    Policy,
    ProductClass,
)
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.errors.contracts import TermsRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.errors.representation import RepresentationRefusal
from shiming.registrations.model.lines import LineIdentifier, LineKind, SimForm
from shiming.registrations.model.ordering import Review, ReviewDecision
from shiming.registrations.model.orders import LineOrder, Representative, RepresentativeRole
from shiming.registrations.model.organisation_lines import OrganisationStanding
from shiming.registrations.model.registration import (
    HolderCounter,
    PoolNumber,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
    ReviewRequired,
    SessionUsable,
)
from shiming.registrations.model.sims import CardStanding, SimState
from shiming.registrations.rules.holder import KINDS
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.orders import decide_order
from shiming.registrations.rules.registration import cap_in_force, decide_registration
from shiming.registrations.rules.reviews import decide_review_of
from shiming.registrations.rules.velocity import day_of, decide_velocity
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.refusals import ReasonCode
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    a_line_cap_policy,
    a_number,
    a_registration_policy,
    a_session,
    an_order,
)

ACCOUNT = AccessAccount.parse("gz0755123@example.net")
ORG = "ORG-0082-0C20-A1G7-D"

LATER = NOW + timedelta(minutes=1)


@cache
def rules() -> Policy:
    return policy_on(read_pack("cn"), NOW.date())


@cache
def policy() -> RegistrationPolicy:
    return RegistrationPolicy.of(rules(), number_regions=("CN",), time_zone="Asia/Shanghai")


def facts(order: LineOrder | None = None, **changes: Any) -> RegistrationFacts:
    order = order or an_order()
    complete = RegistrationFacts(
        session=a_session(),
        evidence=("EVD-1",),
        identity_recorded=True,
        number_held_by=None,
        order=order,
        pool=PoolNumber(operator=OPERATOR, kind=order.kind),
    )
    return replace(complete, **changes)


def decide(
    found: RegistrationFacts,
    identifier: LineIdentifier | None = None,
    *,
    at: RegistrationPolicy | None = None,
    now: datetime = NOW,
) -> SessionUsable | RegistrationRefused:
    ordered = found.order.identifier if found.order else None
    command = RegisterLine(OPERATOR, identifier or ordered or a_number(), "SES-1")
    return decide_registration(command, found, at or policy(), sandbox=False, now=now)


def codes(outcome: object) -> list[ReasonCode]:
    assert isinstance(outcome, RegistrationRefused)
    assert all(refusal.citation for refusal in outcome.refusals)
    return [refusal.code for refusal in outcome.refusals]


def an_internet_order(**changes: Any) -> LineOrder:
    common: dict[str, Any] = {
        "kind": LineKind.INTERNET,
        "product_class": ProductClass.INTERNET,
        "iccid": None,
        "imsi": None,
        "sim_form": None,
        "install_address": "EVD-2",
    }
    return an_order("SES-1", ACCOUNT, **{**common, **changes})


def test_a_complete_order_is_registered_for_its_person() -> None:
    outcome = decide(facts())
    assert isinstance(outcome, SessionUsable)
    assert outcome.subject == "p1.someone"
    assert isinstance(decide(facts(an_internet_order(), pool=PoolNumber())), SessionUsable)


MISSING: list[tuple[Callable[[LineOrder], LineOrder], ReasonCode]] = [
    (lambda order: replace(order, terms=None), OrderRefusal.TERMS_NOT_ACCEPTED),
    (lambda order: replace(order, confirmation=None), OrderRefusal.LINE_NOT_CONFIRMED),
    (
        lambda _: an_order(confirmation=an_order("S", a_number(5)).confirmation),
        OrderRefusal.OTHER_LINE_CONFIRMED,
    ),
    (lambda order: replace(order, iccid=None), OrderRefusal.SIM_MISSING),
    (lambda order: replace(order, sim_form=None), OrderRefusal.SIM_MISSING),
    (lambda order: replace(order, operator="cn-unicom"), OrderRefusal.ORDER_OF_OTHER_OPERATOR),
    (lambda order: replace(order, entry=EntryKind.MOVE), OrderRefusal.ENTRY_OF_A_LINE),
    (lambda order: replace(order, kind=LineKind.FIXED), OrderRefusal.LINE_KIND_NOT_OF_PRODUCT),
    (
        lambda order: replace(order, product_class=ProductClass.IOT_SMALL),
        OrderRefusal.HOLDER_KIND_NOT_ALLOWED,
    ),
    (
        lambda order: replace(order, product_class=ProductClass.IOT_GENERAL, channel=Channel.ONLINE),
        OrderRefusal.CHANNEL_NOT_ALLOWED,
    ),
    (lambda order: replace(order, category="minor"), RepresentationRefusal.REPRESENTATIVE_REQUIRED),
    (
        lambda order: replace(order, holder_kind=HolderKind.ORGANISATION),
        OrderRefusal.ORGANISATION_MISSING,
    ),
]


@pytest.mark.parametrize(("change", "code"), MISSING, ids=[str(code) for _, code in MISSING])
def test_each_missing_piece_of_an_order_refuses(
    change: Callable[[LineOrder], LineOrder], code: ReasonCode
) -> None:
    assert code in codes(decide(facts(change(an_order()))))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identity_recorded": False}, RefusalCode.IDENTITY_NOT_RECORDED),
        ({"pool": PoolNumber()}, OrderRefusal.NUMBER_NOT_IN_POOL),
        ({"pool": PoolNumber("cn-unicom", LineKind.MOBILE)}, OrderRefusal.NUMBER_NOT_IN_POOL),
        ({"pool": PoolNumber(OPERATOR, LineKind.FIXED)}, OrderRefusal.NUMBER_NOT_IN_POOL),
        ({"pool": PoolNumber(OPERATOR, LineKind.MOBILE, excluded=True)}, OrderRefusal.NUMBER_EXCLUDED),
        ({"counter": HolderCounter(active=5)}, RefusalCode.CAP_REACHED),
        ({"counter": HolderCounter(active=3), "places_kept": 2}, RefusalCode.CAP_REACHED),
        ({"counter": HolderCounter(2, 2, NOW, "2026-05-01", 2)}, OrderRefusal.LINES_OF_DAY_REACHED),
        ({"number_held_by": "REG-9"}, RefusalCode.NUMBER_TAKEN),
        ({"card": CardStanding("cn-unicom", SimState.STOCK)}, OrderRefusal.SIM_TAKEN),
        ({"card": CardStanding(OPERATOR, SimState.ASSIGNED)}, OrderRefusal.SIM_TAKEN),
        ({"card": CardStanding(line_id="REG-9")}, OrderRefusal.SIM_TAKEN),
        ({"card": CardStanding(held_for="SES-9", held_until=LATER)}, OrderRefusal.SIM_TAKEN),
        ({"terms_in_force": "sha256:newer"}, TermsRefusal.TERMS_VERSION_NOT_CURRENT),
    ],
)
def test_each_fact_that_stands_in_the_way_refuses_alone(changes: dict[str, Any], code: ReasonCode) -> None:
    assert codes(decide(facts(**changes))) == [code]


def test_a_card_of_this_order_and_terms_of_today_stand_in_nobodys_way() -> None:
    terms = an_order().terms
    assert terms is not None
    own = CardStanding(OPERATOR, SimState.STOCK, "SES-1", LATER)
    assert isinstance(decide(facts(card=own, terms_in_force=terms.content_hash)), SessionUsable)
    ran_out = CardStanding(held_for="SES-9", held_until=NOW)
    assert isinstance(decide(facts(card=ran_out)), SessionUsable)
    elsewhere = CardStanding(line_id="REG-9")  # of a line without a card nothing is asked
    assert isinstance(decide(facts(an_internet_order(), pool=PoolNumber(), card=elsewhere)), SessionUsable)


def test_a_pack_with_requirements_registers_nothing_without_an_order() -> None:
    assert codes(decide(replace(facts(), order=None))) == [OrderRefusal.ORDER_MISSING]
    nothing = replace(facts(), order=None, identity_recorded=False)
    assert codes(decide(nothing)) == [RefusalCode.IDENTITY_NOT_RECORDED, OrderRefusal.ORDER_MISSING]


def test_a_number_that_is_held_is_given_to_whom_it_is_held_for_until_it_runs_out() -> None:
    later, held = NOW + timedelta(minutes=1), PoolNumber(OPERATOR, LineKind.MOBILE)
    for_other = replace(held, held_for="SES-2", held_until=later)
    assert codes(decide(facts(pool=for_other))) == [OrderRefusal.NUMBER_RESERVED]
    assert isinstance(decide(facts(pool=replace(for_other, held_for="SES-1"))), SessionUsable)
    assert isinstance(decide(facts(pool=replace(for_other, held_until=NOW))), SessionUsable)
    resting = replace(held, resting=True, held_until=later)
    assert codes(decide(facts(pool=resting))) == [OrderRefusal.NUMBER_RESTING]
    assert isinstance(decide(facts(pool=replace(resting, held_until=NOW))), SessionUsable)


def test_what_is_registered_is_what_was_ordered() -> None:
    found = decide(facts(), a_number(7))
    assert codes(found) == [OrderRefusal.IDENTIFIER_NOT_ORDERED, OrderRefusal.OTHER_LINE_CONFIRMED]
    open_order = an_order(confirmation=an_order("S", a_number(7)).confirmation, identifier=None)
    assert isinstance(decide(facts(replace(open_order, identifier=None)), a_number(7)), SessionUsable)
    no_number = replace(an_order("SES-1", ACCOUNT), kind=LineKind.MOBILE)
    assert OrderRefusal.IDENTIFIER_NOT_OF_KIND in codes(decide(facts(no_number)))


def test_an_internet_line_needs_the_place_where_it_is() -> None:
    nowhere = an_internet_order(install_address=None)
    assert codes(decide(facts(nowhere))) == [OrderRefusal.INSTALL_ADDRESS_MISSING]


def test_a_port_in_brings_a_number_of_another_pool() -> None:
    ported = replace(an_order(), entry=EntryKind.PORT_IN)
    waits = decide(facts(ported, pool=PoolNumber()))
    assert codes(waits) == [OrderRefusal.DONOR_NOT_CONFIRMED]  # and not that the number is of no pool


def test_a_proxy_whom_nobody_knows_is_refused() -> None:
    behalf = Representative(RepresentativeRole.PROXY, "SES-9")
    refused = codes(decide(facts(replace(an_order(), representative=behalf))))
    assert RepresentationRefusal.REPRESENTATIVE_UNKNOWN in refused


def test_lines_of_an_organisation_follow_its_standing_and_what_was_confirmed() -> None:
    order = replace(
        an_order(), holder_kind=HolderKind.ORGANISATION, organisation=ORG, confirmation=None, category="minor"
    )
    assert codes(decide(facts(order))) == [OrderRefusal.ORGANISATION_NOT_EXAMINED]
    standing = OrganisationStanding(ORG, lines_confirmed=2)
    assert isinstance(decide(facts(order, standing=standing, position=2)), SessionUsable)
    third = decide(facts(order, standing=standing, position=3))
    assert codes(third) == [OrderRefusal.LINES_NOT_CONFIRMED]
    other = replace(standing, organisation="ORG-other")
    assert codes(decide(facts(order, standing=other))) == [OrderRefusal.ORGANISATION_NOT_EXAMINED]
    many = facts(order, standing=standing, counter=HolderCounter(active=500))
    assert isinstance(decide(many), SessionUsable)


def test_five_numbers_of_a_key_service_and_none_for_a_person() -> None:
    order = replace(
        an_order(),
        product_class=ProductClass.SWITCHBOARD,
        kind=LineKind.FIXED,
        sim_form=None,
        iccid=None,
        install_address="EVD-2",
        holder_kind=HolderKind.ORGANISATION,
        organisation=ORG,
    )
    standing = OrganisationStanding(ORG, lines_confirmed=9)
    there = {"standing": standing, "pool": PoolNumber(OPERATOR, LineKind.FIXED)}
    assert isinstance(decide(facts(order, counter=HolderCounter(active=4), **there)), SessionUsable)
    assert codes(decide(facts(order, counter=HolderCounter(active=5), **there))) == [RefusalCode.CAP_REACHED]
    person = replace(order, holder_kind=HolderKind.PERSON, organisation=None)
    assert OrderRefusal.HOLDER_KIND_NOT_ALLOWED in codes(decide(facts(person, **there)))


def test_at_some_caps_a_review_lets_one_more_pass() -> None:
    full = HolderCounter(active=5)
    waits = decide(facts(an_internet_order(), counter=full))
    assert isinstance(waits, ReviewRequired)
    assert codes(waits) == [OrderRefusal.REVIEW_REQUIRED]
    passed = facts(an_internet_order(review="REV-1"), counter=full)
    assert isinstance(decide(passed), SessionUsable)
    assert cap_in_force(passed, policy()) == 6
    assert cap_in_force(facts(an_internet_order(), counter=full), policy()) == 5
    both = decide(facts(an_internet_order(terms=None), counter=full))
    assert not isinstance(both, ReviewRequired)
    reviewed_card = facts(an_order(review="REV-1"), counter=full)
    assert codes(decide(reviewed_card)) == [RefusalCode.CAP_REACHED]  # this cap is a hard one


def test_who_asked_for_a_review_does_not_decide_it_and_it_is_decided_once() -> None:
    review = Review("REV-1", "SES-1", OPERATOR, asked_by="p-1", asked_at=NOW)
    assert decide_review_of(review, by="p-2", citation="x:1") == ()
    (own,) = decide_review_of(review, by="p-1", citation="x:1")
    assert own.code is OrderRefusal.REVIEW_OWN
    done = replace(review, decision=ReviewDecision.PASSED)
    (twice,) = decide_review_of(done, by="p-2", citation="x:1")
    assert twice.code is OrderRefusal.REVIEW_DECIDED


def test_an_order_is_opened_where_the_person_was_proven() -> None:
    order = an_order()
    assert decide_order(order, rules(), proven_channel="shop") == ()
    assert decide_order(order, rules(), proven_channel=None) == ()
    (elsewhere,) = decide_order(order, rules(), proven_channel="online")
    assert elsewhere.code is OrderRefusal.CHANNEL_NOT_OF_SESSION
    online = replace(order, channel=Channel.ONLINE)
    assert decide_order(online, rules(), proven_channel="online") == ()


def without(**parts: Any) -> Policy:
    return rules().model_copy(update=parts)


def test_what_a_pack_does_not_name_cannot_be_had() -> None:
    no_products = without(products={})
    bare = replace(policy(), rules=no_products)
    assert codes(decide(facts(), at=bare)) == [OrderRefusal.PRODUCT_NOT_OFFERED]
    found = decide_order(an_order(), no_products, proven_channel="online")
    assert [refusal.code for refusal in found] == [
        OrderRefusal.PRODUCT_NOT_OFFERED,
        OrderRefusal.CHANNEL_NOT_OF_SESSION,
    ]
    no_entries = without(entries={})
    assert codes(decide(facts(), at=replace(policy(), rules=no_entries))) == [OrderRefusal.ENTRY_NOT_ALLOWED]
    (refused,) = decide_order(an_order(), no_entries, proven_channel=None)
    assert refused.code is OrderRefusal.ENTRY_NOT_ALLOWED
    opening = rules().entries[EntryKind.OPEN]
    forbidden = opening.model_copy(update={"allowed": opening.allowed.model_copy(update={"value": False})})
    closed = without(entries={EntryKind.OPEN: forbidden})
    assert codes(decide(facts(), at=replace(policy(), rules=closed))) == [OrderRefusal.ENTRY_NOT_ALLOWED]
    (refused,) = decide_order(an_order(), closed, proven_channel=None)
    assert refused.citation == opening.allowed.citation


def test_every_product_is_made_of_something() -> None:
    assert set(KINDS) == set(ProductClass)
    assert all(KINDS.values())
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(LineKind)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_lines_and_kept_places_never_pass_the_cap(active: int, kept: int, cap: int) -> None:
    outcome = decide_line_cap(active, a_line_cap_policy(cap), places_kept=kept)
    assert hasattr(outcome, "remaining") is (active + kept < cap)
    reviewable = decide_line_cap(
        active, a_line_cap_policy(cap, at_cap=AtCap.ENHANCED_REVIEW), places_kept=kept
    )
    assert getattr(reviewable, "reviewable", True) is True


@given(
    gap=st.one_of(st.none(), st.integers(0, 72)),
    a_day=st.one_of(st.none(), st.integers(1, 5)),
    ago=st.integers(0, 7 * 24 * 60),
    count=st.integers(0, 6),
)
def test_velocity_waits_for_the_gap_and_for_the_next_day(
    gap: int | None, a_day: int | None, ago: int, count: int
) -> None:
    last = NOW - timedelta(minutes=ago)
    counter = HolderCounter(1, 1, last, day_of(last, "Asia/Karachi"), count)
    cap = a_line_cap_policy(gap_hours=gap, a_day=a_day)
    found = {refusal.code for refusal in decide_velocity(counter, cap, now=NOW, time_zone="Asia/Karachi")}
    assert (OrderRefusal.LINE_TOO_SOON in found) is (gap is not None and ago < gap * 60)
    today = day_of(last, "Asia/Karachi") == day_of(NOW, "Asia/Karachi")
    assert (OrderRefusal.LINES_OF_DAY_REACHED in found) is (a_day is not None and today and count >= a_day)
    assert decide_velocity(HolderCounter(), cap, now=NOW, time_zone="UTC") == ()


@given(
    st.builds(
        dict,
        terms=st.booleans(),
        confirmed=st.booleans(),
        sim=st.booleans(),
        recorded=st.booleans(),
        pool=st.booleans(),
        held=st.booleans(),
        active=st.integers(0, 6),
        kept=st.integers(0, 3),
    )
)
def test_a_line_is_registered_exactly_when_nothing_is_missing(given_: dict[str, Any]) -> None:
    order = an_order()
    order = replace(
        order,
        terms=order.terms if given_["terms"] else None,
        confirmation=order.confirmation if given_["confirmed"] else None,
        sim_form=SimForm.ESIM if given_["sim"] else None,
    )
    found = facts(
        order,
        identity_recorded=given_["recorded"],
        pool=PoolNumber(OPERATOR, LineKind.MOBILE) if given_["pool"] else PoolNumber(),
        number_held_by="REG-1" if given_["held"] else None,
        counter=HolderCounter(active=given_["active"]),
        places_kept=given_["kept"],
    )
    outcome = decide(found)
    whole = all(given_[name] for name in ("terms", "confirmed", "sim", "recorded", "pool"))
    fits = given_["active"] + given_["kept"] < 5
    assert isinstance(outcome, SessionUsable) is (whole and fits and not given_["held"])


def test_a_pack_without_orders_registers_without_one() -> None:
    bare = a_registration_policy()
    assert isinstance(decide(RegistrationFacts(a_session(), (), False, None), at=bare), SessionUsable)  # noqa: FBT003


@pytest.mark.parametrize("code", list(OrderRefusal))
def test_every_refusal_of_an_order_speaks_both_languages(code: OrderRefusal) -> None:
    for text in (code.words.clerk, code.words.subscriber, code.words.next_step):
        assert text.zh
        assert text.en.isascii()
