"""Accounts, their passwords, passkeys and links to the operator's provider: rows <-> model."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.accounts.base64url import from_base64url, to_base64url
from shiming.accounts.model import Account, Passkey, Role
from shiming.accounts.store.tables import account_passkeys as passkeys
from shiming.accounts.store.tables import account_provider_links as links
from shiming.accounts.store.tables import accounts
from shiming.infrastructure.database import insert_into

_a = accounts.c
_LINKED = sa.exists().where(links.c.account == _a.reference).label("linked")
_PASSKEYS = (
    sa.select(sa.func.count())
    .where(passkeys.c.account == _a.reference, passkeys.c.suspended_at.is_(None))
    .scalar_subquery()
    .label("passkeys")
)


@dataclass(frozen=True, slots=True)
class PasswordRow:
    """An account as the password sign-in sees it."""

    account: Account
    password_hash: str | None = field(repr=False)


def insert_account(connection: Connection, account: Account) -> bool:
    """Write a new account; False when the user name is taken."""
    written = connection.execute(
        insert_into(connection, accounts)
        .values(
            reference=account.reference,
            user_name=account.user_name,
            person_key=account.person_key,
            roles=words(account.roles),
            operator=account.operator or "",
            created_at=account.created_at,
            version=account.version,
        )
        .on_conflict_do_nothing(index_elements=["user_name"])
        .returning(_a.reference)
    )
    return written.first() is not None


def find_account(connection: Connection, reference: str) -> Account | None:
    """Return an account."""
    row = connection.execute(_select().where(_a.reference == reference)).first()
    return _account(row) if row else None


def find_by_user_name(connection: Connection, user_name: str) -> PasswordRow | None:
    """Return the account with this user name, and its password."""
    row = connection.execute(_select().where(_a.user_name == user_name)).first()
    return PasswordRow(_account(row), row.password_hash) if row else None


def find_by_link(connection: Connection, issuer: str, subject: str) -> Account | None:
    """Return the account that is linked to a subject of a provider."""
    linked = sa.select(links.c.account).where(links.c.issuer == issuer, links.c.subject == subject)
    row = connection.execute(_select().where(_a.reference == linked.scalar_subquery())).first()
    return _account(row) if row else None


def list_accounts(
    connection: Connection, *, operator: str | None, after: str | None, limit: int
) -> list[Account]:
    """Return accounts in the order of their references; operator None: of all, "" of the platform."""
    query = _select().order_by(_a.reference).limit(limit)
    if operator is not None:
        query = query.where(_a.operator == operator)
    if after is not None:
        query = query.where(_a.reference > after)
    return [_account(row) for row in connection.execute(query)]


def roles_of_person(connection: Connection, person_key: str, *, but: str = "") -> frozenset[Role]:
    """Return the roles of all enabled accounts of one person, but for one account."""
    rows = connection.execute(
        sa.select(_a.roles).where(_a.person_key == person_key, _a.disabled_at.is_(None), _a.reference != but)
    )
    return frozenset(Role(role) for row in rows for role in row.roles.split())


def lock_administrators(connection: Connection) -> list[str]:
    """Return the enabled administrators of the platform; held until the end of the transaction."""
    query = (
        sa.select(_a.reference, _a.roles)
        .where(_a.operator == "", _a.disabled_at.is_(None), _a.roles.contains(Role.ADMINISTRATOR.value))
        .order_by(_a.reference)
    )
    return [row.reference for row in connection.execute(query.with_for_update())]


def update_account(
    connection: Connection,
    reference: str,
    *,
    version: int,
    roles: Collection[Role],
    disabled_at: datetime | None,
) -> bool:
    """Change roles and state of the version that was read; False when it has changed since."""
    changed = connection.execute(
        accounts.update()
        .where(_a.reference == reference, _a.version == version)
        .values(roles=words(roles), disabled_at=disabled_at, version=version + 1)
    )
    return changed.rowcount == 1


def has_password(connection: Connection, reference: str) -> bool:
    """Say whether an account can sign in by password."""
    named = (_a.reference == reference) & _a.password_hash.is_not(None)
    return connection.execute(sa.select(_a.reference).where(named)).first() is not None


def set_password(connection: Connection, reference: str, password_hash: str | None, now: datetime) -> None:
    """Replace the password's hash; None takes the password away."""
    connection.execute(
        accounts.update()
        .where(_a.reference == reference)
        .values(password_hash=password_hash, password_set_at=now)
    )


