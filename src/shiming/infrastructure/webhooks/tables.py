"""The tables of webhooks and of their secrets."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

webhooks = sa.Table(
    "webhooks",
    schema,
    sa.Column("webhook_id", sa.String(40), primary_key=True),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("types", sa.Text, nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("disabled_at", UtcInstant),
    sa.Column("disabled_why", sa.String(40)),
    sa.Column("delivered_at", UtcInstant),
    sa.Column("failed_at", UtcInstant),
    sa.Column("failure", sa.String(40)),
    # how often in a row nobody answered, and until when nothing is sent because of that
    sa.Column("silences", sa.Integer, nullable=False, server_default="0"),
    sa.Column("resting_until", UtcInstant),
)

webhook_secrets = sa.Table(
    "webhook_secrets",
    schema,
    sa.Column("secret_id", sa.String(36), primary_key=True),
    sa.Column(
        "webhook_id", sa.ForeignKey(webhooks.c.webhook_id, ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("kek_id", sa.String(80), nullable=False, index=True),
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("valid_until", UtcInstant),
)
