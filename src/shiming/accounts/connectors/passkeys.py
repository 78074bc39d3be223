"""WebAuthn level 3 ceremonies by py_webauthn: what the browser is asked for, and whether the answer holds.

User verification (PIN, finger, face on the person's own device) is always required, so that a passkey counts
as two factors, and keys are discoverable, so that nobody learns from a user name which keys exist.
Attestation is not asked for: which make of authenticator a clerk uses is not this program's business.
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import webauthn
from webauthn.helpers import options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shiming.accounts.base64url import from_base64url

TIMEOUT_MS = 120_000  # time to look for the key; the challenge lives a little longer
RESPONSE_CHARACTERS_MAX = 20_000  # an attestation with certificates has some 5 000
_MALFORMED = (WebAuthnException, ValueError, LookupError, TypeError, AttributeError, binascii.Error)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who we are to an authenticator: the domain, a name to show, and the origins that pages come from."""

    domain: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrolledKey:
    """What an authenticator gave us at enrolment."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


def enrolment_options(
    party: RelyingParty, *, account: str, user_name: str, challenge: bytes, known: Sequence[bytes]
) -> dict[str, Any]:
    """Return the options for navigator.credentials.create(); an authenticator that is known is left out."""
    options = webauthn.generate_registration_options(
        rp_id=party.domain,
        rp_name=party.name,
        user_id=account.encode(),
        user_name=user_name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key) for key in known],
    )
    return _as_json(options)


def sign_in_options(party: RelyingParty, *, challenge: bytes) -> dict[str, Any]:
    """Return the options for navigator.credentials.get()."""
    options = webauthn.generate_authentication_options(
        rp_id=party.domain,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _as_json(options)


def verify_enrolment(
    party: RelyingParty, response: Mapping[str, Any], *, challenge: bytes
) -> EnrolledKey | None:
    """Return the new key; None when anything about the answer does not hold."""
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(response),
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return EnrolledKey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def verify_sign_in(
    party: RelyingParty, response: Mapping[str, Any], *, challenge: bytes, public_key: bytes
) -> int | None:
    """Return the authenticator's counter; None when anything about the answer does not hold.

    Whether the counter went backwards is the caller's to decide: that is a sign of a copied key, not of a
    wrong one.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=dict(response),
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED:
        return None
    return verified.new_sign_count


def challenge_of(response: Mapping[str, Any]) -> bytes | None:
    """Return the challenge that the browser says it answered; None when there is none to be read."""
    try:
        client_data = json.loads(from_base64url(response["response"]["clientDataJSON"]))
        return from_base64url(client_data["challenge"])
    except _MALFORMED:
        return None


def credential_of(response: Mapping[str, Any]) -> bytes | None:
    """Return the id of the key that answered; None when there is none to be read."""
    try:
        return from_base64url(response["rawId"])
    except _MALFORMED:
        return None


def _as_json(options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found
