"""Decide whether everything is there that a pack requires for an entry: opening a line, or changing one."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from shiming.jurisdictions.model import Citation, EntryRequirement, Policy
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineIdentifier, LineKind
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import PoolNumber
from shiming.registrations.rules.terms import decide_still_agreed
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.refusals import ReasonCode, Refusal


def decide_entry(
    order: LineOrder,
    identifier: LineIdentifier,
    policy: Policy,
    *,
    identity_recorded: bool,
    pool: PoolNumber,
    now: datetime,
    terms_in_force: str | None = None,
) -> tuple[Refusal, ...]:
    """Return what is missing for this entry of this line, each as its own refusal.

    `terms_in_force`: hash of the operator's terms of today; None: nothing is published.
    """
    entry = policy.entries.get(order.entry)
    if entry is None or not entry.allowed.value:
        citation = policy.verification_model.citation if entry is None else entry.allowed.citation
        return (Refusal(OrderRefusal.ENTRY_NOT_ALLOWED, citation),)
    citation = entry.requirements.citation
    missing: Mapping[EntryRequirement, tuple[ReasonCode, ...]] = {
        EntryRequirement.IDENTITY_RECORD: () if identity_recorded else (RefusalCode.IDENTITY_NOT_RECORDED,),
        EntryRequirement.POOL_NUMBER: tuple(_pool(order, pool, now)),
        EntryRequirement.TERMS: tuple(decide_still_agreed(order.terms, terms_in_force)),
        EntryRequirement.CONFIRMATION: tuple(_confirmation(order, identifier)),
        EntryRequirement.SIM: tuple(_sim(order)),
        EntryRequirement.INSTALL_ADDRESS: tuple(_place(order)),
        EntryRequirement.DONOR_CONFIRMED: tuple(_donor(order, identifier, now)),
    }
    return tuple(
        Refusal(code, citation) for required in entry.requirements.value for code in missing[required]
    )


def draws_from_pool(order: LineOrder, policy: Policy) -> bool:
    """Say whether the number of an order comes from the operator's pool, whose holds then bind it."""
    entry = policy.entries.get(order.entry)
    pooled = entry is not None and EntryRequirement.POOL_NUMBER in entry.requirements.value
    return pooled and order.kind is not LineKind.INTERNET  # accounts are no numbers of a plan


def decide_ordered(
    order: LineOrder, operator: str, identifier: LineIdentifier, citation: Citation
) -> tuple[Refusal, ...]:
    """Return every reason why what is registered is not what was ordered."""
    refusals = []
    if order.operator != operator:
        refusals.append(Refusal(OrderRefusal.ORDER_OF_OTHER_OPERATOR, citation))
    if order.identifier is not None and order.identifier != identifier:
        refusals.append(Refusal(OrderRefusal.IDENTIFIER_NOT_ORDERED, citation))
    if (order.kind is LineKind.INTERNET) != isinstance(identifier, AccessAccount):
        refusals.append(Refusal(OrderRefusal.IDENTIFIER_NOT_OF_KIND, citation))
    return tuple(refusals)


def _pool(order: LineOrder, pool: PoolNumber, now: datetime) -> Iterator[OrderRefusal]:
    if order.kind is LineKind.INTERNET:  # accounts are no numbers of a plan
        return
    if pool.operator != order.operator or pool.kind is not order.kind:
        yield OrderRefusal.NUMBER_NOT_IN_POOL
    if pool.excluded:
        yield OrderRefusal.NUMBER_EXCLUDED
    if pool.held_until is None or pool.held_until <= now:
        return
    if pool.resting:
        yield OrderRefusal.NUMBER_RESTING
    elif pool.held_for not in {order.session_id, order.organisation}:
        yield OrderRefusal.NUMBER_RESERVED


def _confirmation(order: LineOrder, identifier: LineIdentifier) -> Iterator[OrderRefusal]:
    if order.organisation is not None:
        return  # its handler confirmed how many, for the contract as a whole
    if order.confirmation is None:
        yield OrderRefusal.LINE_NOT_CONFIRMED
    elif order.confirmation.identifier != identifier:
        yield OrderRefusal.OTHER_LINE_CONFIRMED


def _sim(order: LineOrder) -> Iterator[OrderRefusal]:
    if order.kind.has_sim and (order.sim_form is None or order.iccid is None):
        yield OrderRefusal.SIM_MISSING


def _donor(order: LineOrder, identifier: LineIdentifier, now: datetime) -> Iterator[OrderRefusal]:
    donor = order.donor
    if donor is None or donor.identifier != identifier or donor.until <= now:
        yield OrderRefusal.DONOR_NOT_CONFIRMED


def _place(order: LineOrder) -> Iterator[OrderRefusal]:
    if order.kind.has_place and order.install_address is None:
        yield OrderRefusal.INSTALL_ADDRESS_MISSING
