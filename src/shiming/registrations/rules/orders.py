"""Decide whether an order can be opened: what no later step could put right."""

from shiming.jurisdictions.model import EntryKind, Policy
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.rules.holder import decide_holder
from shiming.vocabulary.refusals import Refusal

#: Entries that bring a new line; the others change one that is there, in their own use cases.
NEW_LINES = frozenset({EntryKind.OPEN, EntryKind.PORT_IN})


def decide_order(order: LineOrder, policy: Policy, *, proven_channel: str | None) -> tuple[Refusal, ...]:
    """Return every reason against this order. `proven_channel`: where the session of the proof was held."""
    refusals = list(decide_holder(order, policy))
    entry = policy.entries.get(order.entry)
    if entry is None or not entry.allowed.value:
        citation = policy.verification_model.citation if entry is None else entry.allowed.citation
        refusals.append(Refusal(OrderRefusal.ENTRY_NOT_ALLOWED, citation))
    if proven_channel is not None and proven_channel != order.channel.value:
        product = policy.products.get(order.product_class)
        citation = product.channels.citation if product else policy.verification_model.citation
        refusals.append(Refusal(OrderRefusal.CHANNEL_NOT_OF_SESSION, citation))
    return tuple(refusals)
