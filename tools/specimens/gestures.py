"""What an animated head does when: turns, blinks, nods of speech; all smooth functions of time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

GestureKind = Literal["turn_left", "turn_right", "blink", "close_eyes"]


@dataclass(frozen=True, slots=True)
class Gesture:
    """One movement from `start_s` to `end_s`. Left and right are the person's own; degrees for turns."""

    kind: GestureKind
    start_s: float
    end_s: float
    degrees: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return kind, times and degrees."""
        return {
            "kind": self.kind,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "degrees": self.degrees or None,
        }


@dataclass(frozen=True, slots=True)
class HeadState:
    """One moment. Yaw > 0: the nose points to the person's own left = image right; pitch > 0: up."""

    yaw: float
    pitch: float
    roll: float
    shift: tuple[float, float]  # pixels of a 512 picture
    eyes_closed: float  # 0 open .. 1 closed
    mouth_open: float  # 0 as in the photo .. 1 wide


def _smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)


def _rise_and_fall(now: float, start: float, end: float, ramp_share: float) -> float:
    ramp = (end - start) * ramp_share
    return _smooth((now - start) / ramp) * _smooth((end - now) / ramp)


def head_motion(
    script: tuple[Gesture, ...], seed: int, mouth: Callable[[float], float] | None = None, sway: float = 1.0
) -> Callable[[float], HeadState]:
    """Return the head as a function of time. `mouth(t)` gives the opening 0..1, for example of speech."""
    rng = np.random.default_rng([seed, 3])
    rates = rng.uniform(0.15, 0.75, (5, 3))
    phases = rng.uniform(0, 2 * np.pi, (5, 3))

    def wander(axis: int, now: float) -> float:
        return float(np.sin(2 * np.pi * rates[axis] * now + phases[axis]).sum() / 2) * sway

    def state(now: float) -> HeadState:
        yaw, closed = 1.1 * wander(0, now), 0.0
        for gesture in script:
            if gesture.kind in ("blink", "close_eyes"):
                ramp = 0.4 if gesture.kind == "blink" else 0.15
                closed = max(closed, _rise_and_fall(now, gesture.start_s, gesture.end_s, ramp))
            else:
                side = 1 if gesture.kind == "turn_left" else -1
                yaw += side * gesture.degrees * _rise_and_fall(now, gesture.start_s, gesture.end_s, 0.38)
        opening = mouth(now) if mouth else 0.0
        return HeadState(
            yaw=yaw,
            pitch=0.8 * wander(1, now) - 0.6 * opening,
            roll=0.6 * wander(2, now) + 0.03 * yaw,
            shift=(2.0 * wander(3, now), 1.3 * wander(4, now)),
            eyes_closed=closed,
            mouth_open=opening,
        )

    return state