def insert_link(connection: Connection, account: str, *, issuer: str, subject: str, now: datetime) -> bool:
    """Link an account to a subject of a provider; False when that is linked to another account."""
    connection.execute(
        insert_into(connection, links)
        .values(issuer=issuer, subject=subject, account=account, linked_at=now)
        .on_conflict_do_nothing(index_elements=["issuer", "subject"])
    )
    linked = find_by_link(connection, issuer, subject)
    return linked is not None and linked.reference == account


def insert_passkey(connection: Connection, passkey: Passkey) -> bool:
    """Keep a passkey; False when it is known already."""
    written = connection.execute(
        insert_into(connection, passkeys)
        .values(
            credential_id=to_base64url(passkey.credential_id),
            account=passkey.account,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            name=passkey.name,
            created_at=passkey.created_at,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(passkeys.c.credential_id)
    )
    return written.first() is not None


def find_passkey(connection: Connection, credential_id: bytes) -> Passkey | None:
    """Return a passkey that is not suspended; its row is held until the end of the transaction."""
    row = connection.execute(
        sa.select(passkeys)
        .where(passkeys.c.credential_id == to_base64url(credential_id), passkeys.c.suspended_at.is_(None))
        .with_for_update()
    ).first()
    return _passkey(row) if row else None


def passkeys_of(connection: Connection, account: str) -> list[Passkey]:
    """Return the passkeys of an account that are not suspended."""
    rows = connection.execute(
        sa.select(passkeys)
        .where(passkeys.c.account == account, passkeys.c.suspended_at.is_(None))
        .order_by(passkeys.c.created_at)
    )
    return [_passkey(row) for row in rows]


def passkey_used(connection: Connection, credential_id: bytes, *, sign_count: int, now: datetime) -> None:
    """Keep the authenticator's counter."""
    _update_passkey(connection, credential_id, sign_count=sign_count, last_used_at=now)


def suspend_passkey(connection: Connection, credential_id: bytes, now: datetime) -> None:
    """Accept a passkey no more."""
    _update_passkey(connection, credential_id, suspended_at=now)


def suspend_passkeys_of(connection: Connection, account: str, now: datetime) -> int:
    """Accept none of an account's passkeys any more; return how many there were."""
    changed = connection.execute(
        passkeys.update()
        .where(passkeys.c.account == account, passkeys.c.suspended_at.is_(None))
        .values(suspended_at=now)
    )
    return changed.rowcount


def words(values: Collection[str]) -> str:
    """Return roles or scopes as they are stored."""
    return " ".join(sorted(values))


def _update_passkey(connection: Connection, credential_id: bytes, **values: Any) -> None:
    named = passkeys.c.credential_id == to_base64url(credential_id)
    connection.execute(passkeys.update().where(named).values(**values))


def _select() -> sa.Select[Any]:
    return sa.select(accounts, _LINKED, _PASSKEYS)


def _account(row: Row[Any]) -> Account:
    return Account(
        reference=row.reference,
        user_name=row.user_name,
        person_key=row.person_key,
        roles=frozenset(Role(role) for role in row.roles.split()),
        operator=row.operator or None,
        created_at=row.created_at,
        version=row.version,
        disabled_at=row.disabled_at,
        linked_provider=bool(row.linked),
        passkeys=row.passkeys,
    )


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        credential_id=from_base64url(row.credential_id),
        account=row.account,
        public_key=row.public_key,
        sign_count=row.sign_count,
        created_at=row.created_at,
        name=row.name,
        last_used_at=row.last_used_at,
    )
