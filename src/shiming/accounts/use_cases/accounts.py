"""Accounts of staff: who gives, changes and takes them away; each change is a leaf of the ledger."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection

from shiming.accounts.errors import refused
from shiming.accounts.model import Account, Passkey, Role
from shiming.accounts.permissions import MayManageAccounts, MayReadOwnAccount
from shiming.accounts.rules.roles import RoleFlaw, decide_change, decide_roles
from shiming.accounts.store import accounts as store
from shiming.accounts.store import sign_in as sign_in_store
from shiming.accounts.use_cases.password_sign_in import ENROLMENT, name_key_of
from shiming.accounts.use_cases.sessions import record
from shiming.accounts.use_cases.tools import ENROLMENT_LIFE, AccountTools, hash_of
from shiming.infrastructure.encryption import subject_pseudonym
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

ACCOUNT_PREFIX = "ACC"
LOCAL = "local"  # who runs a command on the machine itself, with the installation's keys
_USER_NAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")
_PERSON_NUMBER = re.compile(r"[\w\s./()-]{3,40}")
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed for an account; `person_number` tells one human from another and is not stored."""

    user_name: str
    person_number: str = field(repr=False)
    roles: frozenset[Role]
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: reference and person key."""

    reference: str = LOCAL
    person_key: str = field(default="", repr=False)


@asks(MayManageAccounts)
def create_account(tools: AccountTools, connection: Connection, wanted: NewAccount, *, by: Actor) -> Account:
    """Create an account without any credential; BadInput for what cannot be an account."""
    user_name = wanted.user_name.strip().lower()
    if not _USER_NAME.fullmatch(user_name):
        raise refused("USER_NAME_FORMAT")
    person_key = person_key_of(tools, wanted.person_number)
    _refuse_flaws(decide_roles(wanted.roles, others_of_person=store.roles_of_person(connection, person_key)))
    account = Account(
        reference=str(ReferenceNumber.create(ACCOUNT_PREFIX, tools.random_bytes(RANDOM_BYTES))),
        user_name=user_name,
        person_key=person_key,
        roles=wanted.roles,
        operator=parse_operator(wanted.operator),
        created_at=tools.clock.now(),
    )
    if not store.insert_account(connection, account):
        raise refused("USER_NAME_TAKEN")
    roles = store.words(account.roles).replace(" ", ",")
    record(tools, connection, "account.created", account, account.created_at, roles=roles, by=by.reference)
    return account


@asks(MayManageAccounts)
def invite(tools: AccountTools, connection: Connection, account: Account, *, by: Actor) -> str:
    """Return a one-time token with which the person chooses a first password; earlier ones are worthless.

    Who has credentials is not invited again: a reset ends their sessions, which they notice.
    """
    if account.disabled_at is not None:
        raise refused("ACCOUNT_DISABLED")
    if account.passkeys or store.has_password(connection, account.reference):
        raise refused("CREDENTIALS_EXIST")
    return _invitation(tools, connection, account, by)


@asks(MayManageAccounts)
def reset_credentials(
    tools: AccountTools, connection: Connection, account: Account, *, by: Actor, passkeys: bool = False
) -> str:
    """Take the password away (and the passkeys), end every session, and return a new one-time token."""
    _refuse_own(by, account)
    if account.disabled_at is not None:
        raise refused("ACCOUNT_DISABLED")
    now = tools.clock.now()
    store.set_password(connection, account.reference, None, now)
    suspended = store.suspend_passkeys_of(connection, account.reference, now) if passkeys else 0
    sign_in_store.forget_failures(connection, name_key_of(tools, account.user_name))
    sign_in_store.revoke_sessions_of(connection, account.reference, now)
    record(tools, connection, "credential.reset", account, now, passkeys=suspended, by=by.reference)
    return _invitation(tools, connection, account, by)


@asks(MayManageAccounts)
def change_roles(
    tools: AccountTools, connection: Connection, account: Account, roles: Collection[Role], *, by: Actor
) -> Account:
    """Give an account other roles; its sessions go on with them at once."""
    others = store.roles_of_person(connection, account.person_key, but=account.reference)
    _refuse_flaws(decide_roles(roles, others_of_person=others))
    changed = _change(connection, replace(account, roles=frozenset(roles)), before=account, by=by)
    record(
        tools,
        connection,
        "account.roles_changed",
        account,
        tools.clock.now(),
        roles=store.words(roles).replace(" ", ","),
        by=by.reference,
    )
    return changed


@asks(MayManageAccounts)
def disable_account(tools: AccountTools, connection: Connection, account: Account, *, by: Actor) -> Account:
    """Let an account sign in no more and end its sessions; a repeat changes nothing."""
    if account.disabled_at is not None:
        return account
    now = tools.clock.now()
    disabled = _change(connection, replace(account, disabled_at=now), before=account, by=by)
    sign_in_store.revoke_sessions_of(connection, account.reference, now)
    sign_in_store.withdraw_secrets(connection, purpose=ENROLMENT, account=account.reference)
    record(tools, connection, "account.disabled", account, now, by=by.reference)
    return disabled


@asks(MayManageAccounts)
def enable_account(tools: AccountTools, connection: Connection, account: Account, *, by: Actor) -> Account:
    """Let a disabled account sign in again with its own credentials; a repeat changes nothing.

    The roles of the person's other accounts may have changed meanwhile: all of them must still go together.
    """
    if account.disabled_at is None:
        return account
    others = store.roles_of_person(connection, account.person_key, but=account.reference)
    _refuse_flaws(decide_roles(account.roles, others_of_person=others))
    enabled = _change(connection, replace(account, disabled_at=None), before=account, by=by)
    record(tools, connection, "account.enabled", account, tools.clock.now(), by=by.reference)
    return enabled


@asks(MayManageAccounts)
def end_sessions(tools: AccountTools, connection: Connection, account: Account, *, by: Actor) -> int:
    """End every session of an account, wherever it is signed in; return how many there were.

    Nothing else changes: who lost a device signs in anew with the same credentials. One's own may be ended.
    """
    now = tools.clock.now()
    ended = sign_in_store.revoke_sessions_of(connection, account.reference, now)
    if ended:
        record(tools, connection, "account.sessions_ended", account, now, sessions=ended, by=by.reference)
    return ended


@asks(MayManageAccounts)
def link_provider(
    tools: AccountTools, connection: Connection, account: Account, *, issuer: str, subject: str, by: Actor
) -> None:
    """Let a subject of the operator's provider sign in to this account."""
    _refuse_own(by, account)
    now = tools.clock.now()
    if not store.insert_link(connection, account.reference, issuer=issuer, subject=subject, now=now):
        raise refused("PROVIDER_LINK_TAKEN")
    record(tools, connection, "account.provider_linked", account, now, by=by.reference)


