"""Tables of lines, their registrations, cap counters and numbers.

Three walls keep the cap and the number, whatever runs at once: the counter is raised by one statement
that does nothing at the cap, a CHECK forbids more, and a partial unique index lets a number have one line
that is not terminated. A session registers one line, by its own unique key and by its row being used up.

Cap and number belong to one operator, so lines and registrations are partitioned by operator. What may not
happen across operators - one number at two of them - is kept by `numbers_in_use`, which is not partitioned:
a row as long as a line is, found and refused by its key.

Keys of partitioned tables begin with what one looks for and end with `operator`: who knows the operator
reads one partition, who does not reads one index page in each.
"""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, partitioned, schema
from shiming.registrations.model.lines import LineKind, LineStatus

lines = partitioned(
    "lines",
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("number", sa.String(64), nullable=False),  # E.164, or the account of an internet access line
    sa.Column("kind", sa.String(20), nullable=False, server_default=LineKind.MOBILE.value),
    sa.Column("product_class", sa.String(60), nullable=False),
    sa.Column("cap_scope", sa.String(80), nullable=False),  # empty: the line is not counted
    sa.Column("cap_name", sa.String(60)),  # the cap of the pack that counts it
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False),
    #: Lines of one session, counted: a person's session has the first only.
    sa.Column("position", sa.Integer, nullable=False, server_default="1"),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("registered_at", UtcInstant, nullable=False),
    sa.Column("terminated_at", UtcInstant),
    sa.Column("terminated_why", sa.String(80)),
    sa.CheckConstraint("(status = 'terminated') = (terminated_at IS NOT NULL)", name="terminated_when"),
    sa.UniqueConstraint("session_id", "position", "operator", name="uq_lines_session"),
    sa.Index("ix_lines_holder", "subject", "registered_at", "line_id"),
)
in_use = lines.c.status != LineStatus.TERMINATED.value
ended = lines.c.status == LineStatus.TERMINATED.value
sa.Index(
    "ux_lines_number_in_use",
    lines.c.number,
    lines.c.operator,
    unique=True,
    sqlite_where=in_use,
    postgresql_where=in_use,
)
sa.Index("ix_lines_number_ended", lines.c.number, sqlite_where=ended, postgresql_where=ended)

registrations = partitioned(
    "registrations",
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("act", sa.Integer, primary_key=True, autoincrement=False),  # 1: the first registration
    sa.Column("operator", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False),
    sa.Column("pack_hash", sa.String(80), nullable=False),
    sa.Column("registered_at", UtcInstant, nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),  # its content, RFC 8785; signed when it is given out
)

cap_counters = sa.Table(
    "cap_counters",
    schema,
    sa.Column("subject", sa.String(80), primary_key=True),
    sa.Column("cap_scope", sa.String(80), primary_key=True),
    sa.Column("cap_name", sa.String(60), primary_key=True),
    sa.Column("active", sa.Integer, nullable=False),
    sa.Column("cap", sa.Integer, nullable=False),  # what was allowed when the last line was counted
    #: Raised by everything that leaves less room: who decided on an older version decides again.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_registered_at", UtcInstant),
    sa.Column("day", sa.String(10)),  # of the last registration, as the policy counts days
    sa.Column("day_count", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_cap_counters_active", "cap_name", "active"),
    sa.CheckConstraint("active BETWEEN 0 AND cap", name="within_cap"),
)

numbers_in_use = sa.Table(
    "numbers_in_use",
    schema,
    sa.Column("number", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("line_id", sa.String(40), nullable=False),
)
