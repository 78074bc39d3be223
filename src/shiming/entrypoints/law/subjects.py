"""Scenarios about kinds of people: which document, of what age, still in force, with whom, for how long."""

from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.identity_proofing.checks.document_valid import check_document_valid
from shiming.identity_proofing.model.evidence import DocumentEvidence, Evidence, SideEvidence
from shiming.jurisdictions.model import Channel, Policy, Route
from shiming.jurisdictions.rules.accepted_documents import (
    DocumentAccepted,
    DocumentRefused,
    decide_accepted_document,
)
from shiming.recognition.measurements import CopySigns, DocumentKind
from shiming.registrations.model.holder_clocks import ClockKind, Deadlines
from shiming.registrations.model.representation import RepresentationFacts
from shiming.registrations.rules.holder_clocks import clocks_of
from shiming.registrations.rules.representation import decide_representation
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode, Refusal

_NOON = time(12, tzinfo=UTC)


class SubjectReason(ReasonCode):
    """Why somebody of a kind cannot register with a document, as identity proofing finds it."""

    SUBJECT_NOT_FORESEEN = (
        "SUBJECT_NOT_FORESEEN",
        Text(zh="规则中没有这类用户。", en="The rules know no such kind of person."),
        Text(zh="暂不能为您办理。", en="We cannot register you here."),
        Text(zh="请核对用户类别。", en="Compare the category."),
    )
    DOCUMENT_NOT_ACCEPTED = (
        "DOCUMENT_NOT_ACCEPTED",
        Text(zh="该类用户不能以此证件办理。", en="This kind of person cannot show this document."),
        Text(zh="此证件不能用于办理。", en="We cannot take this document."),
        Text(zh="请出示该类用户可用的证件。", en="Ask for a document that this kind of person may show."),
    )
    AGE_OUTSIDE_CATEGORY = (
        "AGE_OUTSIDE_CATEGORY",
        Text(zh="年龄与用户类别不符。", en="The age does not fit the category."),
        Text(zh="您的年龄与办理类别不符。", en="Your age does not fit what was asked for."),
        Text(zh="请按实际年龄选择类别。", en="Choose the category by the age."),
    )
    DOCUMENT_EXPIRED = (
        "DOCUMENT_EXPIRED",
        Text(zh="证件已过期。", en="The document has expired."),
        Text(zh="您的证件已过期。", en="Your document has expired."),
        Text(zh="请出示有效证件。", en="Ask for a valid document."),
    )


class Given(BaseModel):
    """The facts: a person of a category applies alone, with a document."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", " ")
    )

    on: date = Field(alias="date")
    category: str
    document: str
    age: int | None = None
    document_expires: date | None = None  # none: it holds for ever
    comes_of_age: date | None = None


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return whether such a person may register alone with such a document, or every reason why not."""
    document = decide_accepted_document(given.category, given.document, policy, age_years=given.age)
    if not isinstance(document, DocumentAccepted):
        if isinstance(document, DocumentRefused):
            return refused([Refusal(SubjectReason[document.code], document.citation)])
        return refused([Refusal(SubjectReason.SUBJECT_NOT_FORESEEN, policy.verification_model.citation)])
    validity = check_document_valid(_evidence(given), policy)
    if validity.reasons:
        return refused([Refusal(SubjectReason[each.code], each.citation) for each in validity.reasons])
    now = datetime.combine(given.on, _NOON)
    alone = RepresentationFacts("here", "SES", given.category, "holder")
    refusals = decide_representation(alone, policy, now=now)
    if refusals:
        return refused(refusals)
    clocks = clocks_of(Deadlines(given.category, given.comes_of_age, given.document_expires), policy)
    expiry = clocks.get(ClockKind.DOCUMENT_EXPIRY)
    return accepted(
        fields=list(document.fields),
        document_clock=None if expiry is None else expiry.isoformat(),
        cites=[document.citation],
    )


def _evidence(given: Given) -> Evidence:
    """Return a document that was read well: all that is left to judge are its dates and the age."""
    side = SideEvidence(
        kind=DocumentKind.RESIDENT_ID_FRONT,
        number_checksum=True,
        mrz_check_digits=True,
        cross_checks={},
        fields_read=(),
        portrait_present=True,
        cards_seen=1,
        sharpness=300.0,
        brightness=150.0,
        contrast=50.0,
        glare_share=0.0,
        card_width_px=900,
        cut_edges=(),
        copy_signs=CopySigns(0.0, 0.0, 0.0),
    )
    expires = given.document_expires
    document = DocumentEvidence(
        document_type=given.document,
        front=side,
        back=side,
        days_to_expiry=None if expires is None else (expires - given.on).days,
        long_term=expires is None,
        portrait_age_years=1.0,
        age_years=given.age,
    )
    return Evidence("SES", Channel.SHOP, Route.STANDARD, given.category, given.on, document=document)
