"""Failures, one-time secrets and sessions: what comes and goes with signing in."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.accounts.model import Session, SignInMethod
from shiming.accounts.store.tables import account_sessions as sessions
from shiming.accounts.store.tables import one_time_secrets as secrets
from shiming.accounts.store.tables import sign_in_failures as failures
from shiming.infrastructure.database import insert_into

FORGOTTEN_A_BATCH_MAX = 5_000  # one short transaction


class Failures(NamedTuple):
    """How often a name failed in a row."""

    in_a_row: int
    last_failed_at: datetime | None


def failures_of(connection: Connection, name_key: str) -> Failures:
    """Return the failures of a name."""
    row = connection.execute(sa.select(failures).where(failures.c.name_key == name_key)).first()
    return Failures(row.failures, row.last_failed_at) if row else Failures(0, None)


def count_failure(connection: Connection, name_key: str, now: datetime) -> None:
    """Count one more failure of a name that is held."""
    connection.execute(
        failures.update()
        .where(failures.c.name_key == name_key)
        .values(failures=failures.c.failures + 1, last_failed_at=now)
    )


def hold_failures(connection: Connection, name_key: str, now: datetime) -> Failures:
    """Return the failures of a name, held until the end of the transaction so that guesses queue up."""
    connection.execute(
        insert_into(connection, failures)
        .values(name_key=name_key, failures=0, last_failed_at=now)
        .on_conflict_do_nothing(index_elements=["name_key"])  # there is always a row to hold
    )
    row = connection.execute(
        sa.select(failures).where(failures.c.name_key == name_key).with_for_update()
    ).one()
    return Failures(row.failures, row.last_failed_at)


def forget_failures(connection: Connection, name_key: str) -> None:
    """Begin again with a name after a success or a reset."""
    connection.execute(failures.delete().where(failures.c.name_key == name_key))


def insert_secret(
    connection: Connection, *, secret_hash: str, purpose: str, account: str, expires_at: datetime
) -> bool:
    """Keep a one-time secret by its hash; False when it is known already."""
    written = connection.execute(
        insert_into(connection, secrets)
        .values(secret_hash=secret_hash, purpose=purpose, account=account, expires_at=expires_at)
        .on_conflict_do_nothing(index_elements=["secret_hash"])
        .returning(secrets.c.secret_hash)
    )
    return written.first() is not None


def find_secret(connection: Connection, *, secret_hash: str, purpose: str, now: datetime) -> str | None:
    """Return whose secret it is, without taking it away; None when it is not valid."""
    row = connection.execute(
        sa.select(secrets.c.account, secrets.c.expires_at).where(
            secrets.c.secret_hash == secret_hash, secrets.c.purpose == purpose
        )
    ).first()
    return str(row.account) if row and now < row.expires_at else None


def spend_secret(connection: Connection, *, secret_hash: str, purpose: str, now: datetime) -> str | None:
    """Take a one-time secret away and return whose it was ("" nobody's); None when it is not valid."""
    row = connection.execute(
        secrets.delete()
        .where(secrets.c.secret_hash == secret_hash, secrets.c.purpose == purpose)
        .returning(secrets.c.account, secrets.c.expires_at)
    ).first()
    if row is None or now >= row.expires_at:
        return None
    return str(row.account)


def withdraw_secrets(connection: Connection, *, purpose: str, account: str) -> None:
    """Make earlier secrets of an account worthless."""
    connection.execute(secrets.delete().where(secrets.c.purpose == purpose, secrets.c.account == account))


def insert_session(connection: Connection, session: Session) -> None:
    """Keep a session by the hash of its token."""
    connection.execute(
        sessions.insert().values(
            token_hash=session.token_hash,
            account=session.account,
            method=session.method.value,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
        )
    )


def find_session(connection: Connection, token_hash: str) -> Session | None:
    """Return a session."""
    row = connection.execute(sa.select(sessions).where(sessions.c.token_hash == token_hash)).first()
    return _session(row) if row else None


def session_seen(connection: Connection, token_hash: str, now: datetime) -> None:
    """Note that a session is in use; a time never goes back."""
    named = (sessions.c.token_hash == token_hash) & (sessions.c.last_seen_at < now)
    connection.execute(sessions.update().where(named).values(last_seen_at=now))


def revoke_session(connection: Connection, token_hash: str, now: datetime) -> bool:
    """End one session; False when it was over."""
    named = (sessions.c.token_hash == token_hash) & sessions.c.revoked_at.is_(None)
    return connection.execute(sessions.update().where(named).values(revoked_at=now)).rowcount == 1


def revoke_sessions_of(connection: Connection, account: str, now: datetime) -> int:
    """End all sessions of an account; return how many there were."""
    named = (sessions.c.account == account) & sessions.c.revoked_at.is_(None)
    return connection.execute(sessions.update().where(named).values(revoked_at=now)).rowcount


def forget_before(
    connection: Connection, *, secrets_at: datetime, failures_at: datetime, sessions_at: datetime
) -> int:
    """Delete what expired, in one batch of each; return how many rows went."""
    olds = (
        (secrets, secrets.c.secret_hash, secrets.c.expires_at < secrets_at),
        (failures, failures.c.name_key, failures.c.last_failed_at < failures_at),
        (sessions, sessions.c.token_hash, sessions.c.created_at < sessions_at),
    )
    gone = 0
    for table, key, is_old in olds:
        batch = sa.select(key).where(is_old).limit(FORGOTTEN_A_BATCH_MAX).scalar_subquery()
        gone += connection.execute(table.delete().where(key.in_(batch))).rowcount
    return gone


def _session(row: Row[Any]) -> Session:
    return Session(
        token_hash=row.token_hash,
        account=row.account,
        method=SignInMethod(row.method),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        revoked_at=row.revoked_at,
    )
