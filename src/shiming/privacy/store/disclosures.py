"""Tables of disclosures, their evidence and their approvals, and all their SQL.

The database itself refuses a second approval by one human (primary key) and a change of what was executed.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, guard, schema
from shiming.privacy.model import Purpose
from shiming.privacy.rules.disclosure import Actor, Approval, Disclosure, DisclosureRequest

disclosures = sa.Table(
    "disclosures",
    schema,
    sa.Column("disclosure_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("recipient", sa.String(200), nullable=False),
    sa.Column("legal_basis", sa.String(200), nullable=False),
    sa.Column("case_reference", sa.String(80), nullable=False),
    sa.Column("deferred_until", UtcInstant),
    sa.Column("requested_by", sa.String(80), nullable=False),
    sa.Column("requester_key", sa.String(120), nullable=False),
    sa.Column("requested_at", UtcInstant, nullable=False),
    sa.Column("approvals_required", sa.Integer, nullable=False),
    sa.Column("approve_before", UtcInstant, nullable=False),
    sa.Column("execution_hours", sa.Integer, nullable=False),
    sa.Column("execute_before", UtcInstant),
    sa.Column("executed_by", sa.String(80)),
    sa.Column("executed_at", UtcInstant),
    sa.Column("refused_by", sa.String(80)),
    sa.Column("refused_at", UtcInstant),
    sa.Column("refused_why", sa.String(200)),
    sa.Column("expired_at", UtcInstant),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("executed_at IS NULL OR execute_before IS NOT NULL", name="executed_after_approval"),
    sa.CheckConstraint("executed_at IS NULL OR refused_at IS NULL", name="executed_or_refused"),
    sa.Index("ix_disclosures_requested", "requested_at", "disclosure_id"),
)
guard(
    disclosures,
    "disclosures_end_once",
    "UPDATE",
    "a disclosure ends once",
    "OLD.executed_at IS NOT NULL OR OLD.refused_at IS NOT NULL OR OLD.expired_at IS NOT NULL",
)
guard(disclosures, "disclosures_no_delete", "DELETE", "a disclosure stays on record")

disclosure_items = sa.Table(
    "disclosure_items",
    schema,
    sa.Column("disclosure_id", sa.ForeignKey(disclosures.c.disclosure_id), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("evidence_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("disclosure_id", "evidence_id"),
)
guard(disclosure_items, "disclosure_items_no_update", "UPDATE", "what was asked for stays")
guard(disclosure_items, "disclosure_items_no_delete", "DELETE", "what was asked for stays")

disclosure_approvals = sa.Table(
    "disclosure_approvals",
    schema,
    sa.Column("disclosure_id", sa.ForeignKey(disclosures.c.disclosure_id), primary_key=True),
    sa.Column("person_key", sa.String(120), primary_key=True),
    sa.Column("account", sa.String(80), nullable=False),
    sa.Column("approved_at", UtcInstant, nullable=False),
    sa.UniqueConstraint("disclosure_id", "account"),
)
guard(disclosure_approvals, "disclosure_approvals_no_update", "UPDATE", "who approved stays")
guard(disclosure_approvals, "disclosure_approvals_no_delete", "DELETE", "who approved stays")

_STEP_COLUMNS = (
    "execute_before",
    "executed_by",
    "executed_at",
    "refused_by",
    "refused_at",
    "refused_why",
    "expired_at",
    "version",
)


def insert_disclosure(connection: Connection, disclosure: Disclosure) -> None:
    """Add a request and what it lists."""
    request = disclosure.request
    connection.execute(
        disclosures.insert().values(
            disclosure_id=disclosure.disclosure_id,
            operator=request.operator,
            subject=request.subject,
            purpose=request.purpose.value,
            recipient=request.recipient,
            legal_basis=request.legal_basis,
            case_reference=request.case_reference,
            deferred_until=request.deferred_until,
            requested_by=disclosure.requested_by.account,
            requester_key=disclosure.requested_by.person_key,
            requested_at=disclosure.requested_at,
            approvals_required=disclosure.approvals_required,
            approve_before=disclosure.approve_before,
            execution_hours=disclosure.execution_hours,
            version=disclosure.version,
        )
    )
    connection.execute(
        disclosure_items.insert(),
        [
            {"disclosure_id": disclosure.disclosure_id, "position": position, "evidence_id": evidence_id}
            for position, evidence_id in enumerate(request.evidence_ids)
        ],
    )


def find_disclosure(
    connection: Connection, disclosure_id: str, *, for_change: bool = False
) -> Disclosure | None:
    """Return a disclosure; `for_change` holds its row until the end of the transaction."""
    query = disclosures.select().where(disclosures.c.disclosure_id == disclosure_id)
    row = connection.execute(query.with_for_update() if for_change else query).first()
    return None if row is None else _with_parts(connection, (row,))[0]


def list_disclosures(
    connection: Connection,
    *,
    limit: int,
    operator: str | None = None,
    subject: str | None = None,
    after: tuple[datetime, str] | None = None,
) -> tuple[Disclosure, ...]:
    """Return disclosures, newest first; `after` is the last one of the page before."""
    query = (
        disclosures.select()
        .order_by(disclosures.c.requested_at.desc(), disclosures.c.disclosure_id.desc())
        .limit(limit)
    )
    if operator is not None:
        query = query.where(disclosures.c.operator == operator)
    if subject is not None:
        query = query.where(disclosures.c.subject == subject)
    if after is not None:
        place = sa.tuple_(disclosures.c.requested_at, disclosures.c.disclosure_id)
        query = query.where(place < sa.tuple_(sa.literal(after[0], UtcInstant), sa.literal(after[1])))
    return _with_parts(connection, tuple(connection.execute(query)))


def list_overdue(connection: Connection, now: datetime, limit: int) -> tuple[Disclosure, ...]:
    """Return open disclosures whose deadline has passed, held until the end of the transaction."""
    query = (
        disclosures.select()
        .where(
            disclosures.c.executed_at.is_(None),
            disclosures.c.refused_at.is_(None),
            disclosures.c.expired_at.is_(None),
            sa.func.coalesce(disclosures.c.execute_before, disclosures.c.approve_before, type_=UtcInstant)
            <= now,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return _with_parts(connection, tuple(connection.execute(query)))


def save_step(connection: Connection, before: Disclosure, after: Disclosure) -> bool:
    """Write a step; False when another one was faster."""
    changed = connection.execute(
        disclosures.update()
        .where(
            disclosures.c.disclosure_id == before.disclosure_id,
            disclosures.c.version == before.version,
        )
        .values(**{name: getattr(after, name) for name in _STEP_COLUMNS})
    )
    if changed.rowcount != 1:
        return False
    for approval in after.approvals[len(before.approvals) :]:
        connection.execute(
            disclosure_approvals.insert().values(
                disclosure_id=after.disclosure_id,
                person_key=approval.by.person_key,
                account=approval.by.account,
                approved_at=approval.at,
            )
        )
    return True


def _with_parts(connection: Connection, rows: tuple[Row[Any], ...]) -> tuple[Disclosure, ...]:
    ids = [row.disclosure_id for row in rows]
    items: dict[str, list[str]] = {each: [] for each in ids}
    approvals: dict[str, list[Approval]] = {each: [] for each in ids}
    for row in connection.execute(
        disclosure_items.select()
        .where(disclosure_items.c.disclosure_id.in_(ids))
        .order_by(disclosure_items.c.disclosure_id, disclosure_items.c.position)
    ):
        items[row.disclosure_id].append(row.evidence_id)
    for row in connection.execute(
        disclosure_approvals.select()
        .where(disclosure_approvals.c.disclosure_id.in_(ids))
        .order_by(disclosure_approvals.c.approved_at, disclosure_approvals.c.account)
    ):
        approvals[row.disclosure_id].append(Approval(Actor(row.account, row.person_key), row.approved_at))
    return tuple(
        _disclosure(row, tuple(items[row.disclosure_id]), tuple(approvals[row.disclosure_id])) for row in rows
    )


def _disclosure(row: Row[Any], evidence_ids: tuple[str, ...], approvals: tuple[Approval, ...]) -> Disclosure:
    return Disclosure(
        disclosure_id=row.disclosure_id,
        request=DisclosureRequest(
            subject=row.subject,
            evidence_ids=evidence_ids,
            purpose=Purpose(row.purpose),
            recipient=row.recipient,
            legal_basis=row.legal_basis,
            case_reference=row.case_reference,
            deferred_until=row.deferred_until,
            operator=row.operator,
        ),
        requested_by=Actor(row.requested_by, row.requester_key),
        requested_at=row.requested_at,
        approvals_required=row.approvals_required,
        approve_before=row.approve_before,
        execution_hours=row.execution_hours,
        approvals=approvals,
        **{name: getattr(row, name) for name in _STEP_COLUMNS},
    )
