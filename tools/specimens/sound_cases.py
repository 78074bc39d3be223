"""The committed sounds: digit strings in several voices, and what is not a digit string."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tools.specimens import sounds
from tools.specimens.demo_clip import DEMO_PERFORMANCE, performed_sound
from tools.specimens.speech import SAMPLE_RATE, Sound, room, save_wav, speak_digits, speak_text

_OTHER_WORDS = "jin1 tian1 tian1 qi4 hen3 hao3 wo3 men5 qu4 gong1 yuan2 san4 bu4"


def _digits(digits: str, seed: int, language: str = "cmn", voice: str = "+f2", **options: Any) -> Sound:
    lead = np.zeros(SAMPLE_RATE // 4, np.float32)
    speech = speak_digits(digits, language, voice, seed, **options).sound
    return room(np.concatenate([lead, speech]), seed)


def _spoken(digits: str, language: str = "cmn") -> dict[str, Any]:
    return {"digits": digits, "language": language, "expected": "heard"}


def _silent_of(what: str) -> dict[str, Any]:
    return {"digits": None, "expected": "never accepted", "content": what}


def build_sounds(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Write all sounds as 16-bit WAV; returns their truth by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    demo = performed_sound(DEMO_PERFORMANCE)[round((DEMO_PERFORMANCE.digits_at_s - 0.3) * SAMPLE_RATE) :]
    second = _digits("836205", 2)
    made: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "demo_digits.wav": (demo, _spoken(DEMO_PERFORMANCE.digits)),
        "cmn_836205.wav": (second, _spoken("836205")),
        "cmn_male_294718.wav": (_digits("294718", 3, voice="+m3", pitch=40), _spoken("294718")),
        "cmn_yao_510163.wav": (_digits("510163", 4, one_as_yao=True), _spoken("510163")),
        "eng_470913.wav": (_digits("470913", 5, "eng", "+m1"), _spoken("470913", "eng")),
        "eng_female_628350.wav": (_digits("628350", 6, "eng", "+f3"), _spoken("628350", "eng")),
        "noisy_836205.wav": (sounds.with_noise(second, 7, 12.0), _spoken("836205")),
        "clipped_836205.wav": (sounds.clipped(second), _spoken("836205")),
        "stereo_836205.wav": (sounds.stereo(second), _spoken("836205")),
        "noise.wav": (sounds.noise(2.0, 8), _silent_of("noise of a fan")),
        "tone.wav": (sounds.tone(1.5), _silent_of("a tone")),
        "music.wav": (sounds.music(2.5, 9), _silent_of("music")),
        "silence.wav": (np.zeros(SAMPLE_RATE, np.float32), _silent_of("digital silence")),
        "other_words_cmn.wav": (
            room(speak_text(_OTHER_WORDS, "cmn-latn-pinyin+f2"), 10),
            _silent_of("other words"),
        ),
        "other_words_eng.wav": (
            room(speak_text("Please open the window and bring me my coat from the hall", "en-us+m1"), 11),
            _silent_of("other words"),
        ),
    }
    for name, (sound, _) in made.items():
        save_wav(folder / name, sound)
    save_wav(folder / "telephone_8khz_836205.wav", sounds.telephone(second), 8000)
    truth: dict[str, Mapping[str, Any]] = {name: about for name, (_, about) in made.items()}
    return truth | {"telephone_8khz_836205.wav": _spoken("836205")}
