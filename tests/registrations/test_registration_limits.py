"""How many lines, of what, for whom: caps, reviews, organisations and products in the chain of rules."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import AtCap, Channel, EntryKind, HolderKind, Policy, ProductClass
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.ordering import Review, ReviewDecision
from shiming.registrations.model.organisation_lines import OrganisationStanding
from shiming.registrations.model.registration import HolderCounter, PoolNumber, ReviewRequired, SessionUsable
from shiming.registrations.rules.holder import KINDS
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.orders import decide_order
from shiming.registrations.rules.registration import cap_in_force
from shiming.registrations.rules.reviews import decide_review_of
from shiming.registrations.rules.velocity import day_of, decide_velocity
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_line_cap_policy, an_order
from tests.registrations.chain_builders import ORG, an_internet_order, codes, decide, facts, policy, rules


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
