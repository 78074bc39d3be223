"""Decide whether a product may be had by such a holder, on such a line, through such a channel."""

from shiming.jurisdictions.model import Channel, HolderKind, Policy, ProductClass, ProductPolicy
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.orders import LineOrder
from shiming.vocabulary.refusals import Refusal

_SIM_CARDS = frozenset({LineKind.MOBILE, LineKind.DATA_CARD})
_NUMBERS = frozenset({LineKind.MOBILE, LineKind.FIXED})
#: What a product is made of, technically.
KINDS = {
    ProductClass.VOICE: frozenset({LineKind.MOBILE}),
    ProductClass.DATA: frozenset({LineKind.DATA_CARD}),
    ProductClass.FIXED: frozenset({LineKind.FIXED}),
    ProductClass.INTERNET: frozenset({LineKind.INTERNET}),
    ProductClass.IOT_SMALL: _SIM_CARDS,
    ProductClass.IOT_GENERAL: _SIM_CARDS,
    ProductClass.PRIVATE_LINE: _NUMBERS,
    ProductClass.ONE_NUMBER: _NUMBERS,
    ProductClass.SWITCHBOARD: _NUMBERS,
    ProductClass.TOLL_FREE: _NUMBERS,
}


def decide_holder(order: LineOrder, policy: Policy) -> tuple[Refusal, ...]:
    """Return every reason why this holder cannot have this product in this way."""
    product = policy.products.get(order.product_class)
    if product is None:
        return (Refusal(OrderRefusal.PRODUCT_NOT_OFFERED, policy.verification_model.citation),)
    return (
        *_kind(order.kind, order.product_class, product),
        *_holder(order, product),
        *_channel(order.channel, product),
    )


def _kind(kind: LineKind, product_class: ProductClass, product: ProductPolicy) -> tuple[Refusal, ...]:
    if kind in KINDS[product_class]:
        return ()
    return (Refusal(OrderRefusal.LINE_KIND_NOT_OF_PRODUCT, product.holders.citation),)


def _holder(order: LineOrder, product: ProductPolicy) -> tuple[Refusal, ...]:
    citation = product.holders.citation
    if order.holder_kind not in product.holders.value:
        return (Refusal(OrderRefusal.HOLDER_KIND_NOT_ALLOWED, citation),)
    if order.holder_kind is HolderKind.ORGANISATION and order.organisation is None:
        return (Refusal(OrderRefusal.ORGANISATION_MISSING, citation),)
    return ()


def _channel(channel: Channel, product: ProductPolicy) -> tuple[Refusal, ...]:
    if channel in product.channels.value:
        return ()
    return (Refusal(OrderRefusal.CHANNEL_NOT_ALLOWED, product.channels.citation),)
