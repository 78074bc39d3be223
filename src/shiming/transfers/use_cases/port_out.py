"""Let a number go to another operator: authorise with a code, complete with the code, or call it off."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import Policy
from shiming.registrations.use_cases.handing_over import end_ported_line, use_up_proof
from shiming.registrations.use_cases.one_time_codes import draw_code, hash_code, is_code
from shiming.transfers.errors.porting import PortRefusal
from shiming.transfers.events.transfers import (
    PORT_OUT_AUTHORISED,
    PORT_OUT_CANCELLED,
    PORT_OUT_COMPLETED,
    PORT_OUT_EXPIRED,
)
from shiming.transfers.model.account_standing import AccountStanding
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.porting import Authorised, PortOut, PortOutFacts, PortState, PortStep
from shiming.transfers.permissions.transfers import MayReadTransfer, MayTransfer
from shiming.transfers.rules.porting import decide_port_completion, decide_port_out, decide_port_step
from shiming.transfers.store import ports as store
from shiming.transfers.store.cases import is_barred
from shiming.transfers.use_cases.deciding import get_held, is_port_pending, note, prove, witness_of
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

EXPIRED_AT_ONCE = 200  # of one transaction of the job
PORT_OUT_REFERENCE = "PRT"


@asks(MayTransfer)
def authorise_port_out(
    tools: TransferTools,
    connection: Connection,
    line_id: str,
    session_id: str,
    *,
    standing: AccountStanding,
    policy: Policy,
    now: datetime,
) -> Authorised | TransferRefused:
    """Give the holder a code to take the number away, or say every reason why not.

    The code is in the answer and nowhere else. A former authorisation that has run out is put aside.
    """
    former = store.find_open_of_line(connection, line_id)
    if former is not None and now >= former.expires_at:
        _end(tools, connection, former, PortStep.EXPIRE, now)
    held = get_held(connection, line_id)
    proof = prove(tools, connection, session_id, operator=held.line.operator, policy=policy, now=now)
    witness = witness_of(session_id, proof)
    facts = PortOutFacts(
        held=held,
        holder=proof,
        standing=standing,
        barred=is_barred(connection, held.line.subject),
        open_port=is_port_pending(connection, line_id, now),
    )
    decision = decide_port_out(facts, policy, now=now)
    minutes = policy.transfers.port_authorisation_minutes
    if isinstance(decision, TransferRefused):
        return decision
    if witness is None or minutes is None:  # pragma: no cover - the rules refuse without either
        raise LookupError
    open_already = TransferRefused(
        (Refusal(PortRefusal.PORT_ALREADY_OPEN, policy.transfers.port_tenure_days.citation),)
    )
    if not use_up_proof(connection, session_id, by=line_id):
        return open_already
    random_bytes = tools.registrations.privacy.random_bytes
    code = draw_code(random_bytes)
    port = PortOut(
        port_id=tools.registrations.privacy.new_reference(PORT_OUT_REFERENCE),
        line_id=line_id,
        operator=held.line.operator,
        subject=held.line.subject,
        session_id=session_id,
        state=PortState.AUTHORISED,
        authorised_at=now,
        expires_at=now + timedelta(minutes=minutes.value),
        code_hash=hash_code(code, random_bytes),
    )
    if not store.add_port_out(connection, port):
        return open_already
    _tell(tools, connection, PORT_OUT_AUTHORISED, port, now)
    return Authorised(port, code)


@asks(MayTransfer)
def complete_port_out(
    tools: TransferTools,
    connection: Connection,
    port_id: str,
    code: str,
    *,
    recipient: str,
    policy: Policy,
    now: datetime,
) -> PortOut | TransferRefused:
    """Let the number go: the line ends as ported out. A wrong code counts, also when it is refused.

    The caller commits a refusal too, so that guesses are counted.
    """
    port = get_port_out(connection, port_id, for_update=True)
    if port.state is PortState.COMPLETED and port.recipient == recipient and is_code(code, port.code_hash):
        return port
    held = get_held(connection, port.line_id)
    right = is_code(code, port.code_hash)
    decision = decide_port_completion(port, held, policy, code_right=right, now=now)
    if isinstance(decision, TransferRefused):
        if not right and port.state is PortState.AUTHORISED:
            store.change_port_out(connection, port_id, attempts=port.attempts + 1)
        return decision
    end_ported_line(
        tools.registrations,
        connection,
        held.line,
        port_id=port_id,
        policy=tools.registration(policy),
        now=now,
    )
    store.change_port_out(connection, port_id, state=PortState.COMPLETED, recipient=recipient, ended_at=now)
    done = replace(port, state=PortState.COMPLETED, recipient=recipient, ended_at=now)
    _tell(tools, connection, PORT_OUT_COMPLETED, done, now)
    return done


@asks(MayTransfer)
def cancel_port_out(
    tools: TransferTools, connection: Connection, port_id: str, *, policy: Policy, now: datetime
) -> PortOut | TransferRefused:
    """Call a port off; its code is void. Twice is once."""
    port = get_port_out(connection, port_id, for_update=True)
    if port.state is PortState.CANCELLED:
        return port
    if decide_port_step(port.state, PortStep.CANCEL) is None:
        citation = policy.transfers.port_tenure_days.citation
        return TransferRefused((Refusal(PortRefusal.PORT_STATE, citation),))
    return _end(tools, connection, port, PortStep.CANCEL, now)


@inside("a schedule of the worker runs it")
def expire_ports(tools: TransferTools, engine: Engine, *, now: datetime) -> int:
    """Mark authorisations whose time is over; return how many."""
    many = 0
    while done := transact(engine, _expire_some(tools, now)):
        many += done
    return many


@asks(MayReadTransfer)
def get_port_out(connection: Connection, port_id: str, *, for_update: bool = False) -> PortOut:
    """Return a port out; BadInput when there is none."""
    port = store.find_port_out(connection, port_id, for_update=for_update)
    if port is None:
        raise port_unknown()
    return port


@inside("shared by ports in and out")
def port_unknown() -> BadInput:
    """Return the error for a port that is not there."""
    return BadInput(
        "PORT_UNKNOWN",
        Text(zh="没有这个携转申请。", en="There is no such port."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _expire_some(tools: TransferTools, now: datetime) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        found = store.list_expired(connection, now, EXPIRED_AT_ONCE)
        for port in found:
            _end(tools, connection, port, PortStep.EXPIRE, now)
        return len(found)

    return work


def _end(
    tools: TransferTools, connection: Connection, port: PortOut, step: PortStep, now: datetime
) -> PortOut:
    state = decide_port_step(port.state, step) or port.state
    store.change_port_out(connection, port.port_id, state=state, ended_at=now)
    done = replace(port, state=state, ended_at=now)
    kind = PORT_OUT_CANCELLED if step is PortStep.CANCEL else PORT_OUT_EXPIRED
    _tell(tools, connection, kind, done, now)
    return done


def _tell(tools: TransferTools, connection: Connection, kind: str, port: PortOut, now: datetime) -> None:
    expires = port.expires_at.astimezone(UTC).isoformat()
    note(
        tools,
        connection,
        kind,
        {"port": port.port_id, "line": port.line_id, "expires_at": expires, "recipient": port.recipient},
        subject=port.port_id,
        operator=port.operator,
        now=now,
    )
