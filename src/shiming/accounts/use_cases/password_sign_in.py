"""Signing in with a password, and choosing one with a one-time enrolment token.

The failure is counted before the password is looked at, so that many guesses at once wait like many guesses
one after another; hashing happens outside any transaction, so that nobody else waits for it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.accounts.errors import refused
from shiming.accounts.model import Account, SignInMethod
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.accounts.ports import Fact
from shiming.accounts.rules.lockout import Locked, decide_lockout
from shiming.accounts.rules.password_policy import decide_password
from shiming.accounts.store import accounts as account_store
from shiming.accounts.store import sign_in as store
from shiming.accounts.use_cases.sessions import SignedIn, open_session, record
from shiming.accounts.use_cases.tools import AccountTools, hash_of
from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KeyUse
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.permissions import asks, inside

ENROLMENT = "enrolment"


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Nobody was signed in; whether the name exists is not said."""

    code: str
    retry_after_s: int | None = None

    def problem(self) -> BadInput:
        """Return it as an error with its texts."""
        details = {} if self.retry_after_s is None else {"retry_after_s": self.retry_after_s}
        return refused(self.code, **details)


@dataclass(frozen=True, slots=True)
class _Attempt:
    row: account_store.PasswordRow | None
    name_key: str


@inside("whoever signs in is nobody yet")
def sign_in_by_password(
    tools: AccountTools, engine: Engine, *, user_name: str, password: str, replaces: str | None = None
) -> SignedIn | SignInRefused:
    """Sign in by user name and password."""
    name = user_name.strip().lower()
    attempt = transact(engine, lambda connection: _begin(tools, connection, name))
    if isinstance(attempt, SignInRefused):
        return attempt
    stored = attempt.row.password_hash if attempt.row else None
    matches = tools.passwords.matches(stored, password)
    outdated = matches and stored is not None and tools.passwords.is_outdated(stored)
    better = tools.passwords.hash(password) if outdated else None

    def work(connection: Connection) -> SignedIn | SignInRefused:
        return _end(tools, connection, attempt, matches=matches, better=better, replaces=replaces)

    return transact(engine, work)


@inside("whoever enrols proves it by the one-time token")
def enrol_password(
    tools: AccountTools, engine: Engine, *, token: str, password: str
) -> SignedIn | SignInRefused:
    """Choose a password with a one-time token and sign in; BadInput when the policy refuses it."""
    with reading(engine) as connection:
        found = store.find_secret(
            connection, secret_hash=hash_of(token), purpose=ENROLMENT, now=tools.clock.now()
        )
        account = account_store.find_account(connection, found) if found else None
    if account is None or account.disabled_at is not None:
        return SignInRefused("ENROLMENT_REFUSED")
    password_hash = _hash_of_accepted(tools, account, password)

    def work(connection: Connection) -> SignedIn | SignInRefused:
        now = tools.clock.now()
        if store.spend_secret(connection, secret_hash=hash_of(token), purpose=ENROLMENT, now=now) is None:
            return SignInRefused("ENROLMENT_REFUSED")
        _keep_password(tools, connection, account, password_hash, now)
        return open_session(tools, connection, account, SignInMethod.PASSWORD, replaces=None)

    return transact(engine, work)


@asks(MayReadOwnAccount)
def change_password(
    tools: AccountTools, engine: Engine, *, account: str, present: str, password: str
) -> SignedIn | SignInRefused:
    """Replace one's own password, knowing the present one; every session ends and a new one begins."""
    with reading(engine) as connection:
        found = account_store.find_account(connection, account)
    if found is None:
        return SignInRefused("SIGN_IN_FAILED")
    signed_in = sign_in_by_password(tools, engine, user_name=found.user_name, password=present)
    if isinstance(signed_in, SignInRefused):
        return signed_in
    password_hash = _hash_of_accepted(tools, found, password)

    def work(connection: Connection) -> SignedIn:
        _keep_password(tools, connection, found, password_hash, tools.clock.now())
        return open_session(tools, connection, found, signed_in.method, replaces=None)

    return transact(engine, work)


@inside("resetting a password forgives the failures of its name")
def name_key_of(tools: AccountTools, name: str) -> str:
    """Return the keyed hash under which failures of a user name are counted."""
    mac = tools.keys.mac(KeyUse.PSEUDONYM, canonical_bytes({"kind": "sign_in_name", "name": name}))
    return f"{mac.key_id}.{mac.value[:48]}"


def _begin(tools: AccountTools, connection: Connection, name: str) -> _Attempt | SignInRefused:
    now, name_key = tools.clock.now(), name_key_of(tools, name)
    before = store.hold_failures(connection, name_key, now)
    policy = tools.settings.lockout
    locked = decide_lockout(
        failures=before.in_a_row, last_failed_at=before.last_failed_at, now=now, policy=policy
    )
    if isinstance(locked, Locked):
        return _locked(locked, now)
    store.count_failure(connection, name_key, now)
    return _Attempt(account_store.find_by_user_name(connection, name), name_key)


def _end(
    tools: AccountTools,
    connection: Connection,
    attempt: _Attempt,
    *,
    matches: bool,
    better: str | None,
    replaces: str | None,
) -> SignedIn | SignInRefused:
    now = tools.clock.now()
    account = attempt.row.account if attempt.row else None
    if account is None or not matches or account.disabled_at is not None:
        return _failed(tools, connection, account, attempt.name_key, now)
    store.forget_failures(connection, attempt.name_key)
    if account.passkeys and account.roles & tools.settings.passkey_required:
        record(tools, connection, "login.failed", account, now, why="PASSKEY_REQUIRED")
        return SignInRefused("PASSKEY_REQUIRED")
    if better is not None:
        account_store.set_password(connection, account.reference, better, now)
    return open_session(tools, connection, account, SignInMethod.PASSWORD, replaces=replaces)


def _failed(
    tools: AccountTools, connection: Connection, account: Account | None, name_key: str, now: datetime
) -> SignInRefused:
    failures = store.failures_of(connection, name_key)
    facts: dict[str, Fact] = {
        "account": account.reference if account else None,
        "failures": failures.in_a_row,
    }
    operator = (account and account.operator) or ""
    tools.record(connection, kind="login.failed", facts=facts, now=now, operator=operator)
    locked = decide_lockout(
        failures=failures.in_a_row,
        last_failed_at=failures.last_failed_at,
        now=now,
        policy=tools.settings.lockout,
    )
    if isinstance(locked, Locked):
        tools.record(connection, kind="login.locked", facts=facts, now=now, operator=operator)
    return SignInRefused("SIGN_IN_FAILED")


def _locked(locked: Locked, now: datetime) -> SignInRefused:
    wait = None if locked.until is None else max(1, int((locked.until - now).total_seconds()))
    return SignInRefused("SIGN_IN_LOCKED", wait)


def _hash_of_accepted(tools: AccountTools, account: Account, password: str) -> str:
    flaws = decide_password(password, user_name=account.user_name)
    if flaws:
        raise refused(flaws[0].value, all=[flaw.value for flaw in flaws])
    return tools.passwords.hash(password)


def _keep_password(
    tools: AccountTools, connection: Connection, account: Account, password_hash: str, now: datetime
) -> None:
    account_store.set_password(connection, account.reference, password_hash, now)
    store.forget_failures(connection, name_key_of(tools, account.user_name))
    store.revoke_sessions_of(connection, account.reference, now)
    record(tools, connection, "credential.password_set", account, now)
