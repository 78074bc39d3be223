"""Writes the unusable files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tools.specimens import bad_inputs
from tools.specimens.clip_files import Clip, read_clip, write_clip
from tools.specimens.document_cases import DEMO_PERSON
from tools.specimens.photography import photograph
from tools.specimens.portraits import demo_portrait
from tools.specimens.resident_card import render_resident_card_front
from tools.specimens.speech import SAMPLE_RATE

# these hold a usable picture in an unusual wrapping: they are to be read, not refused
_READABLE = {"exif_rotated.jpg", "cmyk.jpg", "sixteen_bit.png", "transparent.png", "animated.gif"}


def _about(name: str) -> dict[str, Any]:
    expected = "read, or refused with advice" if name in _READABLE else "refused with advice"
    return {"expected": expected}


def _clips(folder: Path, demo_path: Path) -> list[str]:
    demo: Clip = read_clip(demo_path)
    data = demo_path.read_bytes()
    small = list(demo.frames[:50])
    write_clip(folder / "clip_without_sound.mp4", small, crf=30)
    write_clip(folder / "silent_clip.mp4", small, sound=np.zeros(2 * SAMPLE_RATE, np.float32), crf=30)
    bad_inputs.two_hour_clip(folder / "two_hours.mp4")
    bad_inputs.huge_picture_clip(folder / "huge_picture.mp4")
    bad_inputs.hostile_metadata(small[:5], folder / "hostile_metadata.mp4")
    bad_inputs.sound_only(folder / "sound_only.mp4", np.zeros(SAMPLE_RATE, np.float32))
    short = (folder / "clip_without_sound.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(bad_inputs.truncated(data)[:60_000])
    (folder / "huge_declared_size.mp4").write_bytes(bad_inputs.huge_declared_size(short))
    (folder / "not_a_clip.mp4").write_bytes(b"ftyp is not enough\n" * 50)
    (folder / "zero_bytes.mp4").write_bytes(b"")
    (folder / "not_a_sound.wav").write_bytes(b"RIFF nothing WAVE" * 20)
    return sorted(p.name for p in folder.iterdir() if p.suffix in (".mp4", ".wav"))


def build_bad(folder: Path, demo_path: Path) -> dict[str, Mapping[str, Any]]:
    """Write all unusable files; the clips among them are cut from the demo clip."""
    folder.mkdir(parents=True, exist_ok=True)
    card = render_resident_card_front(DEMO_PERSON, demo_portrait(), seed=30)
    photo = photograph(card, "mild", 30, background="plain", card_width_px=800).image
    truth: dict[str, Mapping[str, Any]] = {}
    for name, make in bad_inputs.image_cases(photo, demo_portrait()).items():
        (folder / name).write_bytes(make())
        truth[name] = _about(name)
    for name in _clips(folder, demo_path):
        truth[name] = _about(name)
    return truth
