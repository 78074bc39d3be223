"""Decide about key voice services: who gets one, and which numbers its line may show."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from shiming.jurisdictions.model import HolderKind, Policy, ProductClass
from shiming.registrations.errors.key_services import KeyServiceRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.number_sets import AuthorisedNumber
from shiming.vocabulary.refusals import Refusal

KEY_SERVICES = frozenset(
    {
        ProductClass.PRIVATE_LINE,
        ProductClass.ONE_NUMBER,
        ProductClass.SWITCHBOARD,
        ProductClass.TOLL_FREE,
    }
)
#: A withdrawal is seen by whoever remembers an answer at the latest after this; calls ask often.
TTL_SECONDS_MAX = 300
TTL_SECONDS_MIN = 1


def decide_key_service(
    product: ProductClass, holder: HolderKind, *, handler_proven: bool, numbers_held: int, policy: Policy
) -> tuple[Refusal, ...]:
    """Say why a key voice service is not opened; `numbers_held`: of this category and organisation."""
    return tuple(_problems(product, holder, handler_proven, numbers_held, policy))


def decide_shown_number(
    product: ProductClass, *, own: bool, authorised: bool, policy: Policy
) -> tuple[Refusal, ...]:
    """Say why a number does not get into the set of a line."""
    if own or authorised:
        return ()
    return (Refusal(KeyServiceRefusal.NUMBER_NOT_OWN, policy.products[product].holders.citation),)


def ttl_seconds(entries: Iterable[AuthorisedNumber], at: datetime) -> int:
    """Return for how long an answer holds: until the next change of validity, at most five minutes."""
    changes = (
        (instant - at).total_seconds()
        for entry in entries
        for instant in (entry.valid_from, entry.valid_until)
        if instant is not None and instant > at
    )
    return max(TTL_SECONDS_MIN, int(min((TTL_SECONDS_MAX, *changes))))


def _problems(
    product: ProductClass, holder: HolderKind, handler_proven: bool, numbers_held: int, policy: Policy
) -> Iterator[Refusal]:
    rules = policy.products.get(product)
    if rules is None or product not in KEY_SERVICES:
        yield Refusal(KeyServiceRefusal.NOT_A_KEY_SERVICE, policy.verification_model.citation)
        return
    if holder not in rules.holders.value:
        yield Refusal(KeyServiceRefusal.CORPORATE_ONLY, rules.holders.citation)
        return
    if not handler_proven:
        yield Refusal(
            KeyServiceRefusal.HANDLER_DIFFERS, policy.enterprise.power_of_attorney_required.citation
        )
    cap = policy.caps[rules.cap_of_organisation.value] if rules.cap_of_organisation else None
    if cap is not None and numbers_held >= cap.lines_per_holder_max.value:
        yield Refusal(RefusalCode.CAP_REACHED, cap.lines_per_holder_max.citation)
