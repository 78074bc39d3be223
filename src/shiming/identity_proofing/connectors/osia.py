"""Ask an authority that speaks OSIA (Third Party Services 1.2.0, operation `verify`).

`POST /v1/verify/{identifier}?identifierType=&transactionId=` with biographic data, one credential and
at most one portrait. The answer is a strict yes or no over everything sent. OSIA leaves the numbers of
`verificationCode` to the authority; here 1 is yes and 0 is no, and with a no the `verificationMessage`
may name one of two plain causes, CREDENTIAL_EXPIRED and CREDENTIAL_LOST. Any other code is no answer.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.ports import AuthorityQuestion, AuthorityReply
from shiming.infrastructure.http_client import ResilientClient
from shiming.vocabulary.errors import Unavailable

MATCHED, NOT_MATCHED = 1, 0
CAUSES: Mapping[str, AuthorityAnswer] = {
    "CREDENTIAL_EXPIRED": AuthorityAnswer.CARD_EXPIRED,
    "CREDENTIAL_LOST": AuthorityAnswer.CARD_LOST,
}
#: Our names of documents by OSIA's open list of credential types; others are sent under their own name.
_CREDENTIAL_TYPES = {"resident_id": "ID_CARD", "temporary_resident_id": "ID_CARD", "passport": "PASSPORT"}
_OK, _NOT_FOUND = 200, 404


class _VerifyResult(BaseModel):
    model_config = ConfigDict(extra="ignore")
    verificationCode: StrictInt  # noqa: N815 - the standard's name
    verificationMessage: StrictStr  # noqa: N815 - the standard's name


class OsiaAuthority:
    """The connector. Safe to share between threads."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        """Ask once (retries are the client's) and translate the answer."""
        number = question.identity.number
        if not number:
            return AuthorityReply(AuthorityAnswer.NOT_ASKED, "NO_IDENTIFIER")
        query = {"identifierType": question.identifier_type, "transactionId": question.transaction_id}
        try:
            response = self._client.post_json(
                f"/v1/verify/{quote(number, safe='')}", query, attribute_set(question)
            )
        except Unavailable as error:
            return AuthorityReply(AuthorityAnswer.UNREACHABLE, str(error.details.get("reason", "")))
        return _translated(response)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def attribute_set(question: AuthorityQuestion) -> dict[str, Any]:
    """Return OSIA's AttributeSet of a question: what was not read is not sent."""
    result: dict[str, Any] = {
        "biographicData": _biographic(question.identity),
        "credentialData": [_credential(question.identity)],
    }
    if question.portrait_jpeg is not None:
        result["biometricData"] = [
            {
                "biometricType": "FACE",
                "biometricSubType": "PORTRAIT",
                "image": base64.b64encode(question.portrait_jpeg).decode(),
                "mimeType": "image/jpeg",
                "compression": "JPEG",
            }
        ]
    return result


def _biographic(identity: ClaimedIdentity) -> dict[str, str]:
    known = {
        "fullName": identity.name,
        "dateOfBirth": identity.birth_date.isoformat() if identity.birth_date else None,
        "gender": {"male": "M", "female": "F"}.get(identity.sex or ""),
    }
    return {name: value for name, value in known.items() if value}


def _credential(identity: ClaimedIdentity) -> dict[str, str]:
    known = {
        "credentialNumber": identity.number,
        "credentialType": _CREDENTIAL_TYPES.get(identity.document_type, identity.document_type.upper()),
        "issuedDate": f"{identity.valid_from.isoformat()}T00:00:00Z" if identity.valid_from else None,
        "expiryDate": f"{identity.valid_to.isoformat()}T00:00:00Z" if identity.valid_to else None,
    }
    return {name: value for name, value in known.items() if value}


def _translated(response: httpx.Response) -> AuthorityReply:
    if response.status_code == _NOT_FOUND:
        return AuthorityReply(AuthorityAnswer.UNKNOWN_PERSON, "IDENTIFIER_NOT_FOUND")
    if response.status_code != _OK:
        return AuthorityReply(AuthorityAnswer.UNREACHABLE, f"STATUS_{response.status_code}")
    try:
        result = _VerifyResult.model_validate_json(response.content)
    except ValidationError:
        return AuthorityReply(AuthorityAnswer.UNREACHABLE, "ANSWER_NOT_UNDERSTOOD")
    if result.verificationCode == MATCHED:
        return AuthorityReply(AuthorityAnswer.MATCH)
    if result.verificationCode == NOT_MATCHED:
        return AuthorityReply(CAUSES.get(result.verificationMessage, AuthorityAnswer.MISMATCH))
    return AuthorityReply(AuthorityAnswer.UNREACHABLE, "ANSWER_NOT_UNDERSTOOD")
