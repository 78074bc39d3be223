"""Who may ask this installation for something, and how they showed that they are who they say.

A *principal* is whoever stands behind one request: a member of staff or a machine client. Two accounts of
one human carry the same `person_key` (a keyed pseudonym of the human), so that four eyes are never two.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is employed to do."""

    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    COMPLIANCE_OFFICER = "compliance_officer"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class PrincipalKind(StrEnum):
    """A human or a program."""

    STAFF = "staff"
    CLIENT = "client"


class SignInMethod(StrEnum):
    """How a session began."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    PASSKEY = "passkey"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: staff by roles, clients by scopes; `operator` None means of the platform, not of an operator.

    `person_key` of a client is its own reference: no human approves anything through a program.
    """

    reference: str
    person_key: str = field(repr=False)
    kind: PrincipalKind
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    operator: str | None = None
    must_enrol_passkey: bool = False  # may only read about themselves and enrol, until a passkey is there


@dataclass(frozen=True, slots=True)
class Allowed:
    """The principal may do what was asked."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The principal may not; `reason` is a stable code for the log and the ledger, not for the caller."""

    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff; the user name is shown to administrators and to the person only."""

    reference: str
    user_name: str = field(repr=False)
    person_key: str = field(repr=False)
    roles: frozenset[Role]
    operator: str | None
    created_at: datetime
    version: int = 1
    disabled_at: datetime | None = None
    linked_provider: bool = False
    passkeys: int = 0


@dataclass(frozen=True, slots=True)
class Client:
    """A program that calls the API with its own credentials."""

    reference: str
    name: str
    scopes: frozenset[str]
    operator: str | None
    created_at: datetime
    version: int = 1
    disabled_at: datetime | None = None
    tokens_valid_from: datetime | None = None  # tokens issued before are refused


class DeviceKind(StrEnum):
    """What signs."""

    READER = "reader"  # the program beside a card reader
    BROWSER = "browser"  # the browser of a counter


@dataclass(frozen=True, slots=True)
class Requested:
    """What was sent: method, path, and the hashes of body and `Upload-Metadata` as a proof states them."""

    method: str
    path: str
    body_hash: str
    said_hash: str = ""


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """A device that captures evidence at an outlet, known by its public key (JWK)."""

    reference: str
    name: str
    kind: DeviceKind
    outlet: str
    operator: str | None
    public_key: str
    enrolled_at: datetime
    enrolled_by: str
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of one account; the token itself is known to the browser alone."""

    token_hash: str = field(repr=False)
    account: str
    method: SignInMethod
    created_at: datetime
    last_seen_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passkey:
    """A public key of an authenticator (WebAuthn level 3)."""

    credential_id: bytes
    account: str
    public_key: bytes = field(repr=False)
    sign_count: int
    created_at: datetime
    name: str = ""
    transports: tuple[str, ...] = ()
    last_used_at: datetime | None = None
