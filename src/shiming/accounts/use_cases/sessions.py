"""Sessions of staff: kept on the server, known by the hash of a random token that only the browser has."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.accounts.model import Account, Session, SignInMethod
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.accounts.ports import Fact
from shiming.accounts.store import sign_in as store
from shiming.accounts.use_cases.tools import AccountTools, hash_of
from shiming.vocabulary.permissions import asks, inside

FAILURES_KEPT = timedelta(days=7)  # after a week without a try a name begins again
SESSIONS_KEPT = timedelta(days=30)  # long over; the ledger keeps who signed in


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: `token` and `csrf_token` go to the browser and nowhere else."""

    account: Account
    method: SignInMethod
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    must_enrol_passkey: bool = False


@inside("every way of signing in ends here, in its own transaction")
def open_session(
    tools: AccountTools,
    connection: Connection,
    account: Account,
    method: SignInMethod,
    *,
    replaces: str | None,
) -> SignedIn:
    """Begin a session with a fresh token; the one that the browser had before is over (no fixation)."""
    now = tools.clock.now()
    if replaces is not None:
        store.revoke_session(connection, hash_of(replaces), now)
    token = tools.new_secret()
    store.insert_session(connection, Session(hash_of(token), account.reference, method, now, now))
    record(tools, connection, "login.succeeded", account, now, method=method.value)
    return SignedIn(account, method, token, csrf_token_of(token), must_enrol_passkey(tools, account, method))


@asks(MayReadOwnAccount)
def sign_out(tools: AccountTools, connection: Connection, account: str, token: str) -> None:
    """End the session of this token."""
    now = tools.clock.now()
    if store.revoke_session(connection, hash_of(token), now):
        tools.record(connection, kind="logout", facts={"account": account}, now=now)


@inside("a job calls it every hour")
def forget_expired(tools: AccountTools, connection: Connection) -> int:
    """Delete expired one-time secrets, old failures and old sessions, one batch of each."""
    now = tools.clock.now()
    return store.forget_before(
        connection, secrets_at=now, failures_at=now - FAILURES_KEPT, sessions_at=now - SESSIONS_KEPT
    )


@inside("the gatekeeper compares it; the sign-in hands it out")
def csrf_token_of(session_token: str) -> str:
    """Return the token that a page must send back with every change; it is bound to the session's secret."""
    mac = hmac.new(session_token.encode(errors="replace"), b"shiming csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


@inside("asked at sign-in and at every request")
def must_enrol_passkey(tools: AccountTools, account: Account, method: SignInMethod) -> bool:
    """Say whether a session may do no more than enrol a passkey: a password is not enough for this role."""
    return method is SignInMethod.PASSWORD and bool(account.roles & tools.settings.passkey_required)


@inside("every use case about one account records like this")
def record(
    tools: AccountTools, connection: Connection, kind: str, account: Account, now: datetime, **facts: Fact
) -> None:
    """Append a leaf about an account."""
    tools.record(
        connection,
        kind=kind,
        facts={"account": account.reference, **facts},
        now=now,
        operator=account.operator or "",
    )
