"""Decide whether a line can be registered for the person of a proofing session, or for their organisation."""

from collections.abc import Iterator
from datetime import datetime

from shiming.jurisdictions.model import HolderKind, Policy, ProductClass
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import (
    CapReached,
    NumberRefused,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
    ReviewRequired,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.model.representation import RepresentationFacts
from shiming.registrations.rules.entry import decide_entry, decide_ordered
from shiming.registrations.rules.holder import decide_holder
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.number_free import decide_number_free
from shiming.registrations.rules.orders import NEW_LINES
from shiming.registrations.rules.representation import decide_representation
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.rules.sims import is_card_free
from shiming.registrations.rules.stops import no_rule
from shiming.registrations.rules.velocity import decide_velocity
from shiming.vocabulary.refusals import Refusal


def decide_registration(
    command: RegisterLine,
    facts: RegistrationFacts,
    policy: RegistrationPolicy,
    *,
    sandbox: bool,
    now: datetime,
) -> SessionUsable | RegistrationRefused:
    """Say who may have the number, or every reason why nobody gets it."""
    #  (1) the session proves a person, freshly, for this operator, and is not used up
    session = decide_session_usable(
        facts.session,
        operator=command.operator,
        policy=policy,
        sandbox=sandbox,
        now=now,
        kept_until=facts.order.delivery_until if facts.order else None,
    )
    usable = isinstance(session, SessionUsable)
    refusals = list(session.refusals) if isinstance(session, SessionNotUsable) else []
    #  (2) everything is there that the entry needs: the order, the terms, the confirmation, the SIM, ...
    if usable:
        refusals += _order(command, facts, policy, sandbox=sandbox, now=now)
    #  (3) the number is of the plan and free
    number = decide_number_free(command.number, facts.number_held_by, policy)
    if isinstance(number, NumberRefused):
        refusals.append(number.refusal)
    #  (4) the holder is under the cap, and not too fast
    if usable:
        refusals += _cap(facts, policy, now)
    if not refusals and isinstance(session, SessionUsable):
        return session
    if [refusal.code for refusal in refusals] == [OrderRefusal.REVIEW_REQUIRED]:
        return ReviewRequired(tuple(refusals))
    return RegistrationRefused(tuple(refusals))


def cap_in_force(facts: RegistrationFacts, policy: RegistrationPolicy) -> int:
    """Return how many lines the holder may have after this one: the cap, or what a review let pass."""
    product, holder = product_of(facts.order)
    cap = policy.cap_of(product, holder)
    most = 0 if cap is None else cap.policy.lines_per_holder_max.value
    if facts.order is not None and facts.order.review is not None:
        return max(most, facts.counter.active + 1)
    return most


def product_of(order: LineOrder | None) -> tuple[ProductClass, HolderKind]:
    """Return what is registered, and for which kind of holder; without an order a person's telephone card."""
    return (
        (ProductClass.VOICE, HolderKind.PERSON) if order is None else (order.product_class, order.holder_kind)
    )


def _order(
    command: RegisterLine,
    facts: RegistrationFacts,
    policy: RegistrationPolicy,
    *,
    sandbox: bool,
    now: datetime,
) -> Iterator[Refusal]:
    rules, order = policy.rules, facts.order
    if rules is None or order is None:
        if policy.identity_record_required and not facts.identity_recorded:
            yield Refusal(RefusalCode.IDENTITY_NOT_RECORDED, policy.identity_citation)
        if rules is not None:
            yield Refusal(OrderRefusal.ORDER_MISSING, policy.session_citation)
        return
    if order.entry not in NEW_LINES:
        yield Refusal(OrderRefusal.ENTRY_OF_A_LINE, policy.session_citation)
    yield from decide_ordered(order, command.operator, command.number, policy.session_citation)
    yield from decide_holder(order, rules)
    yield from decide_entry(
        order,
        command.number,
        rules,
        identity_recorded=facts.identity_recorded,
        pool=facts.pool,
        now=now,
        terms_in_force=facts.terms_in_force,
    )
    if order.iccid is not None and not is_card_free(
        facts.card, operator=order.operator, session_id=order.session_id, now=now
    ):
        yield Refusal(OrderRefusal.SIM_TAKEN, no_rule(rules))
    yield from _organisation(facts, order, policy.session_citation)
    yield from _representation(command, facts, order, rules, sandbox=sandbox, now=now)


def _organisation(facts: RegistrationFacts, order: LineOrder, citation: str) -> Iterator[Refusal]:
    if order.organisation is None:
        return
    standing = facts.standing
    if standing is None or standing.organisation != order.organisation:
        yield Refusal(OrderRefusal.ORGANISATION_NOT_EXAMINED, citation)
        return
    yield from standing.refusals
    if facts.position > standing.lines_confirmed:
        yield Refusal(OrderRefusal.LINES_NOT_CONFIRMED, citation)


def _representation(
    command: RegisterLine,
    facts: RegistrationFacts,
    order: LineOrder,
    rules: Policy,
    *,
    sandbox: bool,
    now: datetime,
) -> tuple[Refusal, ...]:
    if order.holder_kind is HolderKind.ORGANISATION:
        return ()  # its handler is a matter of its own rules
    acting = facts.representation or RepresentationFacts(
        operator=command.operator,
        order=order.session_id,
        category=order.category,
        holder=facts.session.subject if facts.session else None,
        representative=order.representative,
    )
    return decide_representation(acting, rules, now=now, sandbox=sandbox)


def _cap(facts: RegistrationFacts, policy: RegistrationPolicy, now: datetime) -> Iterator[Refusal]:
    product, holder = product_of(facts.order)
    cap = policy.cap_of(product, holder)
    if cap is None:
        return
    counted = decide_line_cap(facts.counter.active, cap.policy, places_kept=facts.places_kept)
    if isinstance(counted, CapReached):
        if not counted.reviewable:
            yield Refusal(RefusalCode.CAP_REACHED, counted.citation)
        elif facts.order is None or facts.order.review is None:
            yield Refusal(OrderRefusal.REVIEW_REQUIRED, counted.citation)
    if holder is HolderKind.PERSON:
        yield from decide_velocity(facts.counter, cap.policy, now=now, time_zone=policy.time_zone)
