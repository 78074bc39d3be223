"""Enhanced reviews of lines above a cap: who asked, who decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.ordering import Review, ReviewDecision

registration_reviews = sa.Table(
    "registration_reviews",
    schema,
    sa.Column("review_id", sa.String(40), primary_key=True),
    sa.Column("session_id", sa.String(64), nullable=False, index=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("asked_by", sa.String(80), nullable=False),
    sa.Column("asked_at", UtcInstant, nullable=False),
    sa.Column("decided_by", sa.String(80)),
    sa.Column("decided_at", UtcInstant),
    sa.Column("decision", sa.String(20)),
    sa.Column("why", sa.String(40)),
    sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_when"),
    sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="decided_by_another"),
    sa.Index("ix_registration_reviews_open", "operator", "decision", "asked_at", "review_id"),
)
_c = registration_reviews.c


def add_review(connection: Connection, review: Review) -> None:
    """Write a review that waits for its decision."""
    connection.execute(
        registration_reviews.insert().values(
            review_id=review.review_id,
            session_id=review.session_id,
            operator=review.operator,
            asked_by=review.asked_by,
            asked_at=review.asked_at,
        )
    )


def find_review(connection: Connection, review_id: str, *, for_update: bool = False) -> Review | None:
    """Return a review; `for_update` holds it until the transaction ends."""
    query = registration_reviews.select().where(_c.review_id == review_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _review(row)


def find_waiting(connection: Connection, session_id: str) -> Review | None:
    """Return the review of a session that waits for its decision."""
    query = registration_reviews.select().where(_c.session_id == session_id, _c.decision.is_(None))
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _review(row)


def decide(
    connection: Connection, review_id: str, decision: ReviewDecision, *, by: str, why: str, now: datetime
) -> bool:
    """Write a decision down; False when there is one already."""
    changed = (
        registration_reviews.update()
        .where(_c.review_id == review_id, _c.decision.is_(None))
        .values(decision=decision.value, decided_by=by, decided_at=now, why=why)
    )
    return connection.execute(changed).rowcount == 1


def list_waiting(
    connection: Connection, *, operator: str | None, after: Sequence[Any] | None, limit: int
) -> tuple[Review, ...]:
    """Return what waits for a decision, oldest first."""
    query = registration_reviews.select().where(_c.decision.is_(None))
    if operator is not None:
        query = query.where(_c.operator == operator)
    if after is not None:
        at, review_id = after
        bound = sa.tuple_(sa.literal(at, _c.asked_at.type), sa.literal(review_id))
        query = query.where(sa.tuple_(_c.asked_at, _c.review_id) > bound)
    rows = connection.execute(query.order_by(_c.asked_at, _c.review_id).limit(limit))
    return tuple(_review(row) for row in rows)


def _review(row: Row[Any]) -> Review:
    return Review(
        review_id=row.review_id,
        session_id=row.session_id,
        operator=row.operator,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision=row.decision and ReviewDecision(row.decision),
        why=row.why,
    )
