"""Keep an operator's pool: add ranges, keep a number for a customer, let it go, say where one stands."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.encryption import subject_pseudonym
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.events.numbers import NUMBER_RELEASED, NUMBER_RESERVED, NUMBERS_FREED
from shiming.registrations.model.numbers import (
    NumberBlock,
    NumberFacts,
    NumberHold,
    NumberNotGiven,
    NumberReserved,
    NumberState,
    read_holder,
    read_operator,
)
from shiming.registrations.permissions.numbers import MayManageNumbers, MayReadNumbers, MayReserveNumber
from shiming.registrations.rules.number_pool import decide_reservation, is_kept_for, reserved_until
from shiming.registrations.store import numbers as store
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import ReasonCode, Refusal

_KEYED_AS = "msisdn"  # the kind under which numbers get their keyed names
WHOLE_INSTALLATION = ""  # the operator of a job that tidies up for all


@asks(MayReserveNumber)
def reserve_number(
    tools: RegistrationTools,
    connection: Connection,
    number: Msisdn,
    *,
    operator: str,
    held_for: str,
    now: datetime,
    policy: Policy,
) -> NumberReserved | NumberNotGiven:
    """Keep a number for a session or an organisation; of two who ask at once, one gets it.

    Again for the same one changes nothing, not even how long it is kept. Raises BadInput for references
    that are none.
    """
    operator, held_for = read_operator(operator), read_holder(held_for)
    text = number.reveal("reserve")
    facts = store.number_facts(connection, text)
    held = store.count_held(connection, held_for, now)
    refusals = decide_reservation(
        facts, operator=operator, held_for=held_for, held=held, now=now, policy=policy
    )
    if refusals:
        return NumberNotGiven(refusals)
    if facts.hold is not None and is_kept_for(facts, held_for, now):
        return NumberReserved(number, operator, held_for, facts.hold.until, repeated=True)
    until = reserved_until(held_for, now, policy)
    kept = NumberHold(NumberState.RESERVED, operator, held_for, until)
    if not store.hold(connection, text, kept, now=now):  # somebody was faster
        used = store.number_facts(connection, text).line_id is not None
        return _lost(RefusalCode.NUMBER_TAKEN if used else OrderRefusal.NUMBER_RESERVED, policy)
    _tell(tools, connection, NUMBER_RESERVED, number, operator=operator, held_for=held_for, now=now)
    return NumberReserved(number, operator, held_for, until)


@asks(MayReserveNumber)
def release_number(
    tools: RegistrationTools,
    connection: Connection,
    number: Msisdn,
    *,
    operator: str,
    held_for: str,
    now: datetime,
) -> bool:
    """Keep a number no longer; False when it was not kept for this one."""
    text = number.reveal("release")
    if not store.release(connection, text, operator=operator, held_for=held_for):
        return False
    _tell(tools, connection, NUMBER_RELEASED, number, operator=operator, held_for=held_for, now=now)
    return True


@inside("whatever gives up what a session kept")
def release_numbers_of(
    tools: RegistrationTools, connection: Connection, *, operator: str, held_for: str, now: datetime
) -> None:
    """Keep no number any longer for a session."""
    for number in store.release_all(connection, operator=operator, held_for=held_for):
        _tell(
            tools,
            connection,
            NUMBER_RELEASED,
            Msisdn(number),
            operator=operator,
            held_for=held_for,
            now=now,
        )


@asks(MayReadNumbers)
def number_facts(connection: Connection, number: Msisdn) -> NumberFacts:
    """Return what is known of a number; `rules.number_pool` says what it means."""
    return store.number_facts(connection, number.reveal("lookup"))


@asks(MayManageNumbers)
def list_blocks(
    connection: Connection, operator: str | None, *, after: str | None = None, limit: int
) -> tuple[NumberBlock, ...]:
    """Return ranges and exclusions in the order of their references; None: of all operators."""
    return store.list_blocks(connection, operator, after=after, limit=limit)


@inside("a scheduled job removes what has run out")
def free_expired(tools: RegistrationTools, connection: Connection, *, now: datetime) -> int:
    """Remove a batch of reservations and rests that are over; return how many, 0 when none is left."""
    freed = store.free_expired(connection, now)
    if freed:
        emit(connection, Event(NUMBERS_FREED, "", WHOLE_INSTALLATION, now, {"count": freed}))
        facts: dict[str, Fact] = {"count": freed}
        record(connection, tools.privacy.keys, kind=NUMBERS_FREED, facts=facts, now=now)
    return freed


def _tell(
    tools: RegistrationTools,
    connection: Connection,
    kind: str,
    number: Msisdn,
    *,
    operator: str,
    held_for: str,
    now: datetime,
) -> None:
    """Write leaf and event; the number has its keyed name, which only this installation can find again."""
    keyed = subject_pseudonym(tools.privacy.keys, _KEYED_AS, number.reveal("keyed name"))
    told: dict[str, str | int | bool | None] = {"number": keyed, "held_for": held_for}
    emit(connection, Event(kind, held_for, operator, now, told))
    facts: dict[str, Fact] = {**told, "operator": operator}
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=operator)


def _lost(code: ReasonCode, policy: Policy) -> NumberNotGiven:
    return NumberNotGiven((Refusal(code, policy.numbering.reservation_minutes.citation),))
