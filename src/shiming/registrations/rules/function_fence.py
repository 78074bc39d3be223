"""Compile the fence of a card from scene and contract: a contract narrows a scene, never widens it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shiming.jurisdictions.model import Binding, Citation, IotScenePolicy, ProductClass
from shiming.registrations.errors.iot import FenceRefusal
from shiming.registrations.model.iot import FenceTerms
from shiming.registrations.model.iot_profile import FenceCompiled, FenceRefused, FunctionProfile
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Imei


@dataclass(frozen=True, slots=True)
class FenceAsked:
    """What the fence of one card is compiled from."""

    contract: str
    scene_name: str
    product: ProductClass
    terms: FenceTerms
    imei: Imei | None
    valid_from: datetime
    pack_hash: str


def terms_refusals(terms: FenceTerms, scene: IotScenePolicy, product: ProductClass) -> tuple[Refusal, ...]:
    """Say in what the terms of a contract go beyond the scene, or leave the fence open."""
    asked = terms.data_mb_per_month or 0
    found: list[tuple[bool, FenceRefusal, Citation]] = [
        #  (1) no function that the scene has not
        (terms.voice and not scene.voice.value, FenceRefusal.FENCE_VOICE, scene.voice.citation),
        (terms.sms and not scene.sms.value, FenceRefusal.FENCE_SMS, scene.sms.citation),
        #  (2) no more data
        (
            asked > scene.data_mb_per_month_max.value,
            FenceRefusal.FENCE_DATA,
            scene.data_mb_per_month_max.citation,
        ),
        #  (3) only named access points; little traffic goes to named targets
        (
            scene.apn_required.value and not terms.apns,
            FenceRefusal.FENCE_APN_MISSING,
            scene.apn_required.citation,
        ),
        (
            scene.apn_required.value and product is ProductClass.IOT_SMALL and not terms.targets,
            FenceRefusal.FENCE_TARGETS_MISSING,
            scene.apn_required.citation,
        ),
        #  (4) bound to what the scene says
        (
            terms.binding not in scene.bindings.value,
            FenceRefusal.FENCE_BINDING,
            scene.bindings.citation,
        ),
        (
            terms.binding is Binding.AREA and terms.area is None,
            FenceRefusal.FENCE_AREA_MISSING,
            scene.bindings.citation,
        ),
    ]
    return tuple(Refusal(code, citation) for broken, code, citation in found if broken)


def compile_fence(asked: FenceAsked, scene: IotScenePolicy) -> FenceCompiled | FenceRefused:
    """Return the profile of one card, or everything in which the contract goes beyond the scene."""
    terms = asked.terms
    refusals = terms_refusals(terms, scene, asked.product)
    if terms.binding is Binding.IMEI and asked.imei is None:
        refusals = (*refusals, Refusal(FenceRefusal.FENCE_IMEI_MISSING, scene.bindings.citation))
    if refusals:
        return FenceRefused(refusals)
    profile = FunctionProfile(
        contract=asked.contract,
        scene=asked.scene_name,
        product=asked.product,
        voice=terms.voice,
        sms=terms.sms,
        data_mb_per_month=data_cap(terms, scene),
        apns=terms.apns,
        targets=terms.targets,
        binding=terms.binding,
        imei=asked.imei if terms.binding is Binding.IMEI else None,
        area=terms.area if terms.binding is Binding.AREA else None,
        valid_from=asked.valid_from,
        pack_hash=asked.pack_hash,
        citations=_citations(scene),
    )
    return FenceCompiled(profile)


def data_cap(terms: FenceTerms, scene: IotScenePolicy) -> int:
    """Return the data cap of a contract, MB a month: the scene's where the contract names none."""
    return terms.data_mb_per_month or scene.data_mb_per_month_max.value


def _citations(scene: IotScenePolicy) -> Mapping[str, Citation]:
    return {
        "voice": scene.voice.citation,
        "sms": scene.sms.citation,
        "data_mb_per_month": scene.data_mb_per_month_max.citation,
        "apns": scene.apn_required.citation,
        "binding": scene.bindings.citation,
    }
