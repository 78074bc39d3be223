"""What one registration will write, put together before it is written. No database, no decision."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shiming.infrastructure.idempotency import Kept
from shiming.privacy.model import LeafDraft, LeafRef
from shiming.privacy.use_cases.ledger import Fact, draft_leaf
from shiming.registrations.model.lines import Line, LineKind, LineStatus
from shiming.registrations.model.registration import (
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    SessionUsable,
)
from shiming.registrations.receipts import receipt_content
from shiming.registrations.rules.entry import draws_from_pool
from shiming.registrations.rules.registration import cap_in_force, product_of
from shiming.registrations.rules.velocity import day_of
from shiming.registrations.store.writing import Draft
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside

LEAF_KIND = "line.registered"


@dataclass(frozen=True, slots=True)
class ClientKey:
    """The idempotency key of a client, and the hash of what it asked with it."""

    client: str
    key: str
    request_hash: str


#: Makes the answer to the client out of the new line and its leaf in the ledger.
Reply = Callable[[Line, LeafRef], Kept]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One registration that a client asks a server for."""

    command: RegisterLine
    policy: RegistrationPolicy
    now: datetime
    reply: Reply
    key: ClientKey | None = None


@inside("shared by the ways of registering")
def parameters_of(
    command: RegisterLine,
    policy: RegistrationPolicy,
    now: datetime,
    key: ClientKey | None = None,
    *,
    iccid: str | None = None,
) -> dict[str, Any]:
    """Return the parameters of the query for facts; `iccid`: a card that the order does not name."""
    return {
        "session_id": command.session_id,
        "operator": command.operator,
        "number": command.number.reveal("lookup"),
        **policy.counters_at(command.operator),
        "now": now,
        "today": date.fromisoformat(day_of(now, policy.time_zone)),
        "iccid": iccid,
        "client": key and key.client,
        "key": key and key.key,
    }


@inside("shared by the ways of registering")
def new_line(
    tools: RegistrationTools,
    command: RegisterLine,
    session: SessionUsable,
    facts: RegistrationFacts,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> Line:
    """Return the line that is going to be registered; the network has not confirmed it yet."""
    order = facts.order
    product, holder = product_of(order)
    cap = policy.cap_of(product, holder)
    return Line(
        line_id=tools.privacy.new_reference("REG"),
        number=command.number,
        kind=LineKind.MOBILE if order is None else order.kind,
        operator=command.operator,
        product_class=product.value,
        cap_scope="" if cap is None else cap.scope_of(command.operator),
        cap_name=None if cap is None else cap.name,
        subject=(order and order.organisation) or session.subject,
        session_id=command.session_id,
        status=LineStatus.PENDING,
        position=facts.position,
        registered_at=now,
    )


@inside("shared by the ways of registering")
def leaf_facts(line: Line, session: SessionUsable, policy: RegistrationPolicy) -> dict[str, Fact]:
    """Return what the ledger says of a registration."""
    return {
        "line": line.line_id,
        "operator": line.operator,
        "kind": line.kind.value,
        "product_class": line.product_class,
        "subject": line.subject,
        "session": line.session_id,
        "decision_receipt": session.receipt_hash,
        "rehearsal": session.rehearsal,
        "pack": policy.pack_hash,
    }


@inside("shared by the ways of registering")
def event_facts(line: Line) -> dict[str, str]:
    """Return what others hear of a registration."""
    return {"kind": line.kind.value, "product_class": line.product_class, "session": line.session_id}


@inside("shared by the ways of registering")
def draft_registration(
    line: Line,
    session: SessionUsable,
    facts: RegistrationFacts,
    *,
    policy: RegistrationPolicy,
    leaf: LeafDraft | LeafRef,
    key: ClientKey | None = None,
    answer: Kept | None = None,
) -> tuple[Draft, Mapping[str, Any]]:
    """Return what is written, and the content of the receipt in it.

    `leaf`: a draft is written with the line; a reference says that the leaf is already written.
    """
    order, rules = facts.order, policy.rules
    ref = leaf.ref if isinstance(leaf, LeafDraft) else leaf
    content = receipt_content(line, session, order, evidence=facts.evidence, policy=policy, leaf=ref)
    draft = Draft(
        line_id=line.line_id,
        operator=line.operator,
        number=line.number.reveal("store"),
        kind=line.kind.value,
        status=line.status.value,
        product_class=line.product_class,
        cap_scope=line.cap_scope,
        cap_name=line.cap_name,
        cap=cap_in_force(facts, policy),
        counter_version=facts.counter.version,
        day=day_of(line.registered_at, policy.time_zone),
        position=line.position,
        place_kept=order is not None and order.cap_reserved_until is not None,
        pooled=order is not None and rules is not None and draws_from_pool(order, rules),
        iccid=order.iccid if order is not None and rules is not None else None,
        subject=line.subject,
        session_id=line.session_id,
        registered_at=line.registered_at,
        pack_hash=policy.pack_hash,
        receipt=json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        event_id=str(uuid.uuid4()),
        event_facts=json.dumps(event_facts(line)),
        **_leaf_values(leaf),
        **_key_values(key, answer),
    )
    return draft, content


@inside("shared by the ways of registering")
def draft_with_leaf(
    tools: RegistrationTools,
    wanted: Wanted,
    session: SessionUsable,
    facts: RegistrationFacts,
    *,
    lane: int,
    last: int,
) -> tuple[Draft, Kept]:
    """Return what a server writes, its leaf after number `last` of a lane, and the answer to the client."""
    line = new_line(tools, wanted.command, session, facts, policy=wanted.policy, now=wanted.now)
    leaf = draft_leaf(
        tools.privacy.keys,
        lane=lane,
        sequence=last + 1,
        kind=LEAF_KIND,
        facts=leaf_facts(line, session, wanted.policy),
        now=wanted.now,
        operator=line.operator,
    )
    answer = wanted.reply(line, leaf.ref)
    draft, _ = draft_registration(
        line, session, facts, policy=wanted.policy, leaf=leaf, key=wanted.key, answer=answer
    )
    return draft, answer


def _leaf_values(leaf: LeafDraft | LeafRef) -> dict[str, Any]:
    if isinstance(leaf, LeafRef):
        return {}
    return {
        "lane": leaf.ref.lane,
        "sequence": leaf.ref.sequence,
        "leaf": leaf.text,
        "leaf_hash": leaf.ref.hash,
        "leaf_mac": leaf.mac,
        "head_mac": leaf.head_mac,
        "mac_key_id": leaf.key_id,
    }


def _key_values(key: ClientKey | None, answer: Kept | None) -> dict[str, Any]:
    if key is None or answer is None:
        return {}
    return {
        "client": key.client,
        "key": key.key,
        "request_hash": key.request_hash,
        "response": answer.text,
        "headers": json.dumps(dict(answer.headers)),
        "response_hash": hashlib.sha256(answer.text.encode()).hexdigest(),
    }
