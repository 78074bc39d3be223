"""The tables of accounts; `operator` is "" for the platform, roles and scopes are sorted words."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

_REFERENCE = 40
_HASH = 64

accounts = sa.Table(
    "accounts",
    schema,
    sa.Column("reference", sa.String(_REFERENCE), primary_key=True),
    sa.Column("user_name", sa.String(80), nullable=False, unique=True),
    sa.Column("person_key", sa.String(80), nullable=False, index=True),
    sa.Column("roles", sa.String(200), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("disabled_at", UtcInstant),
    sa.Column("password_hash", sa.String(200)),
    sa.Column("password_set_at", UtcInstant),
)

account_passkeys = sa.Table(
    "account_passkeys",
    schema,
    sa.Column("credential_id", sa.String(1400), primary_key=True),  # base64url of at most 1023 bytes
    sa.Column(
        "account", sa.String(_REFERENCE), sa.ForeignKey("accounts.reference"), nullable=False, index=True
    ),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("last_used_at", UtcInstant),
    sa.Column("suspended_at", UtcInstant),  # its counter went backwards: there may be a copy
)

account_provider_links = sa.Table(
    "account_provider_links",
    schema,
    sa.Column("issuer", sa.String(400), primary_key=True),
    sa.Column("subject", sa.String(255), primary_key=True),  # OpenID Connect Core, section 2: at most 255
    sa.Column(
        "account", sa.String(_REFERENCE), sa.ForeignKey("accounts.reference"), nullable=False, index=True
    ),
    sa.Column("linked_at", UtcInstant, nullable=False),
)

account_sessions = sa.Table(
    "account_sessions",
    schema,
    sa.Column("token_hash", sa.String(_HASH), primary_key=True),
    sa.Column(
        "account", sa.String(_REFERENCE), sa.ForeignKey("accounts.reference"), nullable=False, index=True
    ),
    sa.Column("method", sa.String(20), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False, index=True),
    sa.Column("last_seen_at", UtcInstant, nullable=False),
    sa.Column("revoked_at", UtcInstant),
)

#: Failures in a row by keyed hash of the name that was typed, known or not: no name, and no password typed
#: into the wrong field, is kept.
sign_in_failures = sa.Table(
    "sign_in_failures",
    schema,
    sa.Column("name_key", sa.String(80), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_failed_at", UtcInstant, nullable=False, index=True),
)

#: Challenges, states, enrolment tokens and assertion ids: known by their hash, good once and for a while.
one_time_secrets = sa.Table(
    "one_time_secrets",
    schema,
    sa.Column("secret_hash", sa.String(_HASH), primary_key=True),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("account", sa.String(_REFERENCE), nullable=False),  # "" where nobody is known yet
    sa.Column("expires_at", UtcInstant, nullable=False, index=True),
)

machine_clients = sa.Table(
    "machine_clients",
    schema,
    sa.Column("reference", sa.String(_REFERENCE), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("scopes", sa.String(600), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("secret_hash", sa.String(_HASH)),
    sa.Column("public_keys", sa.Text),  # a JSON Web Key Set, for private_key_jwt
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("disabled_at", UtcInstant),
    sa.Column("tokens_valid_from", UtcInstant),
)

token_keys = sa.Table(
    "token_keys",
    schema,
    sa.Column("key_id", sa.String(_HASH), primary_key=True),
    sa.Column("public_key", sa.String(80), nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("kek_id", sa.String(80), nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
)
