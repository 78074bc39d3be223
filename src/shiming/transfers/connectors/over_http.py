"""Billing and the donor over HTTP: one small question each, answered in JSON.

POST /account-standing   {"operator", "line", "identifier"} -> {"arrears", "lock_in", "reference"}
POST /port-confirmations {"donor", "recipient", "number", "authorisation"}
                         -> {"verdict", "reference", "authorised_at", "expires_at"}

An answer that is not understood, or none, is UNKNOWN.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from shiming.infrastructure.http_client import ResilientClient
from shiming.transfers.model.account_standing import (
    UNKNOWN_STANDING,
    AccountStanding,
    Arrears,
    LockIn,
    StandingSource,
)
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict, PortQuestion
from shiming.transfers.ports.arrears import StandingQuestion
from shiming.vocabulary.errors import Unavailable

_OK = 200
_Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class _Standing(BaseModel):
    model_config = ConfigDict(extra="ignore")
    arrears: Arrears
    lock_in: LockIn = LockIn.UNKNOWN
    reference: _Reference


class _Confirmation(BaseModel):
    model_config = ConfigDict(extra="ignore")
    verdict: DonorVerdict
    reference: _Reference
    authorised_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


class HttpBilling:
    """The operator's billing. Safe to share between threads."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    def ask(self, question: StandingQuestion) -> AccountStanding:
        """Ask once (retries are the client's)."""
        body = {
            "operator": question.operator,
            "line": question.line_id,
            "identifier": question.identifier.reveal("asked of the operator's billing"),
        }
        try:
            response = self._client.post_json("/account-standing", {}, body)
            if response.status_code != _OK:
                return UNKNOWN_STANDING
            said = _Standing.model_validate_json(response.content)
        except (Unavailable, ValidationError):
            return UNKNOWN_STANDING
        return AccountStanding(said.arrears, said.lock_in, StandingSource.BILLING, said.reference)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


class HttpDonor:
    """The clearing house, or the donor. Safe to share between threads."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    def confirm(self, question: PortQuestion) -> DonorAnswer:
        """Ask once (retries are the client's)."""
        body = {
            "donor": question.donor,
            "recipient": question.recipient,
            "number": question.number.reveal("asked of the donor"),
            "authorisation": question.authorisation,
        }
        try:
            response = self._client.post_json("/port-confirmations", {}, body)
            if response.status_code != _OK:
                return DonorAnswer(DonorVerdict.UNKNOWN, f"STATUS_{response.status_code}")
            said = _Confirmation.model_validate_json(response.content)
        except Unavailable as problem:
            return DonorAnswer(DonorVerdict.UNKNOWN, str(problem.details.get("reason", "")))
        except ValidationError:
            return DonorAnswer(DonorVerdict.UNKNOWN, "NOT_UNDERSTOOD")
        since: datetime | None = said.authorised_at
        return DonorAnswer(said.verdict, said.reference, since, said.expires_at)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
