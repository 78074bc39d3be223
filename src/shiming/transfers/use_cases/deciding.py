"""What all verbs of transfers do: find the line, look at the account, record a refusal, look again."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import EntryKind, Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.model.holding import HeldLine, HoldingChanged, Witness
from shiming.registrations.model.registration import SessionNotUsable, SessionUsable
from shiming.registrations.use_cases.holding import check_proof, find_held
from shiming.transfers.events.transfers import TRANSFER_REFUSED
from shiming.transfers.model.account_standing import AccountStanding, Arrears, LockIn, StandingSource
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.ports.arrears import StandingQuestion
from shiming.transfers.rules.porting import is_open
from shiming.transfers.store.ports import find_open_of_line
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import inside

#: Each time a fact had changed before it was acted on; the second look nearly always finds a refusal.
LOOKS_MAX = 8
_T = TypeVar("_T")


@inside("shared by the verbs of transfers")
def get_held(connection: Connection, line_id: str) -> HeldLine:
    """Return a line as its holder has it; BadInput when there is none."""
    held = find_held(connection, line_id)
    if held is None:
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return held


@inside("billing is asked before the transaction, so that nobody waits for it there")
def ask_standing(
    tools: TransferTools, engine: Engine, line_id: str, *, attestation: str | None
) -> AccountStanding:
    """Ask billing; where it cannot say, an attestation of staff stands in - never against what it says."""
    with reading(engine) as connection:
        line = get_held(connection, line_id).line
    said = tools.billing.ask(StandingQuestion(line.operator, line_id, line.number))
    if attestation is None:
        return said
    arrears = Arrears.SETTLED if said.arrears is Arrears.UNKNOWN else said.arrears
    lock_in = LockIn.NONE if said.lock_in is LockIn.UNKNOWN else said.lock_in
    if (arrears, lock_in) == (said.arrears, said.lock_in):
        return said
    return AccountStanding(arrears, lock_in, StandingSource.ATTESTATION, attestation)


@inside("shared by the verbs of transfers")
def prove(
    tools: TransferTools,
    connection: Connection,
    session_id: str,
    *,
    operator: str,
    policy: Policy,
    now: datetime,
) -> SessionUsable | SessionNotUsable:
    """Say whether a session proves a person, freshly, here, and has served nothing yet."""
    rules = tools.registration(policy)
    return check_proof(tools.registrations, connection, session_id, operator=operator, policy=rules, now=now)


@inside("shared by the verbs of transfers")
def witness_of(session_id: str, proof: SessionUsable | SessionNotUsable) -> Witness | None:
    """Return the proof as acts carry it; None when it proves nobody."""
    return Witness(session_id, proof) if isinstance(proof, SessionUsable) else None


@inside("shared by the verbs of transfers")
def acts_for_holder(
    tools: TransferTools,
    connection: Connection,
    held: HeldLine,
    proof: SessionUsable | SessionNotUsable,
    now: datetime,
) -> bool:
    """Say whether the person proven handles the organisation that holds the line."""
    return isinstance(proof, SessionUsable) and tools.is_handler(
        connection, held.line.subject, proof.subject, now
    )


@inside("shared by the verbs of transfers")
def is_port_pending(connection: Connection, line_id: str, now: datetime) -> bool:
    """Say whether somebody holds a code to take this number away."""
    port = find_open_of_line(connection, line_id)
    return port is not None and is_open(port, now)


@inside("shared by the verbs of transfers")
def until_settled(
    connection: Connection, look: Callable[[], _T | TransferRefused | HoldingChanged]
) -> _T | TransferRefused:
    """Look, decide and write in a savepoint; again while something changes in between."""
    for _ in range(LOOKS_MAX):
        nested = connection.begin_nested()
        try:
            outcome = look()
        except BaseException:
            nested.rollback()
            raise
        if isinstance(outcome, HoldingChanged | TransferRefused):
            nested.rollback()  # a refusal writes nothing, however late it comes
        else:
            nested.commit()
        if not isinstance(outcome, HoldingChanged):
            return outcome
    raise Unavailable(
        "LINE_IN_USE",
        Text(zh="相关记录正被其他办理使用。", en="Others keep changing the same records."),
        Text(zh="请稍后重试；尚未写入任何内容。", en="Try again in a moment; nothing was written."),
    )


@inside("the edge records what its transaction gave up")
def record_refusal(
    tools: TransferTools,
    connection: Connection,
    entry: EntryKind | str,
    refused: TransferRefused,
    *,
    line_id: str,
    operator: str,
    now: datetime,
) -> None:
    """Record that something was refused, by its codes."""
    codes = ",".join(dict.fromkeys(refusal.code.value for refusal in refused.refusals))
    facts: dict[str, Fact] = {"line": line_id, "entry": str(entry), "codes": codes[:_CODES_CHARACTERS_MAX]}
    note(tools, connection, TRANSFER_REFUSED, facts, subject=line_id, operator=operator, now=now)


@inside("shared by the verbs of transfers")
def note(
    tools: TransferTools,
    connection: Connection,
    kind: str,
    facts: dict[str, Fact],
    *,
    subject: str,
    operator: str,
    now: datetime,
) -> None:
    """Write a leaf and an event with the same facts."""
    record(connection, tools.registrations.privacy.keys, kind=kind, facts=facts, now=now, operator=operator)
    emit(connection, Event(kind, subject, operator, now, facts))


_CODES_CHARACTERS_MAX = 200  # of a fact in the ledger
