"""The clip of the demonstration: who, what, when, and the words spoken."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tools.specimens.animation import animate_portrait_3d, square_around_face
from tools.specimens.clip_files import write_clip
from tools.specimens.gestures import Gesture
from tools.specimens.portraits import demo_photograph
from tools.specimens.speech import SAMPLE_RATE, Sound, mouth_opening, room, speak_digits
from tools.specimens.typefaces import Pixels


@dataclass(frozen=True, slots=True)
class Performance:
    """A challenge with the times of its prompts, and what the animated person does about it."""

    gestures: tuple[Gesture, ...]
    prompts_s: tuple[float, ...]  # one for each gesture, then one for the digits
    digits: str
    digits_at_s: float
    seconds: float
    voice: str = "+f2"
    language: str = "cmn"
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the truth for `cases.json`."""
        names = [gesture.kind for gesture in self.gestures]
        prompts = [
            {"kind": name, "prompt_s": at}
            for name, at in zip([*names, "digits"], self.prompts_s, strict=True)
        ]
        return {
            "gestures": names,
            "events": [gesture.to_json() for gesture in self.gestures],
            "prompts": prompts,
            "digits": self.digits,
            "digits_language": self.language,
            "digits_start_s": self.digits_at_s,
            "seconds": self.seconds,
        }


DEMO_PERFORMANCE = Performance(
    gestures=(
        Gesture("turn_left", 1.2, 2.6, 32.0),
        Gesture("blink", 3.1, 3.5),
        Gesture("turn_right", 4.1, 5.5, 32.0),
    ),
    prompts_s=(0.9, 2.75, 3.75, 5.65),
    digits="470913",
    digits_at_s=6.0,
    seconds=9.6,
)
WRONG_ORDER_PERFORMANCE = Performance(
    gestures=(
        Gesture("turn_right", 1.2, 2.6, 32.0),
        Gesture("turn_left", 3.1, 4.5, 32.0),
        Gesture("blink", 4.9, 5.3),
    ),
    prompts_s=(0.9, 2.75, 4.6, 5.65),
    digits="470913",
    digits_at_s=6.0,
    seconds=9.6,
    seed=1,
)


def performed_sound(performance: Performance) -> Sound:
    """Return the sound track: a quiet room, then the digits."""
    speech = speak_digits(
        performance.digits, performance.language, performance.voice, performance.seed, words_a_minute=160
    )
    track = np.zeros(round(performance.seconds * SAMPLE_RATE), np.float32)
    start = round(performance.digits_at_s * SAMPLE_RATE)
    spoken = speech.sound[: len(track) - start]
    track[start : start + len(spoken)] = spoken
    return room(track, performance.seed)


def performed_frames(
    performance: Performance, photograph: Pixels | None = None, *, until_s: float | None = None
) -> Iterator[Pixels]:
    """Yield the frames of the person in the photograph (the demo face by default) going through it."""
    image, mesh = square_around_face(demo_photograph() if photograph is None else photograph)
    sound = performed_sound(performance)
    opening = mouth_opening(sound * (np.abs(sound) > 0.02), 0.0)

    def mouth(now: float) -> float:
        return float(opening[min(int(now * 100), len(opening) - 1)])

    seconds = performance.seconds if until_s is None else until_s
    return animate_portrait_3d(
        image, mesh, performance.gestures, seconds=seconds, mouth=mouth, seed=performance.seed
    )


def write_performance(
    path: Path, performance: Performance, *, photograph: Pixels | None = None, crf: int = 21
) -> None:
    """Animate a person through a performance and write the clip with its sound."""
    write_clip(path, performed_frames(performance, photograph), sound=performed_sound(performance), crf=crf)
