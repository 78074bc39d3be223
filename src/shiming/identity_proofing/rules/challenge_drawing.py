"""Draw what a person is asked to do: unpredictable, within what the route and the policy allow."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from shiming.identity_proofing.model.challenge import Challenge, ChallengeOrigin, Language
from shiming.jurisdictions.model import DigitsMode, Gesture, Policy, Route

TURNS = frozenset({Gesture.TURN_LEFT, Gesture.TURN_RIGHT})
T = TypeVar("T")
_DRAWS = 64  # one draw in 6 misses a side, one in 1000 comes near an old string: 64 never all do


def draw_challenge(
    policy: Policy,
    route: Route,
    *,
    challenge_id: str,
    session_id: str,
    language: Language,
    randomness: Random,
    now: datetime,
    recent_digits: Sequence[str] = (),
) -> Challenge:
    """Draw a challenge for one session. `randomness` must be a cryptographic source outside of tests."""
    mode = policy.routes[route].digits.value
    return Challenge(
        id=challenge_id,
        session_id=session_id,
        origin=ChallengeOrigin.DRAWN,
        route=route,
        steps=_draw_steps(policy, route, randomness),
        digits="" if mode is DigitsMode.NONE else _draw_digits(policy, randomness, recent_digits),
        digits_mode=mode,
        language=language,
        drawn_at=now,
        expires_at=now + timedelta(seconds=policy.challenge.life_seconds.value),
    )


def _draw_steps(policy: Policy, route: Route, randomness: Random) -> tuple[Gesture, ...]:
    allowed = policy.routes[route].gestures.value
    if not allowed:
        return ()
    rules = policy.challenge
    count = randomness.randint(rules.gestures_min.value, rules.gestures_max.value)
    both_sides = rules.both_sides_required.value and set(allowed) >= TURNS
    return _draw_until(
        lambda: tuple(_steps(allowed, count, randomness)),
        lambda steps: not both_sides or set(steps) >= TURNS,
    )


def _steps(allowed: Sequence[Gesture], count: int, randomness: Random) -> list[Gesture]:
    """Draw `count` gestures; small ones (blink, mouth) never twice in a row: they cannot be told apart."""
    steps: list[Gesture] = []
    for _ in range(count):
        repeatable = [g for g in allowed if g in TURNS or g not in steps[-1:]]
        steps.append(randomness.choice(repeatable or list(allowed)))
    return steps


def _draw_digits(policy: Policy, randomness: Random, recent: Sequence[str]) -> str:
    length = policy.challenge.digits_length.value
    far_enough = policy.challenge.digits_distance_min.value
    return _draw_until(
        lambda: _digits(policy, length, randomness),
        lambda digits: _distance(digits, recent) >= far_enough,
    )


def _draw_until(draw: Callable[[], T], is_good: Callable[[T], bool]) -> T:
    """Return the first good draw, or the last of many."""
    drawn = draw()
    for _ in range(_DRAWS):
        if is_good(drawn):
            break
        drawn = draw()
    return drawn


def _digits(policy: Policy, length: int, randomness: Random) -> str:
    digits = ""
    may_repeat = policy.challenge.digits_repeat_in_row_allowed.value
    for _ in range(length):
        digits += randomness.choice([d for d in "0123456789" if may_repeat or d != digits[-1:]])
    return digits


def _distance(digits: str, recent: Sequence[str]) -> int:
    """Count the places in which `digits` differs from the nearest of the recent strings of its length."""
    same_length = [other for other in recent if len(other) == len(digits)]
    return min(
        (sum(a != b for a, b in zip(digits, other, strict=True)) for other in same_length),
        default=len(digits),
    )
