"""The tables of jobs and of the workers that run them."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

#: Written out in every query, so that PostgreSQL can match it with the partial indexes below.
ALIVE: sa.ColumnElement[bool] = sa.literal_column("state <> 'dead'")
DEAD: sa.ColumnElement[bool] = sa.literal_column("state = 'dead'")
UNIQUE_AMONG_ALIVE: sa.ColumnElement[bool] = sa.literal_column("unique_key IS NOT NULL AND state <> 'dead'")

jobs = sa.Table(
    "jobs",
    schema,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("unique_key", sa.String(200)),
    sa.Column("state", sa.String(10), nullable=False),
    # when a worker may take it: its start while it waits, the end of its lease while it runs
    sa.Column("due_at", UtcInstant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(36)),
    sa.Column("worker", sa.String(36)),
    sa.Column("enqueued_at", UtcInstant, nullable=False),
    sa.Column("failed_at", UtcInstant),
    sa.Column("error_code", sa.String(80)),
    sa.Column("error_type", sa.String(80)),
    sa.CheckConstraint("state IN ('waiting', 'running', 'dead')", name="jobs_state"),
    sa.CheckConstraint("(state = 'running') = (lease IS NOT NULL)", name="jobs_lease"),
)
sa.Index("jobs_due", jobs.c.kind, jobs.c.due_at, postgresql_where=ALIVE, sqlite_where=ALIVE)
sa.Index("jobs_dead", jobs.c.job_id, postgresql_where=DEAD, sqlite_where=DEAD)
sa.Index(
    "jobs_unique",
    jobs.c.unique_key,
    unique=True,
    postgresql_where=UNIQUE_AMONG_ALIVE,
    sqlite_where=UNIQUE_AMONG_ALIVE,
)

workers = sa.Table(
    "workers",
    schema,
    sa.Column("worker", sa.String(36), primary_key=True),
    sa.Column("started_at", UtcInstant, nullable=False),
    sa.Column("seen_at", UtcInstant, nullable=False),
    sa.Column("in_hand", sa.Integer, nullable=False),
)
