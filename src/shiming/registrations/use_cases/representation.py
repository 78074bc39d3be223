"""Name who acts for the holder of an order: proven, entitled, in a session that serves this order only."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import transact
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, EvidenceRef, NewEvidence, Purpose, RetentionClass
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.objects import ByteSource
from shiming.privacy.use_cases.vault import keep_staged, list_metadata, stage_evidence
from shiming.registrations.errors.representation import RepresentationRefusal
from shiming.registrations.events.representation import REPRESENTATIVE_AWAITED, REPRESENTATIVE_NAMED
from shiming.registrations.model.orders import (
    AwaitedRepresentative,
    LineOrder,
    Representative,
    RepresentativeRole,
)
from shiming.registrations.model.representation import (
    RepresentationFacts,
    RepresentationRefused,
    RepresentativeNamed,
)
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.permissions.representation import MayRepresent
from shiming.registrations.rules.representation import decide_representation
from shiming.registrations.store import orders
from shiming.registrations.store import representation as store
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

#: A claim outlives the order a little, so that a registration in its last second is still counted.
CLAIM_MARGIN = timedelta(minutes=5)
_NOBODY_AWAITED = dict.fromkeys(("awaited_role", "awaited_relation", "awaited_session"))


@inside("the registration of a line reads this too, in its own transaction")
def read_representation(
    connection: Connection, order: LineOrder, *, policy: Policy, now: datetime
) -> RepresentationFacts:
    """Return who acts for the holder of an order, as it stands now; one query where nobody does."""
    found = store.find_proof(connection, order.session_id)
    proof, category = found or (None, None)
    facts = RepresentationFacts(
        operator=order.operator,
        order=order.session_id,
        category=None if order.organisation else order.category or category,
        holder=order.organisation or (proof.subject if proof else None),
    )
    behalf = order.representative
    if behalf is None or behalf.role is RepresentativeRole.HANDLER:
        return replace(facts, representative=behalf)
    return _with_representative(connection, facts, behalf, policy, now)


@asks(MayRepresent, MayManageOrders)
def await_representative(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    awaited: AwaitedRepresentative,
    *,
    now: datetime,
) -> LineOrder:
    """Note who is to act for the holder of an order, so that any counter goes on with them.

    The same again changes nothing. Raises BadInput where there is no order.
    """
    order = orders.find_order(connection, session_id, for_update=True)
    if order is None:
        raise order_unknown()
    if order.awaited == awaited:
        return order
    relation = awaited.relation and awaited.relation.value
    orders.change_order(
        connection,
        session_id,
        awaited_role=awaited.role.value,
        awaited_relation=relation,
        awaited_session=awaited.session_id,
    )
    facts: dict[str, Fact] = {
        "role": awaited.role.value,
        "relation": relation,
        "representative_session": awaited.session_id,
    }
    kind, seen = "representative.awaited", {"session": session_id, **facts}
    record(connection, tools.privacy.keys, kind=kind, facts=seen, now=now, operator=order.operator)
    emit(connection, Event(REPRESENTATIVE_AWAITED, session_id, order.operator, now, facts))
    return replace(order, awaited=awaited)


@asks(MayRepresent)
def name_representative(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    wanted: Representative,
    *,
    policy: Policy,
    now: datetime,
) -> RepresentativeNamed | RepresentationRefused:
    """Name the proxy or guardian of an order. The same one again changes nothing; another takes the place.

    (1) hold the order and the proxy; (2) read the facts; (3) the rules decide; (4) use the session up, count
    the principal, write it down.
    """
    order = orders.find_order(connection, session_id, for_update=True)
    if order is None:
        raise order_unknown()
    found = store.find_proof(connection, wanted.session_id)
    proxy = found[0].subject if found else None
    named = replace(wanted, subject=proxy)
    if order.representative == named:
        return RepresentativeNamed(session_id, named, repeated=True)
    if proxy is not None and named.role is RepresentativeRole.PROXY:
        store.lock_proxy(connection, order.operator, proxy, now)
    facts = read_representation(connection, replace(order, representative=named), policy=policy, now=now)
    refusals = [
        *_closed(connection, order, policy),
        *decide_representation(facts, policy, now=now, sandbox=tools.sandbox),
    ]
    if not refusals and not store.use_session(connection, named.session_id, session_id):
        citation = policy.proxies.both_proven.citation
        refusals.append(Refusal(RepresentationRefusal.REPRESENTATIVE_SESSION_USED, citation))
    if refusals:
        _note(tools, connection, order, named, refused=tuple(refusals), now=now)
        return RepresentationRefused(tuple(refusals))
    _claim(connection, facts, named, policy, now)
    orders.change_order(
        connection,
        session_id,
        representative_role=named.role.value,
        representative_session=named.session_id,
        representative_subject=named.subject,
        authority_evidence=named.authority_evidence,
        representative_relation=named.relation and named.relation.value,
        **_NOBODY_AWAITED,
    )
    _note(tools, connection, order, named, refused=(), now=now)
    return RepresentativeNamed(session_id, named)


@asks(MayRepresent)
def keep_authority_document(
    tools: RegistrationTools,
    engine: Engine,
    session_id: str,
    source: ByteSource,
    *,
    policy: Policy,
    now: datetime,
) -> EvidenceRef:
    """Keep the picture of a letter of authority, or of what shows the guardianship, with the order.

    Raises BadInput for an order that is not there, or whose holder is not proven yet.
    """

    def whose(connection: Connection) -> tuple[LineOrder, str | None]:
        order = find_order_of(connection, session_id)
        found = store.find_proof(connection, session_id)
        return order, found[0].subject if found else None

    order, holder = transact(engine, whose)
    if holder is None:
        raise BadInput(
            "SESSION_NOT_VERIFIED",
            Text(zh="机主尚未核验。", en="The holder is not proven yet."),
            Text(zh="请先完成机主的核验。", en="Prove the holder first."),
        )
    new = NewEvidence(
        holder,
        session_id,
        EvidenceKind.AUTHORITY_DOCUMENT,
        Purpose.REGISTRATION,
        RetentionClass.IDENTITY,
        order.operator,
    )
    staged = stage_evidence(
        tools.privacy, engine, new, source=source, retention=policy.retention, now=now, decided_at=now
    )
    return transact(engine, lambda connection: keep_staged(tools.privacy, connection, staged))


@asks(MayRepresent)
def find_order_of(connection: Connection, session_id: str) -> LineOrder:
    """Return the order of a session; raise BadInput for none."""
    order = orders.find_order(connection, session_id)
    if order is None:
        raise order_unknown()
    return order


@inside("shared by the verbs about orders of somebody else")
def order_unknown() -> BadInput:
    """Return the error for a session that has no order."""
    return BadInput(
        "ORDER_UNKNOWN",
        Text(zh="该会话没有办理单。", en="There is no order for this session."),
        Text(zh="请先建立办理单。", en="Open the order first."),
    )


def _with_representative(
    connection: Connection,
    facts: RepresentationFacts,
    behalf: Representative,
    policy: Policy,
    now: datetime,
) -> RepresentationFacts:
    proof, category = store.find_proof(connection, behalf.session_id) or (None, None)
    subject = proof.subject if proof else None
    principals = 0
    if subject is not None and behalf.role is RepresentativeRole.PROXY:
        days = timedelta(days=policy.proxies.principals_days.value)
        principals = store.count_principals(
            connection, facts.operator, subject, besides=facts.holder, since=now - days, now=now
        )
    return replace(
        facts,
        representative=replace(behalf, subject=subject),
        session=proof,
        session_category=category,
        identity_recorded=is_identity_recorded(connection, behalf.session_id, subject),
        authority_recorded=_authority_recorded(connection, facts.order, behalf.authority_evidence),
        principals=principals,
    )


@inside("whatever rests on a proof asks whether its document is recorded")
def is_identity_recorded(connection: Connection, session_id: str, subject: str | None) -> bool:
    """Say whether type, number and name of the document of a session stand in the vault."""
    return any(
        ref.kind is EvidenceKind.IDENTITY_RECORD and ref.subject == subject and ref.erased_at is None
        for ref in list_metadata(connection, case_reference=session_id)
    )


def _authority_recorded(connection: Connection, order: str, evidence: str | None) -> bool:
    return evidence is not None and any(
        ref.evidence_id == evidence and ref.kind is EvidenceKind.AUTHORITY_DOCUMENT and ref.erased_at is None
        for ref in list_metadata(connection, case_reference=order)
    )


def _closed(connection: Connection, order: LineOrder, policy: Policy) -> tuple[Refusal, ...]:
    found = store.find_proof(connection, order.session_id)
    if found is None or found[0].consumed_by is None:
        return ()
    citation = policy.time_limits.session_minutes.citation
    return (Refusal(RepresentationRefusal.ORDER_CLOSED, citation),)


def _claim(
    connection: Connection, facts: RepresentationFacts, named: Representative, policy: Policy, now: datetime
) -> None:
    if named.role is not RepresentativeRole.PROXY or named.subject is None or facts.holder is None:
        store.release_principal(connection, facts.order)
        return
    life = timedelta(minutes=policy.time_limits.session_minutes.value)
    store.claim_principal(
        connection,
        facts.order,
        operator=facts.operator,
        proxy=named.subject,
        principal=facts.holder,
        now=now,
        held_until=now + life + CLAIM_MARGIN,
    )


def _note(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    named: Representative,
    *,
    refused: tuple[Refusal, ...],
    now: datetime,
) -> None:
    facts: dict[str, Fact] = {
        "session": order.session_id,
        "role": named.role.value,
        "representative_session": named.session_id,
        "authority": named.authority_evidence,
        "relation": named.relation and named.relation.value,
    }
    if refused:
        facts["codes"] = ",".join(refusal.code.value for refusal in refused)[:_FACT_LENGTH_MAX]
        kind = "representative.refused"
        record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=order.operator)
        return
    seen = {**facts, "representative": named.subject}
    record(
        connection,
        tools.privacy.keys,
        kind="representative.named",
        facts=seen,
        now=now,
        operator=order.operator,
    )
    emit(connection, Event(REPRESENTATIVE_NAMED, order.session_id, order.operator, now, facts))


_FACT_LENGTH_MAX = 200  # of the ledger
