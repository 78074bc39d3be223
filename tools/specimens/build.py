"""Writes the whole set of committed specimens and the file of their truth."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.specimens.bad_cases import build_bad
from tools.specimens.clip_cases import build_clips
from tools.specimens.demo_clip import DEMO_PERFORMANCE
from tools.specimens.document_cases import DEMO_PERSON, build_documents
from tools.specimens.portraits import DEMO_FACE_SOURCE, SECOND_FACE_SOURCE
from tools.specimens.sound_cases import build_sounds

GROUPS = ("documents", "clips", "audio", "bad")
_PROVENANCE = {
    "demo_face": DEMO_FACE_SOURCE,
    "second_face": SECOND_FACE_SOURCE,
    "other_portraits": "drawn by tools/specimens/portraits.py",
    "identities": "invented; numbers valid by GB 11643, nobody's on purpose",
    "voices": "espeak-ng 1.51 (its output is not covered by its licence)",
    "typefaces": "Noto Sans CJK (SIL OFL), OCR-B by Raisty (SIL OFL)",
    "made_by": "python -m tools.specimens build specimens",
}


def _demo() -> dict[str, Any]:
    return {
        "person": DEMO_PERSON.front_truth() | DEMO_PERSON.back_truth(),
        "document_front": "documents/demo_front.jpg",
        "document_back": "documents/demo_back.jpg",
        "clip": "clips/demo.mp4",
        "digits_audio": "audio/demo_digits.wav",
        "challenge": "demo_challenge.json",
        **DEMO_PERFORMANCE.to_json(),
    }


def _challenge() -> dict[str, Any]:
    """Return the challenge that the demo clip meets, as `shiming prove --challenge` takes it."""
    return {
        "steps": [{"gesture": gesture.kind} for gesture in DEMO_PERFORMANCE.gestures],
        "prompts_s": list(DEMO_PERFORMANCE.prompts_s[:-1]),
        "digits": DEMO_PERFORMANCE.digits,
        "digits_language": DEMO_PERFORMANCE.language,
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def build(out: Path, groups: tuple[str, ...] = GROUPS) -> Path:
    """Write the groups under `out` and bring `cases.json` up to date; returns its path."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "cases.json"
    cases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    cases |= {"provenance": _PROVENANCE, "demo": _demo()}
    for group in GROUPS:
        if group not in groups:
            continue
        made: Mapping[str, Any]
        if group == "documents":
            made = build_documents(out / group)
        elif group == "clips":
            made = build_clips(out / group)
        elif group == "audio":
            made = build_sounds(out / group)
        else:
            made = build_bad(out / group, out / "clips" / "demo.mp4")
        cases[group] = dict(made)
    _write_json(path, cases)
    _write_json(out / "demo_challenge.json", _challenge())
    return path