@asks(MayManageAccounts)
def get_account(connection: Connection, reference: str) -> Account:
    """Return an account; BadInput when there is none."""
    found = store.find_account(connection, reference)
    if found is None:
        raise refused("ACCOUNT_UNKNOWN")
    return found


@asks(MayManageAccounts)
def get_account_by_name(connection: Connection, user_name: str) -> Account:
    """Return the account with this user name; BadInput when there is none."""
    found = store.find_by_user_name(connection, user_name.strip().lower())
    if found is None:
        raise refused("ACCOUNT_UNKNOWN")
    return found.account


@asks(MayManageAccounts)
def list_accounts(
    connection: Connection, *, operator: str | None, after: str | None = None, limit: int
) -> list[Account]:
    """Return accounts by reference; operator None: of all operators and of the platform."""
    return store.list_accounts(connection, operator=operator, after=after, limit=limit)


@asks(MayReadOwnAccount)
def show_own_account(connection: Connection, reference: str) -> tuple[Account, list[Passkey]]:
    """Return one's own account and passkeys."""
    found = store.find_account(connection, reference)
    if found is None:
        raise refused("ACCOUNT_UNKNOWN")
    return found, store.passkeys_of(connection, reference)


@inside("accounts are created with it")
def person_key_of(tools: AccountTools, person_number: str) -> str:
    """Return the keyed pseudonym of a member of staff; the number itself is kept nowhere."""
    if not _PERSON_NUMBER.fullmatch(person_number.strip()):
        raise refused("PERSON_NUMBER_FORMAT")
    return subject_pseudonym(tools.keys, "staff_number", person_number)


@inside("accounts and clients are bound by it")
def parse_operator(text: str | None) -> str | None:
    """Return the code of an operator; None and "" mean the platform."""
    if not text:
        return None
    if not _OPERATOR.fullmatch(text):
        raise refused("OPERATOR_FORMAT")
    return text


@inside("commands and routes read role names with it")
def parse_roles(names: Collection[str]) -> frozenset[Role]:
    """Return the roles of these names; BadInput for one that does not exist."""
    unknown = set(names) - set(Role)
    if unknown:
        raise refused("ROLE_UNKNOWN", known=[role.value for role in Role])
    return frozenset(Role(name) for name in names)


def _invitation(tools: AccountTools, connection: Connection, account: Account, by: Actor) -> str:
    now, token = tools.clock.now(), tools.new_secret()
    sign_in_store.withdraw_secrets(connection, purpose=ENROLMENT, account=account.reference)
    sign_in_store.insert_secret(
        connection,
        secret_hash=hash_of(token),
        purpose=ENROLMENT,
        account=account.reference,
        expires_at=now + ENROLMENT_LIFE,
    )
    record(tools, connection, "account.invited", account, now, by=by.reference)
    return token


def _change(connection: Connection, after: Account, *, before: Account, by: Actor) -> Account:

    takes_last = (
        _is_platform_administrator(before)
        and not _is_platform_administrator(after)
        and store.lock_administrators(connection) == [before.reference]
    )
    _refuse_flaws(
        decide_change(
            by_person=by.person_key, of_person=before.person_key, takes_last_administrator=takes_last
        )
    )
    changed = store.update_account(
        connection,
        before.reference,
        version=before.version,
        roles=after.roles,
        disabled_at=after.disabled_at,
    )
    if not changed:
        raise refused("VERSION_CHANGED")
    return replace(after, version=before.version + 1)


def _is_platform_administrator(account: Account) -> bool:
    return account.operator is None and account.disabled_at is None and Role.ADMINISTRATOR in account.roles


def _refuse_own(by: Actor, account: Account) -> None:
    _refuse_flaws(
        decide_change(by_person=by.person_key, of_person=account.person_key, takes_last_administrator=False)
    )


def _refuse_flaws(flaws: tuple[RoleFlaw, ...]) -> None:
    if flaws:
        raise refused(flaws[0].value, all=[flaw.value for flaw in flaws])
