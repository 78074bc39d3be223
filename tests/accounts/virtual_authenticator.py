"""A software authenticator that makes true WebAuthn answers: keys, counters, signatures, attestation.

It also lies when a test asks it to: another origin, another domain, no user verification, a copied key.
"""

import base64
import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class VirtualAuthenticator:
    """One device with one discoverable key."""

    origin: str = "http://localhost:8000"
    domain: str = "localhost"
    verifies_user: bool = True
    attestation: str = "none"
    sign_count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user_handle: bytes = b""

    def create(self, options: Mapping[str, Any], **lies: Any) -> dict[str, Any]:
        """Answer navigator.credentials.create()."""
        self.user_handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        client_data = self._client_data("webauthn.create", options["challenge"], **lies)
        credential = struct.pack(">16sH", bytes(16), len(self.credential_id)) + self.credential_id
        auth_data = self._auth_data(ATTESTED, **lies) + credential + cbor2.dumps(self._cose_key())
        statement: dict[str, Any] = {}
        if self.attestation == "packed":  # self attestation, WebAuthn section 8.2
            statement = {"alg": -7, "sig": self._signed(auth_data, client_data)}
        attestation = cbor2.dumps({"fmt": self.attestation, "attStmt": statement, "authData": auth_data})
        return self._credential({"clientDataJSON": b64(client_data), "attestationObject": b64(attestation)})

    def get(self, options: Mapping[str, Any], **lies: Any) -> dict[str, Any]:
        """Answer navigator.credentials.get(); the counter goes up."""
        self.sign_count += 1
        client_data = self._client_data("webauthn.get", options["challenge"], **lies)
        auth_data = self._auth_data(0, **lies)
        return self._credential(
            {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(auth_data),
                "signature": b64(self._signed(auth_data, client_data)),
                "userHandle": b64(self.user_handle),
            }
        )

    def _client_data(self, what: str, challenge: str, **lies: Any) -> bytes:
        content = {"type": what, "challenge": challenge, "origin": lies.get("origin", self.origin)}
        return json.dumps({**content, "crossOrigin": False}).encode()

    def _auth_data(self, flags: int, **lies: Any) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if lies.get("verifies_user", self.verifies_user) else 0)
        domain = hashlib.sha256(str(lies.get("domain", self.domain)).encode()).digest()
        return domain + struct.pack(">BI", flags, lies.get("sign_count", self.sign_count))

    def _cose_key(self) -> dict[int, Any]:
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def _signed(self, auth_data: bytes, client_data: bytes) -> bytes:
        return self.key.sign(auth_data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = b64(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
