"""Published terms of service: never changed, never deleted; a newer version only comes after them."""

import json
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, guard, schema
from shiming.registrations.model.terms import Clause, PublishedTerms, Terms
from shiming.vocabulary.errors import Text

terms_versions = sa.Table(
    "terms_versions",
    schema,
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # RFC 8785
    sa.Column("content_hash", sa.String(80), nullable=False),
    sa.Column("published_at", UtcInstant, nullable=False),
    sa.UniqueConstraint("operator", "effective_from", name="uq_terms_versions_day"),
)
guard(terms_versions, "terms_versions_no_update", "UPDATE", "published terms never change")
guard(terms_versions, "terms_versions_no_delete", "DELETE", "published terms are never deleted")


def add_terms(connection: Connection, published: PublishedTerms) -> bool:
    """Write a version; False when another one of this name or this day was faster."""
    terms = published.terms
    row = {
        "operator": terms.operator,
        "version": terms.version,
        "effective_from": terms.effective_from,
        "content": canonical_bytes(terms.content()).decode(),
        "content_hash": published.content_hash,
        "published_at": published.published_at,
    }
    statement = insert_into(connection, terms_versions).values(**row).on_conflict_do_nothing()
    written = connection.execute(statement.returning(terms_versions.c.version))
    return written.one_or_none() is not None


def find_terms(connection: Connection, operator: str, version: str) -> PublishedTerms | None:
    """Return one version."""
    query = terms_versions.select().where(
        terms_versions.c.operator == operator, terms_versions.c.version == version
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _published(row)


def list_terms(
    connection: Connection, operator: str, *, before: date | None = None, limit: int | None = None
) -> tuple[PublishedTerms, ...]:
    """Return an operator's versions, the one that takes effect last first."""
    query = terms_versions.select().where(terms_versions.c.operator == operator)
    if before is not None:
        query = query.where(terms_versions.c.effective_from < before)
    query = query.order_by(terms_versions.c.effective_from.desc()).limit(limit)
    return tuple(_published(row) for row in connection.execute(query))


def find_in_force(connection: Connection, operator: str, today: date) -> PublishedTerms | None:
    """Return the version that took effect last, by the unique key of days."""
    query = (
        terms_versions.select()
        .where(terms_versions.c.operator == operator, terms_versions.c.effective_from <= today)
        .order_by(terms_versions.c.effective_from.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _published(row)


def _published(row: Row[Any]) -> PublishedTerms:
    content: dict[str, Any] = json.loads(row.content)
    clauses = tuple(Clause(each["name"], _text(each)) for each in content["clauses"])
    terms = Terms(row.operator, row.version, row.effective_from, _text(content["title"]), clauses)
    return PublishedTerms(terms, row.content_hash, row.published_at)


def _text(said: dict[str, str]) -> Text:
    return Text(zh=said["zh"], en=said["en"])
