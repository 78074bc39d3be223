"""Tables of comparisons with networks."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

reconciliations = sa.Table(
    "reconciliations",
    schema,
    sa.Column("reconciliation_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("started_at", UtcInstant, nullable=False, index=True),
    sa.Column("finished_at", UtcInstant),
    sa.Column("failure", sa.String(80)),
    sa.Column("repair", sa.Boolean, nullable=False),
    sa.Column("stop_unknown", sa.Boolean, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False, server_default="0"),
    sa.Column("services", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unreadable", sa.Integer, nullable=False, server_default="0"),
    sa.Column("under_way", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ordered", sa.Integer, nullable=False, server_default="0"),
    sa.Column("found", sa.Text, nullable=False, server_default="{}"),  # counts by kind, JSON
)

line_drifts = sa.Table(
    "line_drifts",
    schema,
    sa.Column(
        "reconciliation_id",
        sa.ForeignKey(reconciliations.c.reconciliation_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("service_id", sa.String(120), primary_key=True),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("registry", sa.String(20)),
    sa.Column("network", sa.String(60)),
    sa.Column("differs", sa.Text, nullable=False),  # names only
    sa.Column("order_id", sa.String(40)),
)
