"""Scenarios about industry cards: the contract, the sale of one card, the fence, reconciliation."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Binding, Channel, Policy
from shiming.registrations.errors.organisations import OrganisationRefusal
from shiming.registrations.model.iot import (
    Area,
    Assessment,
    AssessmentResult,
    CardState,
    ContractStatus,
    FenceTerms,
    IotCard,
    IotContract,
    TrafficClass,
)
from shiming.registrations.model.iot_profile import FenceRefused
from shiming.registrations.rules.function_fence import FenceAsked, compile_fence
from shiming.registrations.rules.iot_contract import (
    ContractAllowed,
    ContractAsked,
    ContractFacts,
    ContractRefused,
    decide_iot_contract,
)
from shiming.registrations.rules.iot_reconciliation import CardCounts, differences
from shiming.registrations.rules.iot_sale import SaleFacts, sale_refusals
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi

_NOON = time(12, tzinfo=UTC)
_SPECIMEN_CARD = ("89860112851234567891", "460001234567890", "+8613800138000")
_SPECIMEN_DEVICE = "356868000041418"
_PACK_HASH = "sha256:scenario"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class Terms(_Part):
    """What the contract asks for its cards."""

    voice: bool = False
    sms: bool = False
    data_mb_per_month: int | None = None
    access_points: tuple[str, ...] = ("meter.example",)
    targets: tuple[str, ...] = ("head-end.example.com",)
    bound_to: Binding = Binding.IMEI

    def read(self) -> FenceTerms:
        """Return the terms as the rules know them."""
        return FenceTerms.parse(
            voice=self.voice,
            sms=self.sms,
            data_mb_per_month=self.data_mb_per_month,
            apns=self.access_points,
            targets=self.targets,
            binding=self.bound_to,
            area=Area.parse(31.2, 121.5, 5_000) if self.bound_to is Binding.AREA else None,
        )


class Sale(_Part):
    """One card that is to be sold under the contract."""

    sold_before: int = 0
    cards_of_the_contract: int = 1_000
    card: CardState | None = CardState.STOCK
    device_named: bool = True
    device_has_a_card_already: bool = False
    contract: ContractStatus = ContractStatus.ACTIVE
    actual_user_proven: bool = False
    cards_of_the_actual_user: int = 0


class Counts(_Part):
    """What a maker of devices declares, and what the records say."""

    delivered: int
    returned: int
    sold: int
    stock: int
    registered: int
    awaiting: int


class Given(_Part):
    """The facts of a scenario; `sale` asks about one card, `counts` about a maker's statement."""

    date: date
    scene: str = "metering"
    channel: Channel = Channel.SHOP
    organisation_suspended: bool = False
    assessment: AssessmentResult | None = AssessmentResult.PASSED
    assessed_days_ago: int = 10
    clause_against_resale: bool = True
    terms: Terms = Terms()
    sale: Sale | None = None
    counts: Counts | None = None

    @model_validator(mode="after")
    def _states_something(self) -> Self:
        """Take no sale and no terms together with counts: they would not be looked at."""
        if self.counts is not None and self.model_fields_set != {"date", "counts"}:
            msg = "counts stand alone"
            raise ValueError(msg)
        return self


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    if given.counts is not None:
        return _reconcile(given.counts)
    now = datetime.combine(given.date, _NOON)
    allowed = _contract(given, policy, now)
    if isinstance(allowed, ContractRefused):
        return refused(allowed.refusals)
    if given.sale is None:
        return accepted(traffic=allowed.traffic.value)
    return _sale(given, given.sale, policy, allowed.traffic, now)


def _contract(given: Given, policy: Policy, now: datetime) -> ContractAllowed | ContractRefused:
    assessed_at = now - timedelta(days=given.assessed_days_ago)
    assessment = (
        None
        if given.assessment is None
        else Assessment("ASM", "operator", "ORG", given.assessment, "ACC", "EVD", assessed_at)
    )
    suspended = Refusal(
        OrganisationRefusal.ORGANISATION_SUSPENDED, policy.enterprise.licence_required.citation
    )
    return decide_iot_contract(
        ContractAsked(given.scene, given.terms.read(), given.channel, given.clause_against_resale),
        ContractFacts((suspended,) if given.organisation_suspended else (), assessment),
        policy,
        now=now,
    )


def _sale(given: Given, sale: Sale, policy: Policy, traffic: TrafficClass, now: datetime) -> dict[str, Any]:
    contract = IotContract(
        contract_id="IOC",
        operator="operator",
        organisation="ORG",
        scene=given.scene,
        traffic=traffic,
        cards_max=sale.cards_of_the_contract,
        terms=given.terms.read(),
        channel=given.channel,
        resale_clause=given.clause_against_resale,
        sells_devices=False,
        handler_session="SES",
        assessment=None,
        status=sale.contract,
        signed_at=now,
    )
    imei = Imei.parse(_SPECIMEN_DEVICE) if sale.device_named else None
    refusals = sale_refusals(contract, _facts(sale, imei), policy)
    if refusals:
        return refused(refusals)
    asked = FenceAsked("IOC", given.scene, traffic.product, contract.terms, imei, now, _PACK_HASH)
    compiled = compile_fence(asked, policy.iot_scenes[given.scene])
    if isinstance(compiled, FenceRefused):
        return refused(compiled.refusals)
    profile = compiled.profile
    return accepted(
        traffic=traffic.value,
        fence={
            "voice": profile.voice,
            "sms": profile.sms,
            "data mb per month": profile.data_mb_per_month,
            "access points": list(profile.apns),
            "bound to": profile.binding.value,
        },
    )


def _facts(sale: Sale, imei: Imei | None) -> SaleFacts:
    iccid, imsi, number = _SPECIMEN_CARD
    known = Iccid.parse(iccid), Imsi.parse(imsi), Msisdn.parse(number)
    card = None if sale.card is None else IotCard(*known, "operator", sale.card)
    return SaleFacts(
        card=card,
        sold_under_contract=sale.sold_before,
        imei=imei,
        device_bound_to_other_card=sale.device_has_a_card_already,
        actual_user="p1.user" if sale.actual_user_proven else None,
        cards_of_actual_user=sale.cards_of_the_actual_user,
    )


def _reconcile(counts: Counts) -> dict[str, Any]:
    found = differences(CardCounts(**counts.model_dump()))
    if not found:
        return {"outcome": "agrees"}
    return {"outcome": "differs", "differences": [each.what.value for each in found]}
