"""Whether the gestures happened: all, in their order and direction, far enough, after their prompts.

Events are ordered by their middle, so a blink during a turn has one place only. Natural extra blinks and
mouth movements never spoil a sequence; a turn as large as a requested one that nobody asked for does,
because a person who is told what to do does not turn elsewhere, and a recording does.
"""

from collections.abc import Sequence
from enum import StrEnum

from shiming.jurisdictions.model import ChallengePolicy, Gesture
from shiming.recognition.measurements import ClipEvent, ClipEventKind

_SHOWN_BY = {
    Gesture.TURN_LEFT: frozenset({ClipEventKind.TURN_LEFT}),
    Gesture.TURN_RIGHT: frozenset({ClipEventKind.TURN_RIGHT}),
    Gesture.BLINK: frozenset({ClipEventKind.BLINK, ClipEventKind.EYES_CLOSED}),
    Gesture.MOUTH_OPEN: frozenset({ClipEventKind.MOUTH_OPEN}),
}
_TURNS = frozenset({ClipEventKind.TURN_LEFT, ClipEventKind.TURN_RIGHT})
_GESTURES = frozenset().union(*_SHOWN_BY.values())


class GestureVerdict(StrEnum):
    """What became of the requested sequence."""

    MATCHED = "matched"
    MISSING = "missing"
    TOO_SMALL = "too_small"
    MISPLACED = "misplaced"  # every gesture was seen, a small one not in its place
    WRONG_ORDER = "wrong_order"  # large turns contradict what was asked
    OUT_OF_TIME = "out_of_time"


def judge_gestures(
    steps: Sequence[Gesture],
    events: Sequence[ClipEvent],
    prompts_s: Sequence[float] | None,
    rules: ChallengePolicy,
) -> GestureVerdict:
    """Compare what was asked with what was seen.

    (1) large turns are exactly those asked for, in their order  (2) each was held
    (3) the small gestures stand between them where they should  (4) each followed its prompt in time
    """
    seen = sorted((e for e in events if e.kind in _GESTURES), key=_middle)
    if prompts_s:
        seen = [event for event in seen if event.start_s >= prompts_s[0]]
    large = [e for e in seen if e.kind in _TURNS and (e.degrees or 0) >= rules.turn_degrees_min.value]
    asked_turns = [step for step in steps if _SHOWN_BY[step] <= _TURNS]
    if (contradiction := _turns(asked_turns, large, seen, rules)) is not None:
        return contradiction
    relevant = [event for event in seen if event.kind not in _TURNS or event in large]
    if _in_order(steps, relevant) is None:
        missing = any(all(e.kind not in _SHOWN_BY[step] for e in relevant) for step in steps)
        return GestureVerdict.MISSING if missing else GestureVerdict.MISPLACED
    if prompts_s and not _in_time(steps, relevant, prompts_s, rules):
        return GestureVerdict.OUT_OF_TIME
    return GestureVerdict.MATCHED


def _turns(
    asked: Sequence[Gesture], large: Sequence[ClipEvent], seen: Sequence[ClipEvent], rules: ChallengePolicy
) -> GestureVerdict | None:
    """Return what speaks against the large turns, None if they are those asked for."""
    found = _in_order(asked, large)
    surplus_spoils = len(large) > len(asked) and not rules.opposite_turn_allowed.value
    if found is None or surplus_spoils:
        if not surplus_spoils and _is_subsequence(large, asked):
            smaller = any(e.kind in _TURNS and e not in large for e in seen)
            return GestureVerdict.TOO_SMALL if smaller else GestureVerdict.MISSING
        return GestureVerdict.WRONG_ORDER
    held = all(e.end_s - e.start_s >= rules.turn_held_seconds_min.value for e in found)
    return None if held else GestureVerdict.TOO_SMALL


def _in_order(steps: Sequence[Gesture], events: Sequence[ClipEvent]) -> list[ClipEvent] | None:
    """Return the earliest events that show the steps in their order; None if there are none."""
    remaining, found = iter(events), []
    for step in steps:
        event = next((e for e in remaining if e.kind in _SHOWN_BY[step]), None)
        if event is None:
            return None
        found.append(event)
    return found


def _is_subsequence(events: Sequence[ClipEvent], steps: Sequence[Gesture]) -> bool:
    """Say whether what was seen is what was asked for with some left out."""
    remaining = iter(steps)
    return all(any(event.kind in _SHOWN_BY[step] for step in remaining) for event in events)


def _in_time(
    steps: Sequence[Gesture], events: Sequence[ClipEvent], prompts_s: Sequence[float], rules: ChallengePolicy
) -> bool:
    """Say whether each step was shown soon after its prompt, and not before a person could react."""
    earliest, latest = rules.response_seconds_min.value, rules.response_seconds_max.value
    return all(
        any(e.kind in _SHOWN_BY[step] and earliest <= e.start_s - prompt <= latest for e in events)
        for step, prompt in zip(steps, prompts_s, strict=True)
    )


def _middle(event: ClipEvent) -> float:
    return (event.start_s + event.end_s) / 2
