import json
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.identity_proofing.model.challenge import Challenge, ChallengeOrigin, Language
from shiming.identity_proofing.rules.challenge_document import (
    challenge_content,
    challenge_document,
    parse_challenge,
)
from shiming.identity_proofing.rules.challenge_drawing import TURNS, draw_challenge
from shiming.jurisdictions.model import DigitsMode, Gesture, Route
from shiming.vocabulary.errors import BadInput
from tests.identity_proofing.proofing_builders import NOW, a_policy, changed

ROUTES = st.sampled_from(list(Route))


def drawn(seed: int, route: Route = Route.STANDARD, recent: tuple[str, ...] = (), **rules: Any) -> Challenge:
    policy = changed(a_policy(), "challenge", **rules) if rules else a_policy()
    return draw_challenge(
        policy,
        route,
        challenge_id="CHA-1",
        session_id="SES-1",
        language=Language.MANDARIN,
        randomness=Random(seed),  # noqa: S311 - repeatable on purpose
        now=NOW,
        recent_digits=recent,
    )


@given(st.integers(), ROUTES)
def test_what_is_drawn_is_what_the_route_and_the_pack_allow(seed: int, route: Route) -> None:
    challenge, rules, policy = drawn(seed, route), a_policy().challenge, a_policy().routes[route]
    assert set(challenge.steps) <= set(policy.gestures.value)
    assert challenge.digits_mode is policy.digits.value
    if policy.gestures.value:
        assert rules.gestures_min.value <= len(challenge.steps) <= rules.gestures_max.value
    if set(policy.gestures.value) >= TURNS:
        assert set(challenge.steps) >= TURNS
    if challenge.digits_mode is DigitsMode.NONE:
        assert not challenge.digits
    else:
        assert len(challenge.digits) == rules.digits_length.value
        assert all(a != b for a, b in zip(challenge.digits, challenge.digits[1:], strict=False))
    small = [step for step in challenge.steps if step not in TURNS]
    pairs = zip(challenge.steps, challenge.steps[1:], strict=False)
    assert not small or all(a != b or a in TURNS for a, b in pairs)
    assert (challenge.expires_at - challenge.drawn_at).total_seconds() == rules.life_seconds.value


@given(st.integers(), st.lists(st.from_regex(r"[0-9]{6}", fullmatch=True), max_size=20))
def test_new_digits_stay_away_from_recent_ones(seed: int, recent: list[str]) -> None:
    digits = drawn(seed, recent=(*recent, "1")).digits
    far = a_policy().challenge.digits_distance_min.value
    assert all(sum(a != b for a, b in zip(digits, old, strict=True)) >= far for old in recent)


def test_digits_are_drawn_even_when_none_can_be_far() -> None:
    assert len(drawn(1, recent=("123456",), digits_distance_min=7).digits) == 6


def test_draws_are_spread() -> None:
    sequences = Counter(drawn(seed).steps for seed in range(2000))
    assert max(sequences.values()) < 2000 * 0.12
    first_digits = Counter(drawn(seed).digits[0] for seed in range(2000))
    assert set(first_digits) == set("0123456789")
    assert max(first_digits.values()) < 300


def test_a_pack_may_allow_repeats_and_one_side() -> None:
    digits = {drawn(seed, digits_repeat_in_row_allowed=True).digits for seed in range(200)}
    assert any(a == b for text in digits for a, b in pairwise(text))
    steps = {drawn(seed, both_sides_required=False).steps for seed in range(200)}
    assert any(not set(each) >= TURNS for each in steps)


def test_one_small_gesture_alone_may_repeat() -> None:
    only_blink = a_policy().routes[Route.HEAD_STILL]
    route = only_blink.model_copy(
        update={"gestures": only_blink.gestures.model_copy(update={"value": (Gesture.BLINK,)})}
    )
    policy = a_policy().model_copy(update={"routes": {Route.HEAD_STILL: route}})
    challenge = draw_challenge(
        policy, Route.HEAD_STILL, challenge_id="C", session_id="S", language=Language.ENGLISH,
        randomness=Random(1), now=NOW,  # noqa: S311 - repeatable on purpose
    )  # fmt: skip
    assert set(challenge.steps) == {Gesture.BLINK}


@given(st.integers(), ROUTES)
def test_the_document_comes_back_as_the_challenge(seed: int, route: Route) -> None:
    challenge = drawn(seed, route)
    if not challenge.steps:
        return
    document = json.loads(json.dumps(challenge_document(challenge)))
    assert parse_challenge(document, a_policy(), NOW + timedelta(hours=1)) == challenge


def test_the_document_explains_itself() -> None:
    document = challenge_document(drawn(1))
    for step in document["steps"]:
        assert step["instruction"]["zh"]
        assert step["instruction"]["en"]
    assert document["digits_instruction"]["zh"]


def test_the_hash_covers_all_but_words_and_prompt_times() -> None:
    challenge = drawn(1)
    prompted = challenge_document(challenge) | {"prompts_s": [1.0 * n for n in range(len(challenge.steps))]}
    prompted["steps"] = [step["gesture"] for step in prompted["steps"]]
    again = parse_challenge(prompted, a_policy(), NOW)
    assert again.prompts_s is not None
    assert challenge_content(again) == challenge_content(challenge)


def test_what_was_written_by_hand_is_chosen() -> None:
    challenge = parse_challenge(
        {"steps": ["turn_left"], "origin": "drawn", "session": "SES-9", "comment": "training"},
        a_policy(),
        NOW,
    )
    assert (challenge.origin, challenge.session_id, challenge.id) == (ChallengeOrigin.CHOSEN, None, None)
    assert challenge.digits_mode is DigitsMode.NONE
    assert parse_challenge({"digits": "470913"}, a_policy(), NOW).digits_mode is DigitsMode.SPOKEN


GOOD = {"steps": ["turn_left", "blink"], "digits": "470913"}


@pytest.mark.parametrize(
    "flaw",
    [
        {"steps": ["nod"]},
        {"steps": "turn_left"},
        {"steps": [], "digits": ""},
        {"steps": ["blink"] * 13},
        {"digits": "47091a"},
        {"digits": 470913},
        {"route": "flying"},
        {"prompts_s": [1.0]},
        {"prompts_s": [2.0, 1.0]},
        {"prompts_s": [-1.0, 1.0]},
        {"prompts_s": [1.0, 9e9]},
        {"drawn_at": "2026-11-22T09:00:00"},
        {"drawn_at": "yesterday"},
        {"id": "CHA-1"},
        {"digits_language": "fra"},
        {"id": "X" * 61},
    ],
)
def test_a_document_that_is_not_well_formed_is_refused_with_advice(flaw: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        parse_challenge(GOOD | flaw, a_policy(), NOW)
    assert refused.value.code == "CHALLENGE_INVALID"
    assert refused.value.advice.zh


def test_a_route_that_the_pack_lacks_is_refused() -> None:
    alone = a_policy().model_copy(update={"routes": {Route.STANDARD: a_policy().routes[Route.STANDARD]}})
    with pytest.raises(BadInput, match="CHALLENGE_INVALID"):
        parse_challenge(GOOD | {"route": "no_blink"}, alone, NOW)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_anything_else_is_refused_too(junk: Any) -> None:
    for document in ({"steps": junk}, {"digits": junk}, {"prompts_s": junk, **GOOD}, {"id": junk, **GOOD}):
        with suppress(BadInput):
            assert isinstance(parse_challenge(document, a_policy(), NOW), Challenge)
