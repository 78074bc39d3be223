"""Cases of private transfers, the reports that joined them, and who is barred from transfers."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.jurisdictions.model import StopReason
from shiming.transfers.model.private_transfer import CaseState, PrivateTransferKind, TransferCase

_RUNNING = (
    CaseState.OPEN.value,
    CaseState.ASSESSED.value,
    CaseState.SANCTIONED.value,
    CaseState.APPEALED.value,
)

transfer_cases = sa.Table(
    "transfer_cases",
    schema,
    sa.Column("case_id", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("opened_at", UtcInstant, nullable=False),
    sa.Column("finding", sa.String(60)),
    sa.Column("evidence", sa.String(64)),
    sa.Column("stop", sa.String(40)),
    sa.Column("citation", sa.String(120)),
    sa.Column("sanctioned_by", sa.String(80)),
    sa.Column("decided_at", UtcInstant),
    sa.Index("ix_transfer_cases_operator", "operator", "case_id"),
)
_running: sa.ColumnElement[bool] = sa.literal_column(
    "state IN ('open', 'assessed', 'sanctioned', 'appealed')"
)
#: A line has one case at a time, whatever reports arrive at once.
sa.Index(
    "ux_transfer_cases_line",
    transfer_cases.c.line_id,
    unique=True,
    sqlite_where=_running,
    postgresql_where=_running,
)

transfer_reports = sa.Table(
    "transfer_reports",
    schema,
    sa.Column("case_id", sa.String(40), primary_key=True),
    sa.Column("reporter", sa.String(80), primary_key=True),  # a reference, never a name
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("reported_at", UtcInstant, nullable=False),
)

transfer_bars = sa.Table(
    "transfer_bars",
    schema,
    sa.Column("case_id", sa.String(40), primary_key=True),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("since", UtcInstant, nullable=False),
    sa.Column("lifted_at", UtcInstant),
    sa.Index("ix_transfer_bars_subject", "subject"),
)


def add_case(connection: Connection, case: TransferCase) -> bool:
    """Write a new case; False when the line has a running one."""
    statement = insert_into(connection, transfer_cases).values(
        case_id=case.case_id,
        line_id=case.line_id,
        operator=case.operator,
        subject=case.subject,
        kind=case.kind.value,
        state=case.state.value,
        version=case.version,
        reports=case.reports,
        opened_at=case.opened_at,
    )
    written = connection.execute(statement.on_conflict_do_nothing().returning(transfer_cases.c.case_id))
    return written.first() is not None


def add_report(
    connection: Connection, case_id: str, reporter: str, kind: PrivateTransferKind, now: datetime
) -> bool:
    """Join a report to a case; False when this reporter did so before."""
    statement = insert_into(connection, transfer_reports).values(
        case_id=case_id, reporter=reporter, kind=kind.value, reported_at=now
    )
    written = connection.execute(statement.on_conflict_do_nothing().returning(transfer_reports.c.case_id))
    if written.first() is None:
        return False
    more = transfer_cases.c.reports + 1
    connection.execute(
        transfer_cases.update().where(transfer_cases.c.case_id == case_id).values(reports=more)
    )
    return True


def find_case(connection: Connection, case_id: str, *, for_update: bool = False) -> TransferCase | None:
    """Return a case; `for_update` holds it until the transaction ends."""
    query = transfer_cases.select().where(transfer_cases.c.case_id == case_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _case(row)


def find_running(connection: Connection, line_id: str) -> TransferCase | None:
    """Return the case of a line that has not ended."""
    query = transfer_cases.select().where(
        transfer_cases.c.line_id == line_id, transfer_cases.c.state.in_(_RUNNING)
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else _case(row)


def change_case(connection: Connection, case: TransferCase, to: CaseState, **columns: Any) -> None:
    """Take a case that is held to another state."""
    values = {"state": to.value, "version": case.version + 1, **columns}
    connection.execute(
        transfer_cases.update().where(transfer_cases.c.case_id == case.case_id).values(**values)
    )


def list_cases(
    connection: Connection, *, operator: str | None, after: str, limit: int
) -> tuple[TransferCase, ...]:
    """Return cases in the order of their references."""
    query = transfer_cases.select().where(transfer_cases.c.case_id > after)
    if operator is not None:
        query = query.where(transfer_cases.c.operator == operator)
    rows = connection.execute(query.order_by(transfer_cases.c.case_id).limit(limit))
    return tuple(_case(row) for row in rows)


def add_bar(connection: Connection, case: TransferCase, now: datetime) -> None:
    """Bar the person of a case from transfers; the same case again bars them anew."""
    statement = insert_into(connection, transfer_bars).values(
        case_id=case.case_id, subject=case.subject, operator=case.operator, since=now
    )
    again = statement.on_conflict_do_update(
        index_elements=["case_id"], set_={"since": now, "lifted_at": None}
    )
    connection.execute(again)


def lift_bar(connection: Connection, case_id: str, now: datetime) -> None:
    """Lift what a case barred."""
    bars = transfer_bars.c
    connection.execute(
        transfer_bars.update().where(bars.case_id == case_id, bars.lifted_at.is_(None)).values(lifted_at=now)
    )


def is_barred(connection: Connection, *subjects: str) -> bool:
    """Say whether one of these people is barred from transfers, at whichever operator."""
    bars = transfer_bars.c
    query = sa.select(bars.case_id).where(bars.subject.in_(subjects), bars.lifted_at.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def _case(row: Row[Any]) -> TransferCase:
    return TransferCase(
        case_id=row.case_id,
        line_id=row.line_id,
        operator=row.operator,
        subject=row.subject,
        kind=PrivateTransferKind(row.kind),
        state=CaseState(row.state),
        version=row.version,
        reports=row.reports,
        opened_at=row.opened_at,
        finding=row.finding,
        evidence=row.evidence,
        stop=StopReason(row.stop) if row.stop else None,
        citation=row.citation,
        sanctioned_by=row.sanctioned_by,
        decided_at=row.decided_at,
    )
