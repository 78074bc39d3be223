"""The portable receipt (SD-JWT VC): what it claims, what a verifier asks, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

#: What kind of credential this is; a verifier asks for exactly this one.
VCT = "urn:shiming:registration-receipt:1"
#: No status list is kept, so a receipt is short-lived: so long can a line that ended still be shown as held.
LIFE = timedelta(days=30)
#: A proof of holding the key is made when it is asked for.
KEY_BINDING_AGE_MAX = timedelta(minutes=5)
#: Clocks of verifiers and holders differ.
CLOCK_SKEW_MAX = timedelta(minutes=1)
#: Shown to every verifier. Everything else is disclosed by the holder, claim by claim.
ALWAYS_SHOWN = frozenset({"iss", "iat", "exp", "vct", "cnf"})
ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class HolderKey:
    """The public key of the holder's wallet, as a JWK: P-256 or Ed25519."""

    jwk: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PortableIssued:
    """A receipt for a wallet; its disclosures stand in it, and nowhere else."""

    line_id: str
    sd_jwt: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PortableRefused:
    """No receipt was made, for these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class WhatIsAsked:
    """What a verifier trusts and wants: keys (JWK), issuer, kind, and a fresh proof of the holder's key.

    Without `nonce` and `audience` no proof of the key is asked for.
    """

    issuer_keys: tuple[Mapping[str, str], ...]
    issuer: str | None = None
    vct: str = VCT
    nonce: str | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class PortableGenuine:
    """What the holder disclosed; `holder_bound`: shown by who holds the key that it was made for."""

    claims: Mapping[str, Any] = field(repr=False)
    holder_bound: bool


@dataclass(frozen=True, slots=True)
class PortableNotGenuine:
    """It proves nothing, and why."""

    code: str
    text: Text
