"""Passkeys: enrolling one, and signing in with one.

Every challenge is stored by its hash and taken away by the answer, whether that holds or not: no answer is
good twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.accounts.connectors import passkeys as ceremony
from shiming.accounts.errors import refused
from shiming.accounts.model import Account, Passkey, SignInMethod
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.accounts.store import accounts as account_store
from shiming.accounts.store import sign_in as store
from shiming.accounts.use_cases.password_sign_in import SignInRefused
from shiming.accounts.use_cases.sessions import SignedIn, open_session, record
from shiming.accounts.use_cases.tools import (
    CHALLENGE_LIFE,
    PASSKEYS_MAX,
    SECRET_BYTES,
    AccountTools,
    hash_of,
)
from shiming.vocabulary.permissions import asks, inside

_SIGN_IN, _ENROL = "passkey.sign_in", "passkey.enrol"


@dataclass(frozen=True, slots=True)
class EnrolledPasskey:
    """A new passkey and the session that goes on with it."""

    passkey: Passkey
    session: SignedIn


@asks(MayReadOwnAccount)
def begin_enrolment(tools: AccountTools, connection: Connection, account: str) -> dict[str, Any]:
    """Return the options for a new passkey of this account."""
    found = _get_account(connection, account)
    known = account_store.passkeys_of(connection, account)
    if len(known) >= PASSKEYS_MAX:
        raise refused("PASSKEYS_TOO_MANY", max=PASSKEYS_MAX)
    return ceremony.enrolment_options(
        tools.settings.relying_party,
        account=account,
        user_name=found.user_name,
        challenge=_new_challenge(tools, connection, _ENROL, account),
        known=[passkey.credential_id for passkey in known],
    )


@asks(MayReadOwnAccount)
def enrol_passkey(
    tools: AccountTools,
    connection: Connection,
    account: str,
    response: Mapping[str, Any],
    *,
    name: str = "",
    replaces: str | None = None,
) -> EnrolledPasskey | SignInRefused:
    """Keep the key that an authenticator made for this account.

    The session that did it is replaced by one that began with a passkey: its holder has just used it.
    """
    now = tools.clock.now()
    challenge = ceremony.challenge_of(response)
    owner = _spend(connection, challenge, _ENROL, now)
    enrolled = (
        ceremony.verify_enrolment(tools.settings.relying_party, response, challenge=challenge)
        if challenge is not None and owner == account
        else None
    )
    if enrolled is None:
        return SignInRefused("PASSKEY_REFUSED")
    passkey = Passkey(
        credential_id=enrolled.credential_id,
        account=account,
        public_key=enrolled.public_key,
        sign_count=enrolled.sign_count,
        created_at=now,
        name=name,
    )
    if not account_store.insert_passkey(connection, passkey):
        return SignInRefused("PASSKEY_REFUSED")
    found = _get_account(connection, account)
    record(tools, connection, "credential.passkey_enrolled", found, now, passkey=_name_of(passkey))
    found = _get_account(connection, account)  # it counts its passkeys
    session = open_session(tools, connection, found, SignInMethod.PASSKEY, replaces=replaces)
    return EnrolledPasskey(passkey, session)


@inside("whoever signs in is nobody yet")
def begin_sign_in(tools: AccountTools, connection: Connection) -> dict[str, Any]:
    """Return the options for signing in with any passkey of this installation."""
    challenge = _new_challenge(tools, connection, _SIGN_IN, "")
    return ceremony.sign_in_options(tools.settings.relying_party, challenge=challenge)


@inside("whoever signs in is nobody yet")
def sign_in_by_passkey(
    tools: AccountTools, connection: Connection, response: Mapping[str, Any], *, replaces: str | None = None
) -> SignedIn | SignInRefused:
    """Sign in with the answer of an authenticator.

    (1) the challenge is ours, fresh and unused  (2) the key is known and its account enabled
    (3) origin, domain, presence, verification and signature hold  (4) the key's counter went forward
    """
    now = tools.clock.now()
    challenge, credential = ceremony.challenge_of(response), ceremony.credential_of(response)
    if challenge is None or _spend(connection, challenge, _SIGN_IN, now) is None:
        return SignInRefused("PASSKEY_REFUSED")
    passkey = account_store.find_passkey(connection, credential) if credential else None
    account = account_store.find_account(connection, passkey.account) if passkey else None
    if passkey is None or account is None or account.disabled_at is not None:
        return SignInRefused("PASSKEY_REFUSED")
    count = ceremony.verify_sign_in(
        tools.settings.relying_party, response, challenge=challenge, public_key=passkey.public_key
    )
    if count is None:
        record(tools, connection, "login.failed", account, now, why="PASSKEY_REFUSED")
        return SignInRefused("PASSKEY_REFUSED")
    if (count or passkey.sign_count) and count <= passkey.sign_count:  # WebAuthn section 7.2, step 22
        account_store.suspend_passkey(connection, passkey.credential_id, now)
        record(tools, connection, "credential.passkey_suspended", account, now, passkey=_name_of(passkey))
        return SignInRefused("PASSKEY_SUSPENDED")
    account_store.passkey_used(connection, passkey.credential_id, sign_count=count, now=now)
    return open_session(tools, connection, account, SignInMethod.PASSKEY, replaces=replaces)


def _new_challenge(tools: AccountTools, connection: Connection, purpose: str, account: str) -> bytes:
    challenge = tools.random_bytes(SECRET_BYTES)
    expires_at = tools.clock.now() + CHALLENGE_LIFE
    store.insert_secret(
        connection, secret_hash=hash_of(challenge), purpose=purpose, account=account, expires_at=expires_at
    )
    return challenge


def _spend(connection: Connection, challenge: bytes | None, purpose: str, now: datetime) -> str | None:
    if challenge is None:
        return None
    return store.spend_secret(connection, secret_hash=hash_of(challenge), purpose=purpose, now=now)


def _get_account(connection: Connection, reference: str) -> Account:
    found = account_store.find_account(connection, reference)
    if found is None:
        raise refused("ACCOUNT_UNKNOWN")
    return found


def _name_of(passkey: Passkey) -> str:
    """Return how a passkey is named in the ledger."""
    return f"sha256.{hash_of(passkey.credential_id)[:32]}"
