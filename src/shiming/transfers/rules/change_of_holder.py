"""Decide a lawful change of holder."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shiming.jurisdictions.model import (
    EntryKind,
    HolderKind,
    Policy,
    ProductClass,
    ProductPolicy,
    TransferPolicy,
)
from shiming.registrations.model.registration import SessionNotUsable, SessionUsable
from shiming.transfers.errors.change_of_holder import HolderChangeRefusal as Code
from shiming.transfers.errors.lines import TransferLineRefusal
from shiming.transfers.model.change_of_holder import HolderChangeFacts
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.rules.lines import arrears_reasons, holder_reasons, line_reasons, order_reasons
from shiming.vocabulary.refusals import Refusal

#: What references of organisations begin with; a person's pseudonym never does.
ORGANISATION = "ORG-"
_A_DAY = timedelta(days=1)


def decide_change_of_holder(
    facts: HolderChangeFacts, policy: Policy, *, now: datetime
) -> TransferAllowed | TransferRefused:
    """Say whether the line may go from the one to the other, or every reason why not."""
    entry = policy.entries[EntryKind.CHANGE_OF_HOLDER]
    product = policy.products[ProductClass(facts.held.line.product_class)]
    reasons = (
        #  (1) the line is in service, a person's, under no stop that a transfer must not cover, not leaving
        *line_reasons(facts.held, entry, policy.transfers),
        *_of_the_line(facts, entry.allowed.citation),
        #  (2) both are proven, now and here, and are two people; the first is the holder
        *holder_reasons(facts.giver, facts.held, entry.allowed.citation),
        *_of_the_receiver(facts, product, entry.allowed.citation),
        #  (3) nobody of the two is barred, and everything is paid
        *_barred(facts, policy.transfers),
        *arrears_reasons(facts.standing, policy.transfers),
        #  (4) the time since the last change is over
        *_cooling(facts, policy.transfers, now),
        #  (5) the receiver may hold one more, now
        *facts.capacity,
        #  (6) what the entry demands of the receiver is there, and the form
        *order_reasons(facts.order, facts.entry, entry),
        *_form(facts, policy.transfers),
    )
    return TransferRefused(tuple(dict.fromkeys(reasons))) if reasons else TransferAllowed()


def _of_the_line(facts: HolderChangeFacts, citation: str) -> Iterable[Refusal]:
    if facts.held.line.subject.startswith(ORGANISATION):
        yield Refusal(Code.HOLDER_IS_ORGANISATION, citation)
    if facts.port_pending:
        yield Refusal(TransferLineRefusal.TRANSFER_PORT_PENDING, citation)


def _of_the_receiver(facts: HolderChangeFacts, product: ProductPolicy, citation: str) -> Iterable[Refusal]:
    receiver, giver = facts.receiver, facts.giver
    if isinstance(receiver, SessionNotUsable):
        yield from receiver.refusals
    elif receiver.subject == facts.held.line.subject or (
        isinstance(giver, SessionUsable) and giver.subject == receiver.subject
    ):
        yield Refusal(Code.HOLDERS_SAME, citation)
    if HolderKind.PERSON not in product.holders.value:
        yield Refusal(Code.RECEIVER_NOT_ELIGIBLE, product.holders.citation)


def _barred(facts: HolderChangeFacts, policy: TransferPolicy) -> Iterable[Refusal]:
    if facts.barred:
        yield Refusal(TransferLineRefusal.TRANSFERS_BARRED, policy.private_transfer_allowed.citation)


def _cooling(facts: HolderChangeFacts, policy: TransferPolicy, now: datetime) -> Iterable[Refusal]:
    if now - facts.held.held_since < _A_DAY * policy.cooling_days.value:
        yield Refusal(Code.HOLDER_CHANGE_TOO_SOON, policy.cooling_days.citation)


def _form(facts: HolderChangeFacts, policy: TransferPolicy) -> Iterable[Refusal]:
    if policy.form_required.value and facts.form_evidence is None:
        yield Refusal(Code.HOLDER_CHANGE_FORM_MISSING, policy.form_required.citation)
