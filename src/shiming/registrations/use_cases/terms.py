"""Publish terms of service, read them, and record that a customer accepted those in force."""

from datetime import date, datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import ContractPolicy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.contracts import TermsRefusal
from shiming.registrations.events.contracts import TERMS_ACCEPTED, TERMS_PUBLISHED
from shiming.registrations.model.orders import LineOrder, TermsAcceptance
from shiming.registrations.model.terms import (
    AcceptTerms,
    ClauseChange,
    PublishedTerms,
    Terms,
    TermsAccepted,
    TermsPublished,
    TermsRefused,
)
from shiming.registrations.permissions.terms import MayPublishTerms, MayReadTerms, MayRecordAcceptance
from shiming.registrations.rules.terms import changes_between, decide_acceptance, decide_publishing
from shiming.registrations.store import terms as store
from shiming.registrations.store.lines import find_by_session
from shiming.registrations.store.orders import change_order, find_order
from shiming.registrations.use_cases import orders
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal


@asks(MayPublishTerms)
def publish_terms(
    tools: RegistrationTools,
    connection: Connection,
    terms: Terms,
    *,
    policy: ContractPolicy,
    today: date,
    now: datetime,
) -> TermsPublished | TermsRefused:
    """Publish a version; the same words again are the same act. What was published never changes."""
    published = PublishedTerms(terms, content_hash(terms.content()), now)
    former = store.find_terms(connection, terms.operator, terms.version)
    if former is not None and former.content_hash == published.content_hash:
        return TermsPublished(former, repeated=True)
    refusals = decide_publishing(terms, store.list_terms(connection, terms.operator), policy, today=today)
    if refusals:
        return TermsRefused(refusals)
    if not store.add_terms(connection, published):  # another one published this moment
        return TermsRefused(
            (Refusal(TermsRefusal.TERMS_VERSION_PUBLISHED, policy.transfer_clause_required.citation),)
        )
    facts: dict[str, Fact] = {
        "version": terms.version,
        "content": published.content_hash,
        "effective_from": terms.effective_from.isoformat(),
    }
    record(
        connection, tools.privacy.keys, kind=TERMS_PUBLISHED, facts=facts, now=now, operator=terms.operator
    )
    emit(connection, Event(TERMS_PUBLISHED, terms.version, terms.operator, now, facts))
    return TermsPublished(published)


@asks(MayRecordAcceptance)
def accept_terms(
    tools: RegistrationTools,
    connection: Connection,
    wanted: AcceptTerms,
    *,
    operator: str,
    policy: ContractPolicy,
    today: date,
    now: datetime,
) -> TermsAccepted | TermsRefused:
    """Record that the person of an order accepted the terms in force; BadInput when there is no order."""
    order = get_order(connection, wanted.session_id, operator)
    current = store.find_in_force(connection, operator, today)
    named = store.find_terms(connection, operator, wanted.version)
    completed = find_by_session(connection, order.session_id, operator) is not None
    refusals = decide_acceptance(wanted, named, current, policy, completed=completed)
    if refusals:
        return TermsRefused(refusals)
    if _is_same(order.terms, wanted):
        assert order.terms is not None  # noqa: S101 - for the type checker
        return TermsAccepted(order.terms, repeated=True)
    channel = wanted.channel or order.channel
    accepted = TermsAcceptance(wanted.version, wanted.content_hash, now, channel, wanted.language)
    change_order(
        connection,
        order.session_id,
        terms_version=accepted.version,
        terms_hash=accepted.content_hash,
        terms_accepted_at=now,
        terms_channel=channel.value,
        terms_language=accepted.language,
    )
    _tell(tools, connection, order, accepted)
    return TermsAccepted(accepted)


@asks(MayReadTerms)
def find_terms(connection: Connection, operator: str, version: str) -> PublishedTerms | None:
    """Return one version as it was published."""
    return store.find_terms(connection, operator, version)


@asks(MayReadTerms)
def find_terms_in_force(connection: Connection, operator: str, today: date) -> PublishedTerms | None:
    """Return the version that is in force at an operator on a day."""
    return store.find_in_force(connection, operator, today)


@asks(MayReadTerms)
def list_terms(
    connection: Connection, operator: str, *, before: date | None = None, limit: int
) -> tuple[PublishedTerms, ...]:
    """Return an operator's versions, the one that takes effect last first; also superseded ones."""
    return store.list_terms(connection, operator, before=before, limit=limit)


@asks(MayReadTerms)
def compare_terms(
    connection: Connection, operator: str, before: str, after: str
) -> tuple[ClauseChange, ...] | None:
    """Return what changed between two versions; None when one of them does not exist."""
    was = store.find_terms(connection, operator, before)
    now = store.find_terms(connection, operator, after)
    return None if was is None or now is None else changes_between(was.terms, now.terms)


@inside("shared by the verbs about an order's contract")
def get_order(connection: Connection, session_id: str, operator: str) -> LineOrder:
    """Return an order of this operator, held until the transaction ends; BadInput when there is none."""
    order = find_order(connection, session_id, for_update=True)
    if order is None:
        raise orders.missing_order(connection, session_id, operator=operator)
    if order.operator != operator:
        raise unknown_order()
    return order


@inside("the edge asks whose order it is before it asks for permission")
def find_operator_of_order(connection: Connection, session_id: str) -> str | None:
    """Return the operator of an order, also by a former session; None when the session has no order."""
    order = orders.find_order(connection, session_id, operator=None)
    return None if order is None else order.operator


@inside("shared by the verbs about an order's contract")
def unknown_order() -> BadInput:
    """Return the error for an order that is not there, or belongs to another operator."""
    return BadInput(
        "ORDER_UNKNOWN",
        Text(zh="该会话没有业务订单。", en="This session has no order."),
        Text(
            zh="请先为该会话提交业务订单。",
            en="Say first what this session asks for: POST /v1/orders.",
        ),
    )


def _is_same(former: TermsAcceptance | None, wanted: AcceptTerms) -> bool:
    """Say whether this was accepted before, so that a request sent twice is one acceptance."""
    return former is not None and (former.content_hash, former.language) == (
        wanted.content_hash,
        wanted.language,
    )


def _tell(
    tools: RegistrationTools, connection: Connection, order: LineOrder, accepted: TermsAcceptance
) -> None:
    facts: dict[str, Fact] = {
        "session": order.session_id,
        "version": accepted.version,
        "content": accepted.content_hash,
        "language": accepted.language,
        "channel": accepted.channel.value,
    }
    now = accepted.accepted_at
    record(connection, tools.privacy.keys, kind=TERMS_ACCEPTED, facts=facts, now=now, operator=order.operator)
    emit(connection, Event(TERMS_ACCEPTED, order.session_id, order.operator, now, facts))
