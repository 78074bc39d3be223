"""Bring a number in from another operator: the donor agrees, then the line is registered as any other.

The donor's agreement is kept on the order of the session (entry `port_in`), for this number and until it runs
out; without it the registration is refused.
"""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import EntryKind, Policy
from shiming.registrations.model.orders import DonorConfirmation, LineOrder
from shiming.registrations.model.registration import SessionNotUsable
from shiming.registrations.use_cases.holding import find_order_of_session, keep_donor_confirmation
from shiming.registrations.use_cases.lines import find_line
from shiming.registrations.use_cases.numbers import number_facts
from shiming.transfers.errors.lines import TransferLineRefusal
from shiming.transfers.errors.porting import PortRefusal
from shiming.transfers.events.transfers import PORT_IN_COMPLETED, PORT_IN_CONFIRMED
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.porting import (
    ConfirmPortIn,
    DonorAnswer,
    PortIn,
    PortInFacts,
    PortQuestion,
    PortState,
)
from shiming.transfers.permissions.transfers import MayReadTransfer, MayTransfer
from shiming.transfers.rules.porting import decide_port_in
from shiming.transfers.store import ports as store
from shiming.transfers.use_cases.deciding import note, prove
from shiming.transfers.use_cases.port_out import PORT_OUT_REFERENCE, port_unknown
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

_REFERENCE = "PRN"
#: How long the donor's agreement is used where neither the donor nor the pack says it.
CONFIRMED_FOR = timedelta(hours=24)


@inside("the donor is asked before the transaction, so that nobody waits for it there")
def ask_donor(tools: TransferTools, command: ConfirmPortIn, *, recipient: str) -> DonorAnswer:
    """Ask the operator that gives the number up."""
    question = PortQuestion(command.donor, recipient, command.number, command.authorisation)
    return tools.donor.confirm(question)


@asks(MayTransfer)
def confirm_port_in(
    tools: TransferTools,
    connection: Connection,
    command: ConfirmPortIn,
    *,
    operator: str,
    answer: DonorAnswer,
    policy: Policy,
    now: datetime,
) -> PortIn | TransferRefused:
    """Keep the donor's agreement on the order of the session, or say every reason why not. Twice is once."""
    former = store.find_port_in_of_session(connection, command.session_id)
    if former is not None and former.operator == operator:
        return former
    order = find_order_of_session(connection, command.session_id)
    facts = _facts(tools, connection, command.number, operator, answer)
    reasons = list(_against(tools, connection, order, command, operator=operator, policy=policy, now=now))
    decision = decide_port_in(facts, policy, now=now)
    reasons += decision.refusals if isinstance(decision, TransferRefused) else ()
    if reasons:
        return TransferRefused(tuple(dict.fromkeys(reasons)))
    minutes = policy.transfers.port_authorisation_minutes
    lasts = CONFIRMED_FOR if minutes is None else timedelta(minutes=minutes.value)
    port = PortIn(
        port_id=tools.registrations.privacy.new_reference(_REFERENCE),
        session_id=command.session_id,
        operator=operator,
        donor=command.donor,
        donor_reference=answer.reference,
        state=PortState.AUTHORISED,
        authorised_at=now,
        expires_at=min(answer.expires_at or now + lasts, now + lasts),
    )
    if not store.add_port_in(connection, port):
        citation = policy.entries[EntryKind.PORT_IN].allowed.citation
        return TransferRefused((Refusal(PortRefusal.PORT_ALREADY_OPEN, citation),))
    agreed = DonorConfirmation(port.port_id, command.number, port.expires_at)
    keep_donor_confirmation(connection, command.session_id, agreed)
    _tell(tools, connection, PORT_IN_CONFIRMED, port, now)
    return port


@inside("a job follows each registration")
def complete_port_in(tools: TransferTools, connection: Connection, line_id: str, *, now: datetime) -> None:
    """Note which line a port in became; nothing for lines that did not come by a port. Twice is once."""
    line = find_line(connection, line_id)
    if line is None:
        return
    port = store.find_port_in_of_session(connection, line.session_id, for_update=True)
    if port is None or port.state is not PortState.AUTHORISED:
        return
    ended = {"state": PortState.COMPLETED, "line_id": line_id, "ended_at": now}
    store.change_port_in(connection, port.port_id, **ended)
    _tell(tools, connection, PORT_IN_COMPLETED, port, now, line_id=line_id)


@asks(MayReadTransfer)
def get_port_in(connection: Connection, port_id: str) -> PortIn:
    """Return a port in; BadInput when there is none."""
    port = store.find_port_in(connection, port_id)
    if port is None:
        raise port_unknown()
    return port


def _against(
    tools: TransferTools,
    connection: Connection,
    order: LineOrder | None,
    command: ConfirmPortIn,
    *,
    operator: str,
    policy: Policy,
    now: datetime,
) -> tuple[Refusal, ...]:
    """Say what speaks against the session and its order."""
    proof = prove(tools, connection, command.session_id, operator=operator, policy=policy, now=now)
    reasons = proof.refusals if isinstance(proof, SessionNotUsable) else ()
    fits = order is not None and order.operator == operator and order.entry is EntryKind.PORT_IN
    if not fits or (order and order.identifier not in {None, command.number}):
        citation = policy.entries[EntryKind.PORT_IN].requirements.citation
        return (*reasons, Refusal(TransferLineRefusal.TRANSFER_ORDER_MISSING, citation))
    return reasons


def _facts(
    tools: TransferTools, connection: Connection, number: Msisdn, operator: str, answer: DonorAnswer
) -> PortInFacts:
    known = number_facts(connection, number)
    held_for = known.hold.held_for if known.hold else None
    away = held_for is not None and held_for.startswith(f"{PORT_OUT_REFERENCE}-")  # it may come back
    return PortInFacts(
        number=number,
        regions=tools.number_regions,
        in_own_pool=known.operator == operator and not away,
        in_use=known.line_id is not None,
        answer=answer,
    )


def _tell(
    tools: TransferTools,
    connection: Connection,
    kind: str,
    port: PortIn,
    now: datetime,
    *,
    line_id: str | None = None,
) -> None:
    note(
        tools,
        connection,
        kind,
        {
            "port": port.port_id,
            "session": port.session_id,
            "donor": port.donor,
            "donor_reference": port.donor_reference,
            "line": line_id,
        },
        subject=port.port_id,
        operator=port.operator,
        now=now,
    )
