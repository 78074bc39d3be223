"""The rules about lines: products, caps, entries, numbers, stops, who acts for whom, transfers."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from shiming.jurisdictions.citations import Cited, Record
from shiming.jurisdictions.terms import (
    AtCap,
    Binding,
    CapScope,
    Channel,
    EntryKind,
    EntryRequirement,
    HolderKind,
    ProductClass,
    ProxyAllowed,
    StopActor,
    StopLevel,
    StopReason,
)
from shiming.vocabulary.msisdn import SERIES, NumberSeries

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
SeriesText = Annotated[str, StringConstraints(pattern=f"^{SERIES.pattern}$")]  # such as +861064:13
PositiveInt = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class ProductPolicy(Record):
    """Who may hold a class of product, which cap counts it, where it may be sold."""

    holders: Cited[tuple[HolderKind, ...]]
    cap_of_person: Cited[Name] | None = None  # names a section of `caps`; none: a person's are not counted
    cap_of_organisation: Cited[Name] | None = None
    actual_user_required: Cited[bool]  # an organisation's line names the person who uses it, proven
    channels: Cited[tuple[Channel, ...]]


class CapPolicy(Record):
    """How many lines one holder may have, and how fast."""

    lines_per_holder_max: Cited[Count]
    scope: Cited[CapScope]
    at_cap: Cited[AtCap]
    gap_hours_min: Cited[Count] | None = None  # between two registrations of one holder
    lines_per_day_max: Cited[PositiveInt] | None = None
    reservation_minutes: Cited[PositiveInt]  # how long a session may keep a place


class EntryPolicy(Record):
    """Whether something may be done with a line, and what has to be there for it."""

    allowed: Cited[bool]
    requirements: Cited[tuple[EntryRequirement, ...]]


class NumberingPolicy(Record):
    """How numbers are kept for somebody, and how long they rest after use."""

    reservation_minutes: Cited[PositiveInt]
    organisation_reservation_days: Cited[PositiveInt]
    quarantine_days: Cited[Count]
    additional_ranges: Cited[tuple[SeriesText, ...]] | None = None  # of the plan, that common data lack

    @property
    def series(self) -> tuple[NumberSeries, ...]:
        """Return the additional ranges, read."""
        named = self.additional_ranges.value if self.additional_ranges else ()
        return tuple(NumberSeries.parse(each) for each in named)


class StopPolicy(Record):
    """One reason to stop a line: how much is stopped, who may set it, who may lift it."""

    level: Cited[StopLevel]
    set_by: Cited[tuple[StopActor, ...]]
    lifted_by: Cited[tuple[StopActor, ...]]


class ProxyPolicy(Record):
    """When somebody may register for another person."""

    allowed: Cited[ProxyAllowed]
    both_proven: Cited[bool]
    authority_document_required: Cited[bool]
    principals_per_proxy_max: Cited[PositiveInt]
    principals_days: Cited[PositiveInt]  # the days that the principals of one proxy are counted over
    repudiation_days: Cited[PositiveInt]  # how long the principal may say "not mine" without giving a reason


class HandoverPolicy(Record):
    """When a minor's line becomes the grown holder's own business."""

    age_years: Cited[PositiveInt]
    reminder_days: Cited[PositiveInt]  # before that birthday
    grace_days: Cited[Count]  # after it; then the line is stopped


class DocumentExpiryPolicy(Record):
    """What happens when the document that a line rests on expires."""

    categories: Cited[tuple[Name, ...]]
    reminder_days: Cited[PositiveInt]
    grace_days: Cited[Count]


class EnterprisePolicy(Record):
    """What an organisation brings, and how its actual users are proven."""

    licence_required: Cited[bool]
    legal_representative_required: Cited[bool]
    responsible_person_required: Cited[bool]
    power_of_attorney_required: Cited[bool]
    power_of_attorney_days_max: Cited[PositiveInt]
    link_days: Cited[PositiveInt]  # how long a link to prove oneself is good
    lines_per_actual_user_max: Cited[PositiveInt]
    exit_days: Cited[PositiveInt]  # to prove the next user or to give the line back
    code_scheme: Cited[Name] | None = None  # how the register's codes are checked; none: not at all


class IotScenePolicy(Record):
    """What a card of one scene may do."""

    voice: Cited[bool]
    sms: Cited[bool]
    data_mb_per_month_max: Cited[PositiveInt]
    apn_required: Cited[bool]  # only the access points that the contract names
    bindings: Cited[tuple[Binding, ...]]  # one of them


class IotPolicy(Record):
    """Industry cards: assessment before the contract, traffic, resale."""

    assessment_required: Cited[bool]
    assessment_days: Cited[PositiveInt]  # how long an assessment holds
    small_data_mb_per_month_max: Cited[PositiveInt]  # more is general traffic
    resale_allowed: Cited[bool]
    end_users_reported: Cited[bool]  # by makers who sell devices with cards in them


class ContractPolicy(Record):
    """The terms of service, and how the customer confirms what is opened."""

    transfer_clause_required: Cited[bool]
    confirmation_digits: Cited[Annotated[int, Field(ge=4, le=12)]]
    confirmation_minutes: Cited[PositiveInt]
    confirmation_attempts_max: Cited[PositiveInt]
    link_hours: Cited[PositiveInt] | None = None  # a link to an online order; none: as long as a session
    delivery_days: Cited[PositiveInt] | None = None  # an order waits for its card; none: as long as a proof
    receipt_link_days: Cited[PositiveInt] | None = None  # a link to a receipt; none: as long as a session


class TransferPolicy(Record):
    """What may be done with a line that somebody holds."""

    private_transfer_allowed: Cited[bool]
    arrears_settled: Cited[bool]
    cooling_days: Cited[Count]  # after registration or the last change of holder
    port_tenure_days: Cited[Count]
    sms_bar_hours: Cited[Count]  # after a SIM is replaced
    form_required: Cited[bool]  # a signed change-of-ownership form, kept as evidence
    terms_notice_days: Cited[PositiveInt]  # holders hear of new terms at least so long before
    blocking_stops: Cited[tuple[StopReason, ...]] | None = None  # under one of these nothing is transferred
    private_transfer_stop: Cited[StopReason] | None = None  # why a line is stopped that was sold or lent
    port_authorisation_minutes: Cited[PositiveInt] | None = None  # a code to port out holds; none: no code


class LinePolicies(Record):
    """All rules about lines; a part of `Policy`."""

    products: Mapping[ProductClass, ProductPolicy]
    caps: Mapping[Name, CapPolicy] = {}  # none: nothing is counted
    entries: Mapping[EntryKind, EntryPolicy]
    numbering: NumberingPolicy
    stops: Mapping[StopReason, StopPolicy]
    proxies: ProxyPolicy
    handover: HandoverPolicy
    document_expiry: DocumentExpiryPolicy
    enterprise: EnterprisePolicy
    iot: IotPolicy
    iot_scenes: Mapping[Name, IotScenePolicy] = {}
    contracts: ContractPolicy
    transfers: TransferPolicy
