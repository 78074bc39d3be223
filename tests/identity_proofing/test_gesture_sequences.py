from hypothesis import given
from hypothesis import strategies as st

from shiming.identity_proofing.rules.gesture_sequence import GestureVerdict, judge_gestures
from shiming.jurisdictions.model import Gesture
from shiming.recognition.measurements import ClipEvent, ClipEventKind
from tests.identity_proofing.proofing_builders import a_policy, blink, changed, turn

L, R, B, M = Gesture.TURN_LEFT, Gesture.TURN_RIGHT, Gesture.BLINK, Gesture.MOUTH_OPEN
RULES = a_policy().challenge
STEPS = st.lists(st.sampled_from([L, R, B, M]), min_size=1, max_size=6)


def performed(steps: list[Gesture], *, every: float = 3.0) -> list[ClipEvent]:
    """Return the events of a person who does exactly what is asked, half a second after each prompt."""
    kinds = {B: ClipEventKind.BLINK, M: ClipEventKind.MOUTH_OPEN}
    return [
        turn(step.value.removeprefix("turn_"), number * every + 0.5)
        if step in {L, R}
        else ClipEvent(kinds[step], number * every + 0.5, number * every + 0.8)
        for number, step in enumerate(steps)
    ]


def prompts(steps: list[Gesture], *, every: float = 3.0) -> tuple[float, ...]:
    return tuple(number * every for number in range(len(steps)))


@given(STEPS, st.booleans())
def test_doing_what_is_asked_matches_whether_prompts_are_known_or_not(
    steps: list[Gesture], known: bool
) -> None:
    verdict = judge_gestures(steps, performed(steps), prompts(steps) if known else None, RULES)
    assert verdict is GestureVerdict.MATCHED


@given(STEPS, st.lists(st.floats(0, 20), max_size=8))
def test_natural_blinks_never_spoil_a_sequence(steps: list[Gesture], at: list[float]) -> None:
    events = [*performed(steps), *(blink(second) for second in at)]
    assert judge_gestures(steps, events, None, RULES) is GestureVerdict.MATCHED


@given(STEPS, st.sampled_from(["left", "right"]), st.integers(0, 6))
def test_a_large_turn_nobody_asked_for_spoils_it(steps: list[Gesture], side: str, place: int) -> None:
    events = [*performed(steps), turn(side, min(place, len(steps)) * 3.0 - 0.9)]
    assert judge_gestures(steps, events, None, RULES) is GestureVerdict.WRONG_ORDER


@given(STEPS, st.data())
def test_leaving_something_out_is_never_a_match(steps: list[Gesture], data: st.DataObject) -> None:
    events = performed(steps)
    events.pop(data.draw(st.integers(0, len(events) - 1)))
    assert judge_gestures(steps, events, None, RULES) is not GestureVerdict.MATCHED


@given(st.permutations([L, L, R, R, B]), st.permutations([L, L, R, R, B]))
def test_another_order_is_never_a_match(asked: list[Gesture], done: list[Gesture]) -> None:
    verdict = judge_gestures(asked, performed(done), None, RULES)
    assert (verdict is GestureVerdict.MATCHED) is (asked == done)


@given(st.lists(st.sampled_from([L, R]), min_size=1, max_size=5))
def test_the_wrong_side_is_the_wrong_order(steps: list[Gesture]) -> None:
    mirrored = [L if step is R else R for step in steps]
    assert judge_gestures(steps, performed(mirrored), None, RULES) is GestureVerdict.WRONG_ORDER


def test_a_blink_during_a_turn_has_one_place_only() -> None:
    early = [turn("left", 1.0, length=2.0), blink(1.3)]  # before the middle of the turn
    assert judge_gestures([B, L], early, None, RULES) is GestureVerdict.MATCHED
    assert judge_gestures([L, B], early, None, RULES) is GestureVerdict.MISPLACED


def test_long_closed_eyes_count_as_a_blink() -> None:
    closed = [ClipEvent(ClipEventKind.EYES_CLOSED, 1.0, 2.0)]
    assert judge_gestures([B], closed, None, RULES) is GestureVerdict.MATCHED


def test_a_turn_must_be_held() -> None:
    assert judge_gestures([L], [turn("left", 1.0, length=0.1)], None, RULES) is GestureVerdict.TOO_SMALL


def test_small_turns_are_told_from_none() -> None:
    assert judge_gestures([L], [turn("left", 1.0, 10.0)], None, RULES) is GestureVerdict.TOO_SMALL
    assert judge_gestures([L], [blink(1.0)], None, RULES) is GestureVerdict.MISSING
    assert judge_gestures([L, B], [turn("left", 1.0)], None, RULES) is GestureVerdict.MISSING


def test_movement_before_the_first_prompt_does_not_count() -> None:
    assert (
        judge_gestures([L], [turn("right", 0.2), turn("left", 2.0)], (1.5,), RULES) is GestureVerdict.MATCHED
    )
    assert judge_gestures([L], [turn("left", 0.2)], (1.5,), RULES) is GestureVerdict.MISSING


def test_a_reaction_faster_than_people_react_or_too_late_is_out_of_time() -> None:
    for start in (1.05, 5.0):
        verdict = judge_gestures([L], [turn("left", start)], (1.0,), RULES)
        assert verdict is GestureVerdict.OUT_OF_TIME


def test_a_pack_may_allow_other_turns() -> None:
    lenient = changed(a_policy(), "challenge", opposite_turn_allowed=True).challenge
    assert (
        judge_gestures([L], [turn("right", 0.2), turn("left", 2.0)], None, lenient) is GestureVerdict.MATCHED
    )
    assert judge_gestures([L], [turn("right", 0.2)], None, lenient) is GestureVerdict.WRONG_ORDER


def test_other_events_are_not_gestures() -> None:
    events = [ClipEvent(ClipEventKind.SPEECH, 0.0, 5.0), turn("left", 1.0)]
    assert judge_gestures([L], events, None, RULES) is GestureVerdict.MATCHED
