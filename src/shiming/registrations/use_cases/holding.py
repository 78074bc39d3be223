"""What may be done to a holding after the registration: narrow verbs for the feature that decides about it.

Each writes in the caller's savepoint, and answers `HoldingChanged` when something is not as it
was when the decision was made; the caller then goes back and looks again. No act is ever changed or removed.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Channel, EntryKind, Policy, ProductClass
from shiming.privacy.model import LeafRef, RetentionEvents
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import attach_line, start_retention_clocks
from shiming.registrations.model.holding import Act, ActKind, CapSlot, HeldLine, HoldingChanged
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import (
    RegistrationPolicy,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.receipts import sign_receipt
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.store import holding as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import add_order, find_order
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.store.stops import stops_of
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside

RECEIPT_KIND, RECEIPT_VERSION = "holding_receipt", 1
_FEATURE = "transfers decides and asks the permission"
_HANDED = frozenset({ActKind.REGISTERED.value, ActKind.CHANGE_OF_HOLDER.value})


@dataclass(frozen=True, slots=True)
class Witness:
    """By which proof an act is done: the session, and what it came to."""

    session_id: str
    usable: SessionUsable


@dataclass(frozen=True, slots=True)
class Takings:
    """What a person has in one scope: counted lines, and when lines came to them within the last days."""

    active: int
    at: tuple[datetime, ...]


@inside(_FEATURE)
def find_held(connection: Connection, line_id: str) -> HeldLine | None:
    """Return a line as its holder has it; None when there is no such line."""
    line = find_line(connection, line_id)
    if line is None:
        return None
    acts = store.acts_of(connection, line)
    since = max((act.at for act in acts if act.kind in _HANDED), default=line.registered_at)
    stops = frozenset(stop.reason for stop in stops_of(connection, line) if stop.is_open)
    place = store.place_of(connection, line) if line.kind.has_place else None
    return HeldLine(line, since, len(acts), stops, place)


@inside(_FEATURE)
def check_proof(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    *,
    operator: str,
    policy: Policy,
    now: datetime,
) -> SessionUsable | SessionNotUsable:
    """Say whether a session proves a person, freshly, for this operator, and has served nothing yet."""
    return decide_session_usable(
        find_proven_session(connection, session_id),
        operator=operator,
        policy=RegistrationPolicy.of(policy, number_regions=()),
        sandbox=tools.sandbox,
        now=now,
    )


@inside(_FEATURE)
def is_identity_recorded(connection: Connection, witness: Witness) -> bool:
    """Say whether what the law wants recorded of the person is in the vault."""
    return store.is_identity_recorded(connection, witness.session_id, witness.usable.subject)


@inside(_FEATURE)
def slot_of(line: Line, policy: Policy) -> CapSlot | None:
    """Return where a person's lines of this class are counted; None: they are not."""
    cap = RegistrationPolicy.of(policy, number_regions=()).cap_of(ProductClass(line.product_class))
    return None if cap is None else CapSlot(cap.name, cap.scope_of(line.operator), cap.policy)


@inside(_FEATURE)
def read_takings(
    connection: Connection, subject: str, slot: CapSlot | None, *, now: datetime, days: int
) -> Takings:
    """Return what a person has where this slot counts."""
    if slot is None:
        return Takings(0, ())
    since = now - timedelta(days=days)
    at = store.takings_since(connection, subject, slot.scope, since)
    return Takings(store.count_held(connection, subject, slot), at)


@inside(_FEATURE)
def open_order_for_line(
    connection: Connection, line: Line, session_id: str, entry: EntryKind, *, channel: Channel, now: datetime
) -> LineOrder:
    """Open the order of a session for a line that exists; the one that is open already is returned."""
    order = LineOrder(
        session_id=session_id,
        operator=line.operator,
        entry=entry,
        kind=line.kind,
        product_class=ProductClass(line.product_class),
        channel=channel,
        created_at=now,
        identifier=line.number,
    )
    add_order(connection, order)
    return find_order(connection, session_id) or order


@inside(_FEATURE)
def find_order_for_line(
    connection: Connection, line: Line, session_id: str, entry: EntryKind
) -> LineOrder | None:
    """Return the order of a session if it is of this entry and about this line."""
    order = find_order(connection, session_id)
    wanted = (entry, line.operator, line.number)
    return order if order and (order.entry, order.operator, order.identifier) == wanted else None


