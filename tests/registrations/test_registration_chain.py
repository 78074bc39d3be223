"""The whole chain of rules under a real pack: everything that is missing has a code of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.registrations.errors.contracts import TermsRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.errors.representation import RepresentationRefusal
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.orders import LineOrder, Representative, RepresentativeRole
from shiming.registrations.model.registration import (
    HolderCounter,
    PoolNumber,
    RegistrationFacts,
    SessionUsable,
)
from shiming.registrations.model.sims import CardStanding, SimState
from shiming.vocabulary.refusals import ReasonCode
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number, a_registration_policy, a_session, an_order
from tests.registrations.chain_builders import ACCOUNT, LATER, an_internet_order, codes, decide, facts


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
