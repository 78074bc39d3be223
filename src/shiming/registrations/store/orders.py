"""The table of orders, and orders to and from rows. What several topics add to an order, each adds here."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.registrations.model.lines import LineKind, SimForm, stored_identifier
from shiming.registrations.model.ordering import ProvingSession
from shiming.registrations.model.orders import (
    AwaitedRepresentative,
    ConfirmationMethod,
    DonorConfirmation,
    LineConfirmation,
    LineOrder,
    Relation,
    Representative,
    RepresentativeRole,
    TermsAcceptance,
)

line_orders = sa.Table(
    "line_orders",
    schema,
    sa.Column("session_id", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("entry", sa.String(20), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("product_class", sa.String(60), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("identifier", sa.String(64)),
    sa.Column("holder_kind", sa.String(20), nullable=False),
    sa.Column("organisation", sa.String(40)),
    sa.Column("category", sa.String(60)),
    sa.Column("representative_role", sa.String(20)),
    sa.Column("representative_session", sa.String(64), index=True),
    sa.Column("representative_subject", sa.String(80)),
    sa.Column("authority_evidence", sa.String(64)),
    sa.Column("representative_relation", sa.String(20)),
    sa.Column("awaited_role", sa.String(20)),  # who is to act for the holder and is not named yet
    sa.Column("awaited_relation", sa.String(20)),
    sa.Column("awaited_session", sa.String(64)),
    sa.Column("contract", sa.String(40)),
    sa.Column("iccid", sa.String(20)),
    sa.Column("imsi", sa.String(15)),
    sa.Column("sim_form", sa.String(10)),
    sa.Column("install_address", sa.String(64)),  # reference in the vault
    sa.Column("terms_version", sa.String(40)),
    sa.Column("terms_hash", sa.String(80)),
    sa.Column("terms_accepted_at", UtcInstant),
    sa.Column("terms_channel", sa.String(20)),
    sa.Column("terms_language", sa.String(8)),
    sa.Column("confirmed_identifier", sa.String(64)),
    sa.Column("confirmation_method", sa.String(20)),
    sa.Column("confirmed_at", UtcInstant),
    sa.Column("cap_subject", sa.String(80)),  # whose place is kept, in which counter, until when
    sa.Column("cap_scope", sa.String(80)),
    sa.Column("cap_name", sa.String(60)),
    sa.Column("cap_reserved_until", UtcInstant),
    sa.Column("review", sa.String(64)),
    sa.Column("donor_reference", sa.String(40)),
    sa.Column("donor_identifier", sa.String(64)),
    sa.Column("donor_until", UtcInstant),
    sa.Column("delivery_until", UtcInstant),  # the card is on its way; the proof is good so long
    sa.Index("ix_line_orders_organisation", "organisation"),
    sa.Index("ix_line_orders_cap", "cap_subject", "cap_reserved_until"),
)

_PROVING_SESSION = sa.text(
    "SELECT channel, category, operator, subject, outcome, decided_at, consumed_by "
    "FROM proofing_sessions WHERE id = :session_id"
).columns(decided_at=UtcInstant)


def find_order(connection: Connection, session_id: str, *, for_update: bool = False) -> LineOrder | None:
    """Return the order of a session; `for_update` holds it until the transaction ends."""
    query = line_orders.select().where(line_orders.c.session_id == session_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _order(row)


def add_order(connection: Connection, order: LineOrder) -> bool:
    """Write a new order; False when the session has one already."""
    statement = insert_into(connection, line_orders).values(**columns_of(order)).on_conflict_do_nothing()
    written = connection.execute(statement.returning(line_orders.c.session_id))  # PostgreSQL counts no INSERT
    return written.one_or_none() is not None


def change_order(connection: Connection, session_id: str, **columns: Any) -> bool:
    """Set columns of an order; False when there is none."""
    statement = line_orders.update().where(line_orders.c.session_id == session_id).values(**columns)
    return connection.execute(statement).rowcount == 1


def write_details(connection: Connection, order: LineOrder) -> None:
    """Write what changes while an order is gathered: number, SIM, install address, confirmation."""
    said = order.confirmation
    change_order(
        connection,
        order.session_id,
        identifier=order.identifier and order.identifier.reveal("store"),
        iccid=order.iccid,
        imsi=order.imsi,
        sim_form=order.sim_form and order.sim_form.value,
        install_address=order.install_address,
        confirmed_identifier=said and said.identifier.reveal("store"),
        confirmation_method=said and said.method.value,
        confirmed_at=said and said.confirmed_at,
    )


def remove_order(connection: Connection, session_id: str) -> None:
    """Forget an order that was given up, and the place that it keeps."""
    connection.execute(line_orders.delete().where(line_orders.c.session_id == session_id))


def find_proving_session(connection: Connection, session_id: str) -> ProvingSession | None:
    """Return the session of a proof, decided or not."""
    row = connection.execute(_PROVING_SESSION, {"session_id": session_id}).one_or_none()
    return None if row is None else ProvingSession(*row)


def columns_of(order: LineOrder) -> dict[str, Any]:
    """Return the row of a new order, as far as it is filled."""
    behalf, terms, said, donor = order.representative, order.terms, order.confirmation, order.donor
    awaited = order.awaited
    return {
        "session_id": order.session_id,
        "operator": order.operator,
        "entry": order.entry.value,
        "kind": order.kind.value,
        "product_class": order.product_class.value,
        "channel": order.channel.value,
        "created_at": order.created_at,
        "identifier": order.identifier and order.identifier.reveal("store"),
        "holder_kind": order.holder_kind.value,
        "organisation": order.organisation,
        "category": order.category,
        "representative_role": behalf and behalf.role.value,
        "representative_session": behalf and behalf.session_id,
        "representative_subject": behalf and behalf.subject,
        "authority_evidence": behalf and behalf.authority_evidence,
        "representative_relation": behalf and behalf.relation and behalf.relation.value,
        "awaited_role": awaited and awaited.role.value,
        "awaited_relation": awaited and awaited.relation and awaited.relation.value,
        "awaited_session": awaited and awaited.session_id,
        "contract": order.contract,
        "iccid": order.iccid,
        "imsi": order.imsi,
        "sim_form": order.sim_form and order.sim_form.value,
        "install_address": order.install_address,
        "terms_version": terms and terms.version,
        "terms_hash": terms and terms.content_hash,
        "terms_accepted_at": terms and terms.accepted_at,
        "terms_channel": terms and terms.channel.value,
        "terms_language": terms and terms.language,
        "confirmed_identifier": said and said.identifier.reveal("store"),
        "confirmation_method": said and said.method.value,
        "confirmed_at": said and said.confirmed_at,
        "cap_reserved_until": order.cap_reserved_until,
        "review": order.review,
        "donor_reference": donor and donor.reference,
        "donor_identifier": donor and donor.identifier.reveal("store"),
        "donor_until": donor and donor.until,
        "delivery_until": order.delivery_until,
    }


def order_in(columns: Mapping[str, Any]) -> LineOrder:
    """Return the order in the columns of its row, instants as instants."""
    row: Any = SimpleNamespace(**columns)
    return _order(row)


def _order(row: Row[Any]) -> LineOrder:
    return LineOrder(
        session_id=row.session_id,
        operator=row.operator,
        entry=EntryKind(row.entry),
        kind=LineKind(row.kind),
        product_class=ProductClass(row.product_class),
        channel=Channel(row.channel),
        created_at=row.created_at,
        identifier=stored_identifier(row.identifier) if row.identifier else None,
        holder_kind=HolderKind(row.holder_kind),
        organisation=row.organisation,
        category=row.category,
        representative=_representative(row),
        awaited=_awaited(row),
        contract=row.contract,
        iccid=row.iccid,
        imsi=row.imsi,
        sim_form=SimForm(row.sim_form) if row.sim_form else None,
        install_address=row.install_address,
        terms=_terms(row),
        confirmation=_confirmation(row),
        cap_reserved_until=row.cap_reserved_until,
        review=row.review,
        donor=_donor(row),
        delivery_until=row.delivery_until,
    )


def _representative(row: Row[Any]) -> Representative | None:
    if row.representative_role is None:
        return None
    return Representative(
        RepresentativeRole(row.representative_role),
        row.representative_session,
        row.representative_subject,
        row.authority_evidence,
        Relation(row.representative_relation) if row.representative_relation else None,
    )


def _awaited(row: Row[Any]) -> AwaitedRepresentative | None:
    if row.awaited_role is None:
        return None
    return AwaitedRepresentative(
        RepresentativeRole(row.awaited_role),
        Relation(row.awaited_relation) if row.awaited_relation else None,
        row.awaited_session,
    )


def _donor(row: Row[Any]) -> DonorConfirmation | None:
    if row.donor_reference is None:
        return None
    return DonorConfirmation(row.donor_reference, stored_identifier(row.donor_identifier), row.donor_until)


def _terms(row: Row[Any]) -> TermsAcceptance | None:
    accepted_at: datetime | None = row.terms_accepted_at
    if accepted_at is None:
        return None
    channel = Channel(row.terms_channel)
    return TermsAcceptance(
        row.terms_version, row.terms_hash, accepted_at, channel, row.terms_language or "zh"
    )


def _confirmation(row: Row[Any]) -> LineConfirmation | None:
    confirmed_at: datetime | None = row.confirmed_at
    if confirmed_at is None:
        return None
    identifier = stored_identifier(row.confirmed_identifier)
    return LineConfirmation(identifier, ConfirmationMethod(row.confirmation_method), confirmed_at)
