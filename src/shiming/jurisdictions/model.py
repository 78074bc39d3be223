"""The rules of one jurisdiction on one day, every value with the place where it is written.

A policy is data read from a pack (`pack_reader`); nothing here knows any country. Each leaf is `Cited`:
the value, the citation `source:article`, how sure the reading is, and since when it is in force.
Names of subjects and documents are the pack's own; checks, channels, routes, gestures are what the program
can do: a pack that asks for another is refused.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from shiming.jurisdictions.citations import (
    Article,
    Citation,
    Cited,
    Confidence,
    Record,
    Source,
    Threshold,
    Wording,
)
from shiming.jurisdictions.line_policies import (
    CapPolicy,
    ContractPolicy,
    DocumentExpiryPolicy,
    EnterprisePolicy,
    EntryPolicy,
    HandoverPolicy,
    IotPolicy,
    IotScenePolicy,
    LinePolicies,
    NumberingPolicy,
    ProductPolicy,
    ProxyPolicy,
    StopPolicy,
    TransferPolicy,
)
from shiming.jurisdictions.terms import (
    AfterAttempts,
    AtCap,
    Binding,
    CapScope,
    Channel,
    CheckName,
    ClockStart,
    DigitsMode,
    DisclosurePurpose,
    EntryKind,
    EntryRequirement,
    Gesture,
    HolderKind,
    ProductClass,
    ProxyAllowed,
    Route,
    StopActor,
    StopLevel,
    StopReason,
    UnreachableOutcome,
    VerificationModel,
)

__all__ = [
    "AfterAttempts",
    "Article",
    "AssistedReviewPolicy",
    "AtCap",
    "AttemptsPolicy",
    "AuthorityPolicy",
    "Binding",
    "CapPolicy",
    "CapScope",
    "CapturePolicy",
    "CardReaderPolicy",
    "ChallengePolicy",
    "Channel",
    "ChannelPolicy",
    "CheckName",
    "Citation",
    "Cited",
    "ClipLimitsPolicy",
    "ClockStart",
    "Confidence",
    "ContractPolicy",
    "DigitsMode",
    "DisclosurePolicy",
    "DisclosurePurpose",
    "DocumentExpiryPolicy",
    "DocumentPolicy",
    "DocumentQualityPolicy",
    "DocumentType",
    "Duration",
    "EnterprisePolicy",
    "EntryKind",
    "EntryPolicy",
    "EntryRequirement",
    "Gesture",
    "HandoverPolicy",
    "HolderKind",
    "IotPolicy",
    "IotScenePolicy",
    "LinePolicies",
    "Name",
    "NumberingPolicy",
    "Policy",
    "ProductClass",
    "ProductPolicy",
    "ProxyAllowed",
    "ProxyPolicy",
    "Record",
    "RefereePolicy",
    "RetentionPolicy",
    "RetentionRule",
    "Route",
    "RoutePolicy",
    "Source",
    "StopActor",
    "StopLevel",
    "StopPolicy",
    "StopReason",
    "SubjectCategory",
    "Threshold",
    "ThresholdsPolicy",
    "TimeLimitsPolicy",
    "TransferPolicy",
    "UnreachableOutcome",
    "VerificationModel",
    "Wording",
]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
SubjectCategory = Name  # adult, minor, foreigner, ...: the pack names them
DocumentType = Name  # resident_id, passport, ...: the pack names them
Duration = Annotated[
    str, StringConstraints(pattern=r"^P(\d{1,3}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?$", min_length=3)
]

Share = Annotated[float, Field(ge=0, le=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class DocumentPolicy(Record):
    """Which documents one category of subjects may show, and how they are taken."""

    accepted: Cited[tuple[DocumentType, ...]]
    sides_required: Cited[Mapping[DocumentType, tuple[Name, ...]]]
    required_fields: Cited[tuple[Name, ...]]
    manual_entry_forbidden: Cited[tuple[DocumentType, ...]]
    copy_watermark: Cited[tuple[Name, ...]]
    guardian_required: Cited[bool]
    age_years_min: Cited[Count] | None = None
    age_years_below: Cited[PositiveInt] | None = None


class ChannelPolicy(Record):
    """What must be checked in a channel, and what is only reported to the reviewer."""

    required_checks: Cited[tuple[CheckName, ...]]
    advisory_checks: Cited[tuple[CheckName, ...]]


class RoutePolicy(Record):
    """One way to give the live evidence; `checks_replaced` maps a required check to what stands in for it."""

    gestures: Cited[tuple[Gesture, ...]]
    digits: Cited[DigitsMode]
    checks_replaced: Cited[Mapping[CheckName, CheckName]]
    level: Cited[Name]
    offer_after_attempts: Cited[Count]


class ChallengePolicy(Record):
    """How a challenge is drawn and how its answer is timed."""

    gestures_min: Cited[PositiveInt]
    gestures_max: Cited[PositiveInt]
    both_sides_required: Cited[bool]
    digits_length: Cited[PositiveInt]
    digits_distance_min: Cited[Count]
    digits_repeat_in_row_allowed: Cited[bool]
    life_seconds: Cited[PositiveInt]
    step_seconds: Cited[PositiveFloat]
    response_seconds_min: Cited[PositiveFloat]
    response_seconds_max: Cited[PositiveFloat]
    turn_degrees_min: Cited[PositiveFloat]
    turn_held_seconds_min: Cited[PositiveFloat]
    opposite_turn_allowed: Cited[bool]
    clip_seconds_min: Cited[PositiveFloat]
    clip_seconds_max: Cited[PositiveFloat]


class ThresholdsPolicy(Record):
    """Limits of measurements. `_min` and `_max` bound acceptance; `_review_` bounds send to people."""

    face_similarity_min: Threshold[Similarity]
    face_second_similarity_min: Threshold[Similarity]
    face_similarity_review_min: Threshold[Similarity]
    face_second_similarity_review_min: Threshold[Similarity]
    same_person_min: Threshold[Similarity]
    same_person_second_min: Threshold[Similarity]
    face_width_px_min: Threshold[PositiveInt]
    face_sharpness_min: Threshold[PositiveFloat]
    present_share_min: Threshold[Share]
    faces_max: Threshold[PositiveInt]
    portrait_age_years_review_min: Threshold[PositiveInt]
    digits_score_accept_min: Threshold[float]
    digits_score_retry_min: Threshold[float]
    digits_units_difference_max: Threshold[Count]
    passive_live_review_max: Threshold[Share]
    frozen_share_max: Threshold[Share]
    loop_distance_min: Threshold[PositiveFloat]
    planar_score_max: Threshold[Share]
    clip_moire_review_min: Threshold[Share]
    clip_frame_edges_review_min: Threshold[Share]
    time_gap_s_max: Threshold[PositiveFloat]
    name_similarity_min: Threshold[Share]
    document_moire_review_min: Threshold[Share]
    document_frame_edges_review_min: Threshold[Share]
    document_missing_colour_review_min: Threshold[Share]


class AttemptsPolicy(Record):
    """How often each piece of evidence may be given in one session, and what follows."""

    document: Cited[PositiveInt]
    clip: Cited[PositiveInt]
    digits: Cited[PositiveInt]
    after_document: Cited[AfterAttempts]
    after_clip: Cited[AfterAttempts]
    after_digits: Cited[AfterAttempts]
    on_other_route: Cited[Count] | None = None  # none named: what was used up stays used up


class TimeLimitsPolicy(Record):
    """How long a person, and the program, may take."""

    session_minutes: Cited[PositiveInt]
    clip_seconds_max: Cited[PositiveFloat]
    authority_seconds: Cited[PositiveFloat]
    review_hours_max: Cited[PositiveInt]


class RetentionRule(Record):
    """Keep for `period` (ISO 8601, whole days) after the event that starts the clock, then erase."""

    period: Cited[Duration]
    clock: Cited[ClockStart]


class RetentionPolicy(Record):
    """How long each class of evidence is kept."""

    identity: RetentionRule
    document_images: RetentionRule
    portrait: RetentionRule
    clip: RetentionRule
    audio: RetentionRule
    face_templates: RetentionRule
    access_log: RetentionRule
    identity_fields: Cited[tuple[Name, ...]] | None = None  # none named: everything that the document shows


class AuthorityPolicy(Record):
    """How the national identity authority is asked, and what its silence means."""

    unreachable_outcome: Cited[UnreachableOutcome]
    timeout_seconds: Cited[PositiveFloat]
    retries: Cited[Count]
    failures_before_pause: Cited[PositiveInt]
    pause_seconds: Cited[PositiveFloat]
    attributes: Cited[tuple[Name, ...]]
    identifier_types: Cited[Mapping[DocumentType, str]]


class AssistedReviewPolicy(Record):
    """How staff decide by eye."""

    staff_min: Cited[PositiveInt]
    different_people: Cited[bool]
    level: Cited[Name]
    settles: Cited[tuple[CheckName, ...]] | None = None  # doubts of these checks; never what speaks against


class RefereePolicy(Record):
    """Who may vouch for an applicant on the route `referee`, how fresh their proof is, and for how many."""

    categories: Cited[tuple[SubjectCategory, ...]]  # of the one who vouches
    channels: Cited[tuple[Channel, ...]]
    staff_min: Cited[PositiveInt]  # who compare by eye beside the referee
    served_by_another: Cited[bool]  # whoever named the referee is not among those who look
    proof_hours: Cited[PositiveInt]
    applicants_max: Cited[PositiveInt]
    applicants_days: Cited[PositiveInt]


class DisclosurePolicy(Record):
    """How evidence of one person leaves the operator: who agrees, how soon, when the person learns of it."""

    purposes: Cited[tuple[DisclosurePurpose, ...]]
    approvals_min: Cited[PositiveInt]
    approval_hours_max: Cited[PositiveInt]
    execution_hours_max: Cited[PositiveInt]
    deferral_days_max: Cited[Count]


class CapturePolicy(Record):
    """What is recorded of the capture of evidence, beside the device and the time that it states."""

    place: Cited[bool]  # rounded to about 100 m


class CardReaderPolicy(Record):
    """Documents whose chip a card reader reads, and what such a reading is good for."""

    documents: Cited[tuple[DocumentType, ...]]
    required_channels: Cited[tuple[Channel, ...]]  # where such a document has to be read by a reader
    photo_kept: Cited[bool]  # the card is photographed all the same
    device_signed: Cited[bool]  # only what an enrolled device has signed counts


class DocumentQualityPolicy(Record):
    """What a document picture must be before anything is read from it."""

    sharpness_min: Cited[PositiveFloat]
    brightness_min: Cited[Count]
    brightness_max: Cited[Count]
    contrast_min: Cited[Count]
    glare_share_max: Cited[Share]
    card_width_px_min: Cited[PositiveInt]
    cut_edges_max: Cited[Count]
    cards_max: Cited[PositiveInt]


class ClipLimitsPolicy(Record):
    """What an uploaded clip may be, before decoding."""

    duration_seconds_max: Cited[PositiveFloat]
    bytes_max: Cited[PositiveInt]
    short_side_px_min: Cited[PositiveInt]
    long_side_px_max: Cited[PositiveInt]
    frame_rate_min: Cited[PositiveFloat]
    frame_rate_max: Cited[PositiveFloat]


class Policy(LinePolicies):
    """All rules of a pack on one day."""

    pack_id: Name
    pack_version: str
    on: date
    content_hash: str
    sources: Mapping[Name, Source]
    names: Mapping[Name, Wording]  # the pack's own words: subjects, documents, fields
    verification_model: Cited[VerificationModel]
    assurance_level: Cited[Name]
    documents: Mapping[SubjectCategory, DocumentPolicy]
    channels: Mapping[Channel, ChannelPolicy]
    routes: Mapping[Route, RoutePolicy]
    challenge: ChallengePolicy
    thresholds: ThresholdsPolicy
    attempts: AttemptsPolicy
    time_limits: TimeLimitsPolicy
    retention: RetentionPolicy
    authority: AuthorityPolicy
    assisted_review: AssistedReviewPolicy
    referee: RefereePolicy | None = None  # none: nobody vouches
    disclosures: DisclosurePolicy
    document_quality: DocumentQualityPolicy
    capture: CapturePolicy | None = None  # none: where something was captured is not taken
    card_reader: CardReaderPolicy | None = None  # none: no reading of a chip is taken
    clip_limits: ClipLimitsPolicy

    def cite(self, citation: str, language: str = "en") -> str:
        """Return a citation in words: the title of the source and its article, numbered or in our words."""
        source, article = citation.split(":", 1)
        title = self.sources[source].title.in_language(language)
        chinese = language.startswith("zh")
        if article.isdecimal():
            return f"{title}第{article}条" if chinese else f"{title}, art. {article}"
        words = self.sources[source].articles[article].in_language(language)
        return f"{title}：{words}" if chinese else f"{title}: {words}"
