"""The table of organisations, and one to and from rows."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.organisations import Organisation, OrganisationState

organisations = sa.Table(
    "organisations",
    schema,
    sa.Column("organisation_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("licence_evidence", sa.String(64)),
    sa.Column("legal_representative_evidence", sa.String(64)),
    sa.Column("handler_session", sa.String(64)),
    sa.Column("handler_subject", sa.String(80)),
    sa.Column("power_of_attorney_evidence", sa.String(64)),
    sa.Column("power_of_attorney_from", UtcInstant),
    sa.Column("power_of_attorney_until", UtcInstant),
    sa.Column("responsible_evidence", sa.String(64)),
    sa.Column("responsible_session", sa.String(64)),
    sa.Column("suspended_why", sa.String(80)),
    sa.Column("version", sa.Integer, nullable=False),
)
_is_open = organisations.c.state != OrganisationState.CLOSED.value
sa.Index(  # an organisation is a customer of an operator once; after it was closed it can come back
    "ux_organisations_code",
    organisations.c.code,
    organisations.c.operator,
    unique=True,
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)


def find_organisation(
    connection: Connection, organisation_id: str, *, for_update: bool = False
) -> Organisation | None:
    """Return an organisation; `for_update` holds it until the transaction ends."""
    query = organisations.select().where(organisations.c.organisation_id == organisation_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _organisation(row)


def find_open_by_code(connection: Connection, code: str, operator: str) -> Organisation | None:
    """Return the organisation with this code that is not closed."""
    query = organisations.select().where(
        organisations.c.code == code, organisations.c.operator == operator, _is_open
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _organisation(row)


def list_organisations(
    connection: Connection, operator: str | None, *, after: str | None, limit: int
) -> tuple[Organisation, ...]:
    """Return organisations in the order of their references."""
    query = organisations.select().order_by(organisations.c.organisation_id).limit(limit)
    if operator is not None:
        query = query.where(organisations.c.operator == operator)
    if after is not None:
        query = query.where(organisations.c.organisation_id > after)
    return tuple(_organisation(row) for row in connection.execute(query))


def add_organisation(connection: Connection, organisation: Organisation) -> bool:
    """Write a new one; False when its code is a customer of the operator already."""
    names = (column.name for column in organisations.c)
    values = {name: getattr(organisation, name) for name in names}
    values["state"] = organisation.state.value
    statement = insert_into(connection, organisations).values(**values).on_conflict_do_nothing()
    written = statement.returning(organisations.c.organisation_id)  # psycopg counts no rows of an INSERT
    return connection.execute(written).first() is not None


def change_organisation(connection: Connection, organisation_id: str, version: int, **columns: Any) -> bool:
    """Set columns and count the version; False when it is not this version any more."""
    statement = (
        organisations.update()
        .where(organisations.c.organisation_id == organisation_id, organisations.c.version == version)
        .values(version=version + 1, **columns)
    )
    return connection.execute(statement).rowcount == 1


def _organisation(row: Row[Any]) -> Organisation:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to read a row by name
    return Organisation(**{**values, "state": OrganisationState(row.state)})
