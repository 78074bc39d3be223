"""A contract narrows its scene and never widens it; a profile says all of it in one spelling."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.canonical_json import canonical_bytes, parse_object
from shiming.jurisdictions.model import Binding, Cited, Confidence, IotScenePolicy, ProductClass
from shiming.registrations.errors.iot import FenceRefusal
from shiming.registrations.model.iot import DATA_MB_MAX, Area, FenceTerms, read_apn, read_target
from shiming.registrations.model.iot_profile import (
    PROFILE_SCHEMA,
    FenceCompiled,
    FenceRefused,
    FunctionProfile,
    camara_bind_requests,
)
from shiming.registrations.rules.function_fence import FenceAsked, compile_fence
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn
from tests.registrations.iot_builders import NOON, a_card_number, an_imei_value, some_terms


def _cited(value: Any, kind: Any) -> Any:
    content = {"citation": "a:b", "confidence": Confidence.JUDGEMENT, "since": date(2020, 1, 1)}
    return Cited[kind].model_validate({"value": value, **content})


def a_scene(**values: Any) -> IotScenePolicy:
    stated = {"voice": False, "sms": False, "data": 30, "apn": True, "bindings": (Binding.IMEI, Binding.AREA)}
    stated |= values
    return IotScenePolicy(
        voice=_cited(stated["voice"], bool),
        sms=_cited(stated["sms"], bool),
        data_mb_per_month_max=_cited(stated["data"], int),
        apn_required=_cited(stated["apn"], bool),
        bindings=_cited(stated["bindings"], tuple[Binding, ...]),
    )


def asked(
    terms: FenceTerms, *, product: ProductClass = ProductClass.IOT_SMALL, imei: bool = True
) -> FenceAsked:
    device = an_imei_value() if imei else None
    return FenceAsked("IC-1", "metering", product, terms, device, NOON, "sha256:0")


AREA = Area.parse(31.2, 121.5, 500)
scenes = st.builds(
    a_scene,
    voice=st.booleans(),
    sms=st.booleans(),
    data=st.integers(1, 200),
    apn=st.booleans(),
    bindings=st.lists(st.sampled_from(Binding), min_size=1, unique=True).map(tuple),
)
terms = st.builds(
    FenceTerms,
    voice=st.booleans(),
    sms=st.booleans(),
    data_mb_per_month=st.none() | st.integers(1, 200),
    apns=st.sampled_from([(), ("a.b",)]),
    targets=st.sampled_from([(), ("c.d",)]),
    binding=st.sampled_from(Binding),
    area=st.none() | st.just(AREA),
)
products = st.sampled_from([ProductClass.IOT_SMALL, ProductClass.IOT_GENERAL])


def _is_within(profile: FunctionProfile, scene: IotScenePolicy) -> bool:
    return (
        profile.voice <= scene.voice.value
        and profile.sms <= scene.sms.value
        and profile.data_mb_per_month <= scene.data_mb_per_month_max.value
        and (bool(profile.apns) or not scene.apn_required.value)
        and profile.binding in scene.bindings.value
        and (profile.imei is not None) == (profile.binding is Binding.IMEI)
        and (profile.area is not None) == (profile.binding is Binding.AREA)
    )


@given(scenes, terms, products, st.booleans())
def test_whatever_a_contract_asks_its_fence_is_within_the_scene(
    scene: IotScenePolicy, wanted: FenceTerms, product: ProductClass, imei: bool
) -> None:
    match compile_fence(asked(wanted, product=product, imei=imei), scene):
        case FenceCompiled(profile):
            assert _is_within(profile, scene)
            assert profile.data_mb_per_month <= (wanted.data_mb_per_month or DATA_MB_MAX)
        case FenceRefused(refusals):
            assert refusals


@given(scenes, terms, products, st.booleans())
def test_to_ask_for_less_is_never_refused_where_more_was_allowed(
    scene: IotScenePolicy, wanted: FenceTerms, product: ProductClass, imei: bool
) -> None:
    if isinstance(compile_fence(asked(wanted, product=product, imei=imei), scene), FenceCompiled):
        less = replace(wanted, voice=False, sms=False, data_mb_per_month=1)
        assert isinstance(compile_fence(asked(less, product=product, imei=imei), scene), FenceCompiled)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"voice": True}, FenceRefusal.FENCE_VOICE),
        ({"sms": True}, FenceRefusal.FENCE_SMS),
        ({"data_mb_per_month": 31}, FenceRefusal.FENCE_DATA),
        ({"apns": ()}, FenceRefusal.FENCE_APN_MISSING),
        ({"targets": ()}, FenceRefusal.FENCE_TARGETS_MISSING),
        ({"binding": Binding.NONE}, FenceRefusal.FENCE_BINDING),
        ({"binding": Binding.AREA}, FenceRefusal.FENCE_AREA_MISSING),
    ],
)
def test_each_thing_too_much_has_its_code(changes: dict[str, Any], code: FenceRefusal) -> None:
    outcome = compile_fence(asked(some_terms(**changes)), a_scene())
    assert isinstance(outcome, FenceRefused)
    assert [refusal.code for refusal in outcome.refusals] == [code]


def test_all_reasons_are_given_at_once() -> None:
    outcome = compile_fence(asked(some_terms(voice=True, sms=True), imei=False), a_scene())
    assert isinstance(outcome, FenceRefused)
    codes = {refusal.code.value for refusal in outcome.refusals}
    assert codes == {"FENCE_VOICE", "FENCE_SMS", "FENCE_IMEI_MISSING"}


def test_general_traffic_need_not_name_its_targets() -> None:
    wanted = asked(some_terms(targets=()), product=ProductClass.IOT_GENERAL)
    assert isinstance(compile_fence(wanted, a_scene()), FenceCompiled)


def _profile(**changes: Any) -> FunctionProfile:
    outcome = compile_fence(asked(some_terms(**changes)), a_scene(bindings=tuple(Binding)))
    assert isinstance(outcome, FenceCompiled)
    return outcome.profile


def test_a_profile_has_one_spelling_and_says_where_it_comes_from() -> None:
    spelled = canonical_bytes(_profile().to_json())
    assert canonical_bytes(parse_object(spelled)) == spelled
    read = parse_object(spelled)
    assert read["schema"] == PROFILE_SCHEMA
    assert read["binding"] == {"type": "imei", "imei": an_imei_value().reveal("test")}
    assert set(read["citations"]) == {"voice", "sms", "data_mb_per_month", "apns", "binding"}


def test_a_profile_without_a_device_in_sight() -> None:
    assert an_imei_value().reveal("test") not in repr(_profile())


def test_a_profile_bound_to_an_area_draws_the_circle_of_camara() -> None:
    circle = {"areaType": "CIRCLE", "center": {"latitude": 31.2, "longitude": 121.5}, "radius": 500}
    assert _profile(binding=Binding.AREA, area=AREA).to_json()["binding"] == {"type": "area", "area": circle}


@pytest.mark.parametrize(
    ("binding", "types"), [(Binding.IMEI, ["IMEIBIND"]), (Binding.AREA, ["AREALIMIT"]), (Binding.NONE, [])]
)
def test_the_projection_to_camara(binding: Binding, types: list[str]) -> None:
    requests = camara_bind_requests(binding, Msisdn.parse(a_card_number()))
    assert [each["bindType"] for each in requests] == types
    assert all(each["device"] == {"phoneNumber": a_card_number()} for each in requests)


@pytest.mark.parametrize("text", ["", "a..b", "-a", "a b", "ä.b", "a" * 101, "cmnet;drop"])
def test_what_is_no_access_point(text: str) -> None:
    with pytest.raises(BadInput, match="APN_INVALID"):
        read_apn(text)


@pytest.mark.parametrize(
    "text", ["", "*", "http://a.b", "a.b:0", "a.b:70000", "a.b:x", "[::1", "[::1]x:", "a" * 300, "[::1]:"]
)
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(BadInput, match="TARGET_INVALID"):
        read_target(text)


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1:443", "::1", "[::1]", "a.b", "a.b:1"])
def test_what_is_a_target(text: str) -> None:
    assert read_target(text) == text


@pytest.mark.parametrize("circle", [(91.0, 0.0, 5), (0.0, 181.0, 5), (0.0, 0.0, 0), (0.0, 0.0, 200_001)])
def test_what_is_no_area(circle: tuple[float, float, int]) -> None:
    with pytest.raises(BadInput, match="AREA_INVALID"):
        Area.parse(*circle)


def test_terms_are_read_once() -> None:
    read = FenceTerms.parse(apns=("B.c", "a.b", "b.C"), targets=("X.y:1",))
    assert read.apns == ("a.b", "b.c")
    with pytest.raises(BadInput, match="DATA_CAP_INVALID"):
        FenceTerms.parse(data_mb_per_month=0)
    with pytest.raises(BadInput, match="WHITELIST_TOO_LONG"):
        FenceTerms.parse(apns=tuple(f"a{number}" for number in range(101)))
