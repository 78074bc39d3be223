"""The committed clips: the demonstration and a few attacks, each with its truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tools.specimens import clip_attacks
from tools.specimens.clip_files import Clip, read_clip, write_clip
from tools.specimens.demo_clip import (
    DEMO_PERFORMANCE,
    WRONG_ORDER_PERFORMANCE,
    performed_frames,
    write_performance,
)
from tools.specimens.portraits import demo_portrait, second_photograph

_ATTACK_CRF = 26


def build_clips(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Write all clips; returns their truth by file name. Takes some minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_performance(folder / "demo.mp4", DEMO_PERFORMANCE)
    write_performance(folder / "wrong_order.mp4", WRONG_ORDER_PERFORMANCE, crf=_ATTACK_CRF)
    demo = read_clip(folder / "demo.mp4")
    truth: dict[str, Mapping[str, Any]] = {
        "demo.mp4": DEMO_PERFORMANCE.to_json()
        | {"expected": "meets its challenge; animated, marked as such"},
        "wrong_order.mp4": WRONG_ORDER_PERFORMANCE.to_json()
        | {"expected": "does not meet the challenge of demo.mp4"},
    }
    for name, (frames, about) in _attacks(demo).items():
        write_clip(folder / name, frames, sound=demo.sound, crf=_ATTACK_CRF)
        truth[name] = {
            "expected": "not verified",
            "made_of": "demo.mp4",
            "digits": DEMO_PERFORMANCE.digits,
        } | about
    return truth


def _attacks(demo: Clip) -> dict[str, tuple[list[np.ndarray], dict[str, Any]]]:
    frames = list(demo.frames)
    seconds = demo.seconds
    others = list(performed_frames(DEMO_PERFORMANCE, second_photograph(), until_s=seconds))
    return {
        "flat_photo.mp4": (
            clip_attacks.held_photo(demo_portrait(), seconds=seconds, seed=5),
            {"attack": "flat photo held, turned and shaken"},
        ),
        "frozen.mp4": (
            clip_attacks.frozen(frames, 2.8, 2.5),
            {"attack": "frozen picture", "frozen_s": [2.8, 5.3]},
        ),
        "splice.mp4": (
            clip_attacks.splice(frames, others, 3.8),
            {"attack": "another person goes on", "cut_s": 3.8},
        ),
    }
