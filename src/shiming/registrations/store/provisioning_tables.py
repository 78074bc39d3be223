"""Tables of provisioning: what the network is to do, what it was asked, and how far it has got."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.provisioning import OrderState

#: One row a service: it is locked by whoever changes anything about the orders of that service.
network_services = sa.Table(
    "network_services",
    schema,
    sa.Column("service_id", sa.String(120), primary_key=True),
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("line_id", sa.String(40)),
    sa.Column("last_sequence", sa.Integer, nullable=False),
    sa.Column("occasion", sa.String(64)),  # event that last changed holder or place
    sa.Column("wanted", sa.Text),  # DesiredService of the newest order
    sa.Column("confirmed", sa.Text),  # DesiredService that the network has confirmed
    sa.Column("confirmed_at", UtcInstant),
)

#: Lasting and temporary parts of a line's profile; each has a source, which may change its own part only.
line_profiles = sa.Table(
    "line_profiles",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("source", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("requested_at", UtcInstant, nullable=False),
    sa.Column("until", UtcInstant),
)
sa.Index("ix_line_profiles_until", line_profiles.c.until)

service_orders = sa.Table(
    "service_orders",
    schema,
    sa.Column("order_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("service_id", sa.String(120), nullable=False),
    sa.Column("line_id", sa.String(40)),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("action", sa.String(10), nullable=False),
    sa.Column("desired", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(80)),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("bss_order", sa.String(120)),
    sa.Column("confirmation", sa.String(64)),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("changed_at", UtcInstant, nullable=False),
    sa.UniqueConstraint("service_id", "operator", "sequence", name="uq_service_orders_sequence"),
)
_FINAL = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)
#: Written out, so that PostgreSQL can match it with the partial index.
OPEN: sa.ColumnElement[bool] = sa.literal_column(f"state NOT IN ({_FINAL})")
sa.Index(
    "ix_service_orders_open",
    service_orders.c.operator,
    service_orders.c.order_id,
    postgresql_where=OPEN,
    sqlite_where=OPEN,
)
sa.Index("ix_service_orders_line", service_orders.c.line_id)
sa.Index("ix_service_orders_bss", service_orders.c.operator, service_orders.c.bss_order)
sa.Index("ix_service_orders_list", service_orders.c.created_at, service_orders.c.order_id)
