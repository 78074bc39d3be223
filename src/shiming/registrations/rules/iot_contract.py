"""Decide whether a contract for industry cards may be concluded, and which traffic its cards have."""

from dataclasses import dataclass
from datetime import datetime

from shiming.jurisdictions.model import Channel, IotScenePolicy, Policy
from shiming.registrations.errors.iot import IotContractRefusal
from shiming.registrations.model.iot import Assessment, FenceTerms, TrafficClass
from shiming.registrations.rules.function_fence import data_cap, terms_refusals
from shiming.registrations.rules.iot_assessment import assessment_refusals
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class ContractAsked:
    """What is to be signed."""

    scene: str
    terms: FenceTerms
    channel: Channel
    resale_clause: bool


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What is known of who signs."""

    standing: tuple[Refusal, ...]  # every reason why the organisation gets no line now; none: it may
    assessment: Assessment | None  # the latest


@dataclass(frozen=True, slots=True)
class ContractAllowed:
    """It may be concluded, for cards of this traffic."""

    traffic: TrafficClass


@dataclass(frozen=True, slots=True)
class ContractRefused:
    """Nothing is concluded, for all these reasons."""

    refusals: tuple[Refusal, ...]


def decide_iot_contract(
    asked: ContractAsked, facts: ContractFacts, policy: Policy, *, now: datetime
) -> ContractAllowed | ContractRefused:
    """Say whether this company may have industry cards on these terms."""
    scene = policy.iot_scenes.get(asked.scene)
    traffic = TrafficClass.SMALL if scene is None else traffic_class(asked.terms, scene, policy)
    refusals = (
        #  (1) the company stands: complete, not suspended, whoever signs for it proven and entitled
        *facts.standing,
        #  (2) it was assessed, and the assessment holds
        *assessment_refusals(facts.assessment, policy.iot, now=now),
        #  (3) the scene is one of the rules', and the terms stay inside it
        *_scene(asked, scene, traffic, policy),
        #  (4) it is not concluded where cards may not be sold, and forbids resale
        *_sale(asked, traffic, policy),
    )
    return ContractRefused(refusals) if refusals else ContractAllowed(traffic)


def traffic_class(terms: FenceTerms, scene: IotScenePolicy, policy: Policy) -> TrafficClass:
    """Return the traffic of a contract's cards: it follows from the data cap, nobody chooses it."""
    small = data_cap(terms, scene) <= policy.iot.small_data_mb_per_month_max.value
    return TrafficClass.SMALL if small else TrafficClass.GENERAL


def _scene(
    asked: ContractAsked, scene: IotScenePolicy | None, traffic: TrafficClass, policy: Policy
) -> tuple[Refusal, ...]:
    if scene is None:
        citation = policy.iot.assessment_required.citation
        return (Refusal(IotContractRefusal.IOT_SCENE_UNKNOWN, citation),)
    return terms_refusals(asked.terms, scene, traffic.product)


def _sale(asked: ContractAsked, traffic: TrafficClass, policy: Policy) -> tuple[Refusal, ...]:
    refusals = []
    product, resale = policy.products.get(traffic.product), policy.iot.resale_allowed
    if product is None:
        refusals.append(Refusal(IotContractRefusal.IOT_NOT_SOLD, policy.iot.assessment_required.citation))
    elif asked.channel not in product.channels.value:
        refusals.append(Refusal(IotContractRefusal.IOT_CHANNEL_REFUSED, product.channels.citation))
    if not resale.value and not asked.resale_clause:
        refusals.append(Refusal(IotContractRefusal.IOT_RESALE_CLAUSE_MISSING, resale.citation))
    return tuple(refusals)
