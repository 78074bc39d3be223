"""What the use cases of accounts work with, and the settings of one installation.

| variable | meaning | default |
|---|---|---|
| `SHIMING_PUBLIC_URL` | where the API is reached: token issuer, passkeys' domain | `http://localhost:8000` |
| `SHIMING_PASSKEY_REQUIRED_ROLES` | roles for which a password is not enough, or `none` | those below |
| `SHIMING_OIDC_ISSUER` | the operator's OpenID provider | none |
| `SHIMING_OIDC_CLIENT_ID`, `SHIMING_OIDC_CLIENT_SECRET` | our name and secret there | none |

A password is not enough for administrators, compliance officers and privacy officers, unless set otherwise.
"""

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

from shiming.accounts.connectors.openid_provider import OpenIdProvider, ProviderSettings
from shiming.accounts.connectors.passkeys import RelyingParty
from shiming.accounts.connectors.passwords import Argon2Passwords
from shiming.accounts.model import Role
from shiming.accounts.ports import Passwords, Record
from shiming.accounts.rules.lockout import LockoutPolicy
from shiming.accounts.rules.session_limits import SessionPolicy
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.encryption import KeyProvider
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import inside

SECRET_BYTES = 32  # 256 bits: nobody guesses one, so a plain SHA-256 of it may be stored
CHALLENGE_LIFE = timedelta(minutes=5)  # a little more than the browser's own time limit
ENROLMENT_LIFE = timedelta(hours=72)  # over a weekend
TOKEN_LIFE = timedelta(minutes=10)  # a stolen one is worth little; a client asks again without effort
TOKEN_CHECK_EVERY = timedelta(seconds=30)  # how long a disabled client may still get through
TOKENS_KEPT_MAX = 10_000  # about 5 MB of verified tokens in memory
SEEN_EVERY = timedelta(minutes=1)  # a session's last use is written no more often: reading stays reading
TOKEN_KEY_USED_FOR = timedelta(days=30)
PASSKEYS_MAX = 10  # of one account

_DEFAULT_ROLES = frozenset({Role.ADMINISTRATOR, Role.COMPLIANCE_OFFICER, Role.PRIVACY_OFFICER})
_DEFAULT_URL = "http://localhost:8000"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How this installation signs people and programs in."""

    public_url: str = _DEFAULT_URL
    passkey_required: frozenset[Role] = _DEFAULT_ROLES
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    lockout: LockoutPolicy = field(default_factory=LockoutPolicy)
    provider: ProviderSettings | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; raise BadInput when a value cannot be meant."""
        url = (environment.get("SHIMING_PUBLIC_URL") or _DEFAULT_URL).rstrip("/")
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not is_safe or parts.query or parts.fragment:
            raise _setting_invalid("SHIMING_PUBLIC_URL", "https://...")
        return cls(
            public_url=url,
            passkey_required=_roles(environment.get("SHIMING_PASSKEY_REQUIRED_ROLES")),
            provider=_provider(environment),
        )

    @property
    def issuer(self) -> str:
        """Who issues tokens, and for whom: this installation."""
        return self.public_url

    @property
    def cookies_secure(self) -> bool:
        """Whether cookies travel by TLS only; plain HTTP is for this machine alone."""
        return self.public_url.startswith("https://")

    @property
    def relying_party(self) -> RelyingParty:
        """Who we are to passkeys."""
        parts = urlsplit(self.public_url)
        return RelyingParty(parts.hostname or "localhost", "Shiming", (f"{parts.scheme}://{parts.netloc}",))


@dataclass(frozen=True, slots=True)
class AccountTools:
    """Gathered in wiring."""

    record: Record
    keys: KeyProvider
    clock: Clock
    settings: AccountSettings = field(default_factory=AccountSettings)
    passwords: Passwords = field(default_factory=Argon2Passwords)
    provider: OpenIdProvider | None = None
    random_bytes: Callable[[int], bytes] = os.urandom

    @inside("every use case draws its secrets here")
    def new_secret(self) -> str:
        """Return a fresh secret of 256 bits, to be shown once."""
        return base64.urlsafe_b64encode(self.random_bytes(SECRET_BYTES)).decode().rstrip("=")


@inside("secrets are stored and compared by their hash")
def hash_of(secret: str | bytes) -> str:
    """Return the SHA-256 of a random secret, hex."""
    return sha256(secret if isinstance(secret, bytes) else secret.encode(errors="replace")).hexdigest()


def _roles(text: str | None) -> frozenset[Role]:
    if text is None:
        return _DEFAULT_ROLES
    words = text.replace(",", " ").split()
    try:
        return frozenset() if words == ["none"] else frozenset(Role(word) for word in words)
    except ValueError as problem:
        raise _setting_invalid("SHIMING_PASSKEY_REQUIRED_ROLES", ", ".join(Role)) from problem


def _provider(environment: Mapping[str, str]) -> ProviderSettings | None:
    names = ("SHIMING_OIDC_ISSUER", "SHIMING_OIDC_CLIENT_ID", "SHIMING_OIDC_CLIENT_SECRET")
    issuer, client_id, secret = (environment.get(name, "") for name in names)
    if not issuer:
        return None
    if not client_id or not secret:
        raise _setting_invalid("SHIMING_OIDC_CLIENT_ID", "SHIMING_OIDC_CLIENT_ID, SHIMING_OIDC_CLIENT_SECRET")
    return ProviderSettings(issuer, client_id, secret)


def _setting_invalid(name: str, wanted: str) -> BadInput:
    return BadInput(
        "SETTING_INVALID",
        Text(zh=f"{name} 的值无效。", en=f"{name} cannot be used."),
        Text(zh=f"应为：{wanted}", en=f"Expected: {wanted}"),
        {"setting": name},
    )
