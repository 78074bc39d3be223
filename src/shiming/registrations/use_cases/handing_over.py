"""Change a holding: narrow verbs for the feature that decides about it.

Each writes in the caller's savepoint, and answers `HoldingChanged` when something is not as it was when the
decision was made; the caller then goes back and looks again. No act is ever changed or removed.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.privacy.model import LeafRef, RetentionEvents
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import attach_line, start_retention_clocks
from shiming.registrations.model.holding import Act, ActKind, Capacity, HeldLine, HoldingChanged, Witness
from shiming.registrations.model.lines import Line
from shiming.registrations.model.numbers import NumberHold, NumberState
from shiming.registrations.model.registration import (
    RegistrationPolicy,
)
from shiming.registrations.receipts import sign_receipt
from shiming.registrations.rules.velocity import day_of
from shiming.registrations.store import holding as store
from shiming.registrations.store.cap_counters import (
    CounterKey,
    free_place,
    key_of,
    lock_counter,
    take_places,
)
from shiming.registrations.use_cases.lines import end_line
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside

PORTED_OUT = "ported_out"
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)  # until the number is registered here again, or comes to rest
RECEIPT_KIND, RECEIPT_VERSION = "holding_receipt", 1
_FEATURE = "transfers decides and asks the permission"
Rules = tuple[tuple[str, str], ...]  # name of a rule, and its citation


@inside(_FEATURE)
def change_holder(
    tools: RegistrationTools,
    connection: Connection,
    held: HeldLine,
    *,
    giver: Witness,
    receiver: Witness,
    capacity: Capacity,
    policy: RegistrationPolicy,
    rules: Rules,
    now: datetime,
) -> dict[str, Any] | HoldingChanged:
    """Make the receiver the holder; return the signed receipt. Both sessions are used up, each once.

    The old holder's evidence begins its own time of retention now; the receiver's is kept for the line.
    """
    line, subject = held.line, receiver.usable.subject
    for session_id in sorted((giver.session_id, receiver.session_id)):
        if not store.use_up_session(connection, session_id, by=line.line_id):
            return HoldingChanged("SESSION_CONSUMED")
    counter = _counter_for(line, subject, capacity)
    if not _move_place(connection, line, counter, capacity, day=day_of(now, policy.time_zone), now=now):
        return HoldingChanged("LINE_OR_CAP_CHANGED")
    session_id = receiver.session_id
    if not store.hand_over(connection, line, subject=subject, session_id=session_id, counter=counter):
        return HoldingChanged("LINE_CHANGED")
    _start_clocks(connection, line, policy, also=giver.session_id, now=now)
    attach_line(connection, case_reference=session_id, line_id=line.line_id)
    return _act(
        tools,
        connection,
        replace(line, subject=subject, session_id=session_id),
        ActKind.CHANGE_OF_HOLDER,
        receiver,
        policy=policy,
        rules=rules,
        now=now,
        released_by=giver,
    )


@inside(_FEATURE)
def record_act(
    tools: RegistrationTools,
    connection: Connection,
    held: HeldLine,
    kind: ActKind,
    *,
    witness: Witness,
    policy: RegistrationPolicy,
    rules: Rules,
    now: datetime,
) -> dict[str, Any] | HoldingChanged:
    """Add an act that leaves the holder as they are (a new SIM, a move); return the signed receipt."""
    line = held.line
    if not store.use_up_session(connection, witness.session_id, by=line.line_id):
        return HoldingChanged("SESSION_CONSUMED")
    if not store.lock_as_seen(connection, line):
        return HoldingChanged("LINE_CHANGED")
    attach_line(connection, case_reference=witness.session_id, line_id=line.line_id)
    return _act(tools, connection, line, kind, witness, policy=policy, rules=rules, now=now)


@inside(_FEATURE)
def use_up_proof(connection: Connection, session_id: str, *, by: str) -> bool:
    """Use a session up for a line without an act; False when it is used up already."""
    return store.use_up_session(connection, session_id, by=by)


@inside(_FEATURE)
def end_ported_line(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    *,
    port_id: str,
    policy: RegistrationPolicy,
    now: datetime,
) -> None:
    """End a line whose number goes to another operator: the number does not rest here, and is not free.

    It is kept for the port without an end: it lies in a block of ours and is used elsewhere.
    """
    away = NumberHold(NumberState.RESERVED, line.operator, port_id, FOR_EVER)
    end_line(tools, connection, line.line_id, why=PORTED_OUT, policy=policy, now=now, number_after=away)
    start_clocks_of_line(connection, line, policy, now=now)


@inside("whoever ends a line, or its holding, starts the clocks of every proof that was given for it")
def start_clocks_of_line(
    connection: Connection, line: Line, policy: RegistrationPolicy, *, now: datetime
) -> None:
    """Start the retention clocks of all acts of a line, not only of the one that its holder came by."""
    _start_clocks(connection, line, policy, also=line.session_id, now=now)


def _counter_for(line: Line, subject: str, capacity: Capacity) -> CounterKey | None:
    cap = capacity.cap
    return None if cap is None else CounterKey(subject, cap.scope_of(line.operator), cap.name)


def _move_place(
    connection: Connection,
    line: Line,
    after: CounterKey | None,
    capacity: Capacity,
    *,
    day: str,
    now: datetime,
) -> bool:
    """Count the line for the receiver instead of the giver; False when something is not as decided on.

    Both counters are held in the order of their keys, so that two hand-overs never wait in a circle.
    """
    keys = {(key.subject, key.scope, key.name): key for key in (key_of(line), after) if key is not None}
    held = {name: lock_counter(connection, keys[name]) for name in sorted(keys)}
    if not store.lock_as_seen(connection, line):
        return False
    if after is not None:
        counter = held[after.subject, after.scope, after.name]
        if counter.version != capacity.counter.version or counter.active >= capacity.allowed:
            return False
        take_places(connection, after, 1, cap=capacity.allowed, now=now, day=day)
    free_place(connection, line)
    return True


def _start_clocks(
    connection: Connection, line: Line, policy: RegistrationPolicy, *, also: str, now: datetime
) -> None:
    sessions = {act.session_id for act in store.acts_of(connection, line)} | {line.session_id, also}
    for session_id in sorted(sessions):
        start_retention_clocks(
            connection,
            case_reference=session_id,
            retention=policy.retention,
            events=RetentionEvents(service_ended_at=now),
        )


def _act(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    kind: ActKind,
    witness: Witness,
    *,
    policy: RegistrationPolicy,
    rules: Rules,
    now: datetime,
    released_by: Witness | None = None,
) -> dict[str, Any]:
    """Write the leaf, the receipt and the act; the line is locked, so its number is the next one."""
    number = len(store.acts_of(connection, line)) + 1
    act = Act(line.line_id, number, kind.value, witness.session_id, now)
    facts: dict[str, Fact] = {
        "line": line.line_id,
        "act": number,
        "operator": line.operator,
        "subject": line.subject,
        "session": witness.session_id,
        "decision_receipt": witness.usable.receipt_hash,
        "rehearsal": witness.usable.rehearsal,
        "pack": policy.pack_hash,
    }
    leaf = record(
        connection,
        tools.privacy.keys,
        kind=f"line.{kind.value}",
        facts=facts,
        now=now,
        operator=line.operator,
    )
    evidence = store.evidence_of(connection, witness.session_id, line.operator)
    content = _receipt(line, act, witness, evidence=evidence, rules=rules, policy=policy, leaf=leaf)
    if released_by is not None:
        content["released_by"] = released_by.session_id
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    store.add_act(connection, line, act, pack_hash=policy.pack_hash, receipt=text)
    return sign_receipt(content, tools.signer)


def _receipt(
    line: Line,
    act: Act,
    witness: Witness,
    *,
    evidence: tuple[str, ...],
    rules: Rules,
    policy: RegistrationPolicy,
    leaf: LeafRef,
) -> dict[str, Any]:
    """Return what the receipt of an act says: no name, no pseudonym, so both sides may have it."""
    return {
        "kind": RECEIPT_KIND,
        "version": RECEIPT_VERSION,
        "act": {"kind": act.kind, "number": act.number, "at": act.at.isoformat()},
        "line": {
            "id": line.line_id,
            "number": line.number.reveal("receipt of a transfer"),
            "operator": line.operator,
            "product_class": line.product_class,
        },
        "proof": {
            "session": witness.session_id,
            "level": witness.usable.level,
            "decision_receipt_hash": witness.usable.receipt_hash,
            "rehearsal": witness.usable.rehearsal,
        },
        "rules": [{"rule": name, "citation": citation} for name, citation in rules],
        "pack": {"id": policy.pack_id, "version": policy.pack_version, "hash": policy.pack_hash},
        "evidence": list(evidence),
        "ledger": {"leaf": leaf.leaf_id, "hash": leaf.hash},
    }
