"""Open key voice services for organisations, and keep the numbers that their lines may show."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import HolderKind, ProductClass
from shiming.privacy.model import (
    EvidenceKind,
    EvidenceRef,
    NewEvidence,
    Purpose,
    RetentionClass,
    StagedEvidence,
)
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import keep_staged
from shiming.registrations.errors.key_services import KeyServiceRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.events.key_services import NUMBER_AUTHORISED, NUMBER_WITHDRAWN
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.number_sets import (
    AuthorisedNumber,
    KeyServiceRefused,
    NumberAuthorised,
    NumberSet,
    ValidityPeriod,
)
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.organisation_lines import OrganisationLine
from shiming.registrations.model.organisation_lines import OrganisationStanding as OpeningStanding
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.key_services import MayManageKeyService, MayReadNumberSet
from shiming.registrations.rules.key_services import (
    KEY_SERVICES,
    decide_key_service,
    decide_shown_number,
    ttl_seconds,
)
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.store import number_sets as store
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.orders import find_order
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.use_cases.organisation_lines import register_organisation_line
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

ENTRY = "NSE"
LISTED_MAX = 1000
ONE_LINE = 1  # a key service is opened one by one: each has an order with a number of its own


@asks(MayManageKeyService)
def open_key_service(
    desk: Desk, connection: Connection, session_id: str, *, operator: str, registration: RegistrationPolicy
) -> Line | KeyServiceRefused:
    """Register the line that the order of a handler's session asks for. Twice is once.

    The order is opened, and terms, confirmation and address are added to it, as for any line; here the rules
    of key services come to those of registration. The cap is kept by the counter of the organisation.
    """
    order = find_order(connection, session_id, for_update=True)
    if order is None or order.operator != operator:
        citation = registration.session_citation
        return KeyServiceRefused((Refusal(OrderRefusal.ORDER_MISSING, citation),))
    organisation = find_organisation(connection, order.organisation) if order.organisation else None
    refusals = _refusals(desk, connection, order, organisation)
    if organisation is None or order.identifier is None or refusals:
        citation = registration.session_citation
        missing = (Refusal(OrderRefusal.ORGANISATION_MISSING, citation),) if not refusals else ()
        return KeyServiceRefused((*refusals, *missing))
    standing = decide_organisation_standing(organisation, desk.policy, now=desk.now)
    opened = register_organisation_line(
        desk.tools,
        connection,
        order,
        OrganisationLine(order.identifier),
        standing=OpeningStanding(organisation.organisation_id, ONE_LINE, standing.refusals),
        policy=registration,
        now=desk.now,
    )
    return opened if isinstance(opened, Line) else KeyServiceRefused(opened.refusals)


@asks(MayManageKeyService)
def keep_authorisation(desk: Desk, connection: Connection, staged: StagedEvidence) -> EvidenceRef:
    """Keep the paper by which somebody lets a line show their number."""
    return keep_staged(desk.tools.privacy, connection, staged)


@inside("the edges stage what is uploaded before they open a transaction")
def authorisation_of(line: Line) -> NewEvidence:
    """Return what such a paper is to the vault: a piece of the case of the line."""
    return NewEvidence(
        line.subject,
        line.line_id,
        EvidenceKind.CONTRACT,
        Purpose.REGISTRATION,
        RetentionClass.IDENTITY,
        line.operator,
        line.line_id,
    )


@asks(MayManageKeyService)
def authorise_number(
    desk: Desk,
    connection: Connection,
    line: Line,
    number: Msisdn,
    validity: ValidityPeriod,
    *,
    authorised_by: str | None = None,
) -> NumberAuthorised | KeyServiceRefused:
    """Let a line show a number for some time; periods of one number may overlap, one that holds is enough."""
    store.lock_line(connection, line.line_id, line.operator)
    product = ProductClass(line.product_class)
    if line.status is LineStatus.TERMINATED or product not in KEY_SERVICES:
        return KeyServiceRefused((_line_refusal(desk, product),))
    own = store.is_own(connection, number, line.subject)
    covered = authorised_by is not None and store.is_evidence_of(connection, authorised_by, line.line_id)
    refusals = decide_shown_number(product, own=own, authorised=covered, policy=desk.policy)
    if refusals:
        return KeyServiceRefused(refusals)
    entry = AuthorisedNumber(
        entry_id=desk.tools.privacy.new_reference(ENTRY),
        line_id=line.line_id,
        operator=line.operator,
        number=number.reveal("store"),
        valid_from=validity.begins,
        valid_until=validity.until,
        own=own,
        authorised_by=authorised_by if covered else None,
        added_at=desk.now,
    )
    for former in store.entries_of_number(connection, line.line_id, entry.number):
        if former.withdrawn_at is None and _same(former, entry):
            return NumberAuthorised(former, repeated=True)
    store.add_entry(connection, entry)
    _tell(desk, connection, entry, NUMBER_AUTHORISED)
    return NumberAuthorised(entry)


@asks(MayManageKeyService)
def withdraw_number(
    desk: Desk, connection: Connection, line: Line, number: Msisdn, *, at: datetime | None = None
) -> tuple[AuthorisedNumber, ...] | KeyServiceRefused:
    """Let a line show a number no longer than until an instant (not before now); all its periods end."""
    store.lock_line(connection, line.line_id, line.operator)
    end = max(at or desk.now, desk.now)
    found = store.entries_of_number(connection, line.line_id, number.reveal("lookup"))
    open_ones = [
        entry
        for entry in found  # a period that was to begin later and was withdrawn is empty
        if entry.valid_until is None or entry.valid_until > max(end, entry.valid_from)
    ]
    if not open_ones:
        citation = desk.policy.products[ProductClass(line.product_class)].holders.citation
        return KeyServiceRefused((Refusal(KeyServiceRefusal.NUMBER_NOT_IN_SET, citation),))
    for entry in open_ones:
        store.end_entry(connection, entry, until=max(end, entry.valid_from), at=desk.now)
        _tell(desk, connection, entry, NUMBER_WITHDRAWN)
    return tuple(open_ones)


@asks(MayReadNumberSet)
def authorised_numbers(connection: Connection, line_id: str, at: datetime) -> NumberSet:
    """Return which numbers a line may show at an instant; none for a line that has ended or is not there.

    Read through one index; `ttl_seconds` ends with the next change that is known already, so whoever
    remembers the answer misses at most a withdrawal, and that for five minutes.
    """
    entries = store.entries_from(connection, line_id, at)
    numbers = frozenset(entry.number for entry in entries if entry.holds_at(at))
    return NumberSet(line_id, at, numbers, ttl_seconds(entries, at))


@asks(MayReadNumberSet)
def list_number_set(
    connection: Connection, line_id: str, *, after: str | None = None, limit: int = LISTED_MAX
) -> tuple[AuthorisedNumber, ...]:
    """Return everything that is and was in the set of a line."""
    return store.entries_of(connection, line_id, after=after, limit=limit)


@asks(MayReadNumberSet)
def find_key_service(connection: Connection, line_id: str) -> Line | None:
    """Return a line of a key voice service; None for any other."""
    line = find_line(connection, line_id)
    return line if line is not None and line.product_class in KEY_SERVICES else None


@inside("every edge says it in the same words")
def key_service_unknown() -> BadInput:
    """Return the error for a line that is not there or is of no key service."""
    return BadInput(
        "KEY_SERVICE_UNKNOWN",
        Text(zh="没有这条重点业务线路。", en="There is no such line of a key voice service."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _refusals(
    desk: Desk, connection: Connection, order: LineOrder, organisation: Organisation | None
) -> tuple[Refusal, ...]:
    session = find_proven_session(connection, order.session_id)
    subject = session.subject if session else None
    holder = order.holder_kind
    handler = organisation is not None and subject is not None and subject == organisation.handler_subject
    return decide_key_service(
        order.product_class,
        holder,
        handler_proven=handler or holder is not HolderKind.ORGANISATION,
        numbers_held=0,  # the counter of the registration says it, under its lock
        policy=desk.policy,
    )


def _line_refusal(desk: Desk, product: ProductClass) -> Refusal:
    if product not in KEY_SERVICES:
        return Refusal(KeyServiceRefusal.NOT_A_KEY_SERVICE, desk.policy.verification_model.citation)
    return Refusal(KeyServiceRefusal.LINE_ENDED, desk.policy.products[product].holders.citation)


def _same(one: AuthorisedNumber, other: AuthorisedNumber) -> bool:
    return (one.valid_from, one.valid_until, one.own, one.authorised_by) == (
        other.valid_from,
        other.valid_until,
        other.own,
        other.authorised_by,
    )


def _tell(desk: Desk, connection: Connection, entry: AuthorisedNumber, event: str) -> None:
    facts: dict[str, Fact] = {
        "entry": entry.entry_id,
        "own": entry.own,
        "valid_from": entry.valid_from.isoformat(),
        "valid_until": entry.valid_until.isoformat() if entry.valid_until else None,
    }
    leaf: dict[str, Fact] = {"line": entry.line_id, "authorised_by": entry.authorised_by, **facts}
    now, operator = desk.now, entry.operator
    record(connection, desk.tools.privacy.keys, kind=event, facts=leaf, now=now, operator=operator)
    emit(connection, Event(event, entry.line_id, operator, now, facts))