@inside(_FEATURE)
def change_holder(
    tools: RegistrationTools,
    connection: Connection,
    held: HeldLine,
    *,
    giver: Witness,
    receiver: Witness,
    policy: Policy,
    rules: tuple[tuple[str, str], ...],
    now: datetime,
) -> dict[str, Any] | HoldingChanged:
    """Make the receiver the holder; return the signed receipt. Both sessions are used up, each once.

    The old holder's evidence begins its own time of retention now; the receiver's is kept for the line.
    """
    line = held.line
    for session_id in sorted((giver.session_id, receiver.session_id)):
        if not store.use_up_session(connection, session_id, by=line.line_id):
            return HoldingChanged("SESSION_CONSUMED")
    slot, subject = slot_of(line, policy), receiver.usable.subject
    counters = [(line.subject, line.cap_scope, line.cap_name)] if line.cap_name else []
    if slot is not None:
        counters.append((subject, slot.scope, slot.cap_class))
    store.lock_counters(connection, *counters)
    if slot is not None and not store.take_slot(connection, subject, slot):
        return HoldingChanged("CAP_REACHED")
    if line.cap_name is not None:
        store.give_slot_back(connection, line.subject, line.cap_scope, line.cap_name)
    handed = store.hand_over(connection, line, subject=subject, session_id=receiver.session_id, slot=slot)
    if not handed:
        return HoldingChanged("LINE_CHANGED")
    _end_clocks_of_holder(connection, line, policy, also=giver.session_id, now=now)
    attach_line(connection, case_reference=receiver.session_id, line_id=line.line_id)
    after = replace(
        line,
        subject=subject,
        session_id=receiver.session_id,
        cap_scope=slot.scope if slot else "",
        cap_name=slot.cap_class if slot else None,
    )
    kind = ActKind.CHANGE_OF_HOLDER
    return _act(tools, connection, after, kind, receiver, policy=policy, rules=rules, now=now)


@inside(_FEATURE)
def record_act(
    tools: RegistrationTools,
    connection: Connection,
    held: HeldLine,
    kind: ActKind,
    *,
    witness: Witness,
    policy: Policy,
    rules: tuple[tuple[str, str], ...],
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
def find_act_receipt(
    tools: RegistrationTools, connection: Connection, line: Line, act: int
) -> dict[str, Any] | None:
    """Return the signed receipt of one act of a line."""
    content = store.find_act_receipt(connection, line, act)
    return None if content is None else sign_receipt(content, tools.signer)


@inside(_FEATURE)
def list_acts(connection: Connection, line: Line) -> tuple[Act, ...]:
    """Return the history of a line, oldest first."""
    return store.acts_of(connection, line)


@inside(_FEATURE)
def list_lines_in_use(connection: Connection, operator: str, *, after: str, limit: int) -> tuple[Line, ...]:
    """Return lines of an operator that have not ended, in the order of their references."""
    return store.list_held(connection, operator, after=after, limit=limit)


@inside("whoever ends a line, or its holding, starts the clocks of every proof that was given for it")
def start_clocks_of_line(connection: Connection, line: Line, policy: Policy, *, now: datetime) -> None:
    """Start the retention clocks of all acts of a line, not only of the one that its holder came by."""
    _end_clocks_of_holder(connection, line, policy, also=line.session_id, now=now)


def _end_clocks_of_holder(
    connection: Connection, line: Line, policy: Policy, *, also: str, now: datetime
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
    policy: Policy,
    rules: tuple[tuple[str, str], ...],
    now: datetime,
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
        "pack": policy.content_hash,
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
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    store.add_act(connection, line, act, pack_hash=policy.content_hash, receipt=text)
    return sign_receipt(content, tools.signer)


def _receipt(
    line: Line,
    act: Act,
    witness: Witness,
    *,
    evidence: tuple[str, ...],
    rules: tuple[tuple[str, str], ...],
    policy: Policy,
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
        "pack": {"id": policy.pack_id, "version": policy.pack_version, "hash": policy.content_hash},
        "evidence": list(evidence),
        "ledger": {"leaf": leaf.leaf_id, "hash": leaf.hash},
    }
