"""Idempotency keys: a command that is sent twice happens once, and its answer is the same twice.

The key is written in the transaction of the command, so a crash between commit and answer loses nothing:
the repeat finds the stored answer. The same key with another body is refused.
"""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

idempotency_keys = sa.Table(
    "idempotency_keys",
    schema,
    sa.Column("client", sa.String(80), primary_key=True),
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("response_hash", sa.String(64), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False, index=True),
)
