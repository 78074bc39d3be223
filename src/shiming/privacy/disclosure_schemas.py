"""Disclosures as they travel over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from shiming.infrastructure.http.page import Listing
from shiming.privacy.api_platform import (
    EVIDENCE_PATTERN,
    OPERATOR_PATTERN,
    SUBJECT_PATTERN,
    Body,
    PurposeName,
)
from shiming.privacy.model import Purpose
from shiming.privacy.rules.case_reference import CASE_CHARACTERS_MAX, CASE_REFERENCE_PATTERN
from shiming.privacy.rules.disclosure import WORDS_CHARACTERS_MAX, Disclosure, DisclosureRequest
from shiming.privacy.rules.disclosure_steps import ITEMS_MAX, visible_from

Words = Annotated[str, Field(min_length=1, max_length=WORDS_CHARACTERS_MAX)]


class DisclosureWanted(Body):
    """Evidence of one person, piece by piece, for one recipient and one case."""

    subject: str = Field(pattern=SUBJECT_PATTERN)
    evidence: list[Annotated[str, Field(pattern=EVIDENCE_PATTERN)]] = Field(
        min_length=1, max_length=ITEMS_MAX
    )
    purpose: PurposeName
    recipient: Words = Field(description="The authority that receives the copies.")
    legal_basis: Words = Field(description="The law and article that the recipient rests on.")
    case: str = Field(pattern=CASE_REFERENCE_PATTERN, max_length=CASE_CHARACTERS_MAX)
    deferred_until: AwareDatetime | None = Field(
        default=None, description="When the person may see it; bounded by the pack. Default: at once."
    )
    operator: str | None = Field(
        default=None, pattern=OPERATOR_PATTERN, description="Whose evidence; default: the caller's operator."
    )

    def request(self, operator: str) -> DisclosureRequest:
        """Return what is asked for."""
        return DisclosureRequest(
            subject=self.subject,
            evidence_ids=tuple(self.evidence),
            purpose=Purpose(self.purpose),
            recipient=self.recipient,
            legal_basis=self.legal_basis,
            case_reference=self.case,
            deferred_until=self.deferred_until,
            operator=operator,
        )


class RefusalWanted(Body):
    """Why a disclosure is refused or withdrawn."""

    why: Words


class ApprovalShown(BaseModel):
    """Who agreed, by account, and when."""

    by: str
    at: datetime


class DisclosureShown(BaseModel):
    """A disclosure and how far it has come."""

    id: str
    state: str = Field(description="requested, approved, executed, refused or expired.")
    operator: str
    subject: str
    evidence: list[str]
    purpose: str
    recipient: str
    legal_basis: str
    case: str
    requested_by: str
    requested_at: datetime
    approvals_required: int
    approvals: list[ApprovalShown]
    approve_before: datetime
    execute_before: datetime | None
    executed_by: str | None
    executed_at: datetime | None
    refused_by: str | None
    refused_at: datetime | None
    refused_why: str | None
    visible_from: datetime | None = Field(description="When the person may see it; none before it happened.")
    version: int


class DisclosurePage(Listing):
    """Disclosures, newest first."""

    items: list[DisclosureShown]


def shown(disclosure: Disclosure, now: datetime) -> DisclosureShown:
    """Return a disclosure as it is shown."""
    request, executed_at = disclosure.request, disclosure.executed_at
    return DisclosureShown(
        id=disclosure.disclosure_id,
        state=disclosure.state(now).value,
        operator=request.operator,
        subject=request.subject,
        evidence=list(request.evidence_ids),
        purpose=request.purpose.value,
        recipient=request.recipient,
        legal_basis=request.legal_basis,
        case=request.case_reference,
        requested_by=disclosure.requested_by.account,
        requested_at=disclosure.requested_at,
        approvals_required=disclosure.approvals_required,
        approvals=[ApprovalShown(by=each.by.account, at=each.at) for each in disclosure.approvals],
        approve_before=disclosure.approve_before,
        execute_before=disclosure.execute_before,
        executed_by=disclosure.executed_by,
        executed_at=executed_at,
        refused_by=disclosure.refused_by,
        refused_at=disclosure.refused_at,
        refused_why=disclosure.refused_why,
        visible_from=executed_at and visible_from(disclosure, executed_at),
        version=disclosure.version,
    )
