"""Tables of the number pool.

A number is free when it lies in a block of the operator, in no excluded range, and nobody holds it: neither
a row here that has not run out (reserved, resting after use) nor a line (`numbers_in_use`). So a pool of a
hundred million numbers costs as many rows as it has blocks, and a registration need not write to it.
"""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

#: Ranges of numbers of one length; compared as text, which is right for E.164 of equal length.
number_blocks = sa.Table(
    "number_blocks",
    schema,
    sa.Column("block_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("first", sa.String(16), nullable=False),
    sa.Column("last", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),  # LineKind
    sa.Column("excluded", sa.Boolean, nullable=False),  # never given out
    sa.Column("added_at", UtcInstant, nullable=False),
    sa.UniqueConstraint("first", "last", "excluded", name="uq_number_blocks"),
    sa.CheckConstraint("first <= last AND length(first) = length(last)", name="range_in_order"),
)
sa.Index("ix_number_blocks_range", number_blocks.c.first, number_blocks.c.last)

numbers_held = sa.Table(
    "numbers_held",
    schema,
    sa.Column("number", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # reserved | quarantine
    sa.Column("held_for", sa.String(64)),  # SES-... or ORG-... of a reservation
    sa.Column("until", UtcInstant, nullable=False),
)
sa.Index("ix_numbers_held_until", numbers_held.c.until)
sa.Index("ix_numbers_held_for", numbers_held.c.held_for)
