"""What every transfer asks of the line, of who is proven, and of the account; each a list of reasons."""

from collections.abc import Iterable

from shiming.jurisdictions.model import EntryPolicy, StopReason, TransferPolicy
from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import SessionNotUsable
from shiming.transfers.errors.lines import TransferLineRefusal as Code
from shiming.transfers.errors.porting import PortRefusal
from shiming.transfers.model.account_standing import AccountStanding, Arrears, LockIn
from shiming.transfers.model.change_of_holder import Proof
from shiming.vocabulary.refusals import Refusal

#: Where a pack names none: whoever is under one of these must not get rid of the line by a transfer.
BLOCKING_STOPS = frozenset({StopReason.FRAUD, StopReason.DISPUTE, StopReason.REGULATOR_ORDER})
_NOT_IN_SERVICE = frozenset({LineStatus.PENDING, LineStatus.TERMINATED})


def line_reasons(held: HeldLine, entry: EntryPolicy, policy: TransferPolicy) -> Iterable[Refusal]:
    """Say what of the line speaks against it: the entry itself, its status, its stops."""
    if not entry.allowed.value:
        yield Refusal(Code.TRANSFER_ENTRY_NOT_ALLOWED, entry.allowed.citation)
    if held.line.status in _NOT_IN_SERVICE:
        yield Refusal(Code.TRANSFER_LINE_NOT_IN_SERVICE, entry.allowed.citation)
    blocking = policy.blocking_stops
    if held.stops & (BLOCKING_STOPS if blocking is None else frozenset(blocking.value)):
        citation = entry.allowed.citation if blocking is None else blocking.citation
        yield Refusal(Code.TRANSFER_LINE_STOPPED, citation)


def holder_reasons(
    proof: Proof, held: HeldLine, citation: str, *, handler_of_holder: bool = False
) -> Iterable[Refusal]:
    """Say why the person proven is not the holder, or does not act for the organisation that is."""
    if isinstance(proof, SessionNotUsable):
        yield from proof.refusals
    elif proof.subject != held.line.subject and not handler_of_holder:
        yield Refusal(Code.TRANSFER_HOLDER_NOT_PROVEN, citation)


def arrears_reasons(standing: AccountStanding, policy: TransferPolicy) -> Iterable[Refusal]:
    """Say what is owed; what is not known counts as a reason, never as paid."""
    if not policy.arrears_settled.value or standing.arrears is Arrears.SETTLED:
        return
    code = Code.ARREARS_OWED if standing.arrears is Arrears.OWED else Code.ARREARS_UNKNOWN
    yield Refusal(code, policy.arrears_settled.citation)


def lock_in_reasons(standing: AccountStanding, policy: TransferPolicy) -> Iterable[Refusal]:
    """Say whether a contract binds the line; not known counts as bound."""
    if standing.lock_in is LockIn.NONE:
        return
    bound = standing.lock_in is LockIn.BOUND
    code = PortRefusal.PORT_LOCKED_IN if bound else PortRefusal.PORT_LOCK_IN_UNKNOWN
    yield Refusal(code, policy.port_tenure_days.citation)


def order_reasons(
    order: LineOrder | None, lacking: tuple[Refusal, ...], entry: EntryPolicy
) -> Iterable[Refusal]:
    """Say what the entry demands and the order does not have."""
    if order is None:
        yield Refusal(Code.TRANSFER_ORDER_MISSING, entry.requirements.citation)
    yield from lacking
