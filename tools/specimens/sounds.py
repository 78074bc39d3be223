"""Sounds for the spoken-digit checks that are not a clean digit string: noise, tones, music, other words."""

import numpy as np
from scipy.signal import butter, resample_poly, sosfilt  # type: ignore[import-untyped]  # no types

from tools.specimens.speech import SAMPLE_RATE, Sound


def noise(seconds: float, seed: int, level: float = 0.1) -> Sound:
    """Return low-passed noise, as of a fan."""
    rng = np.random.default_rng([seed, 31])
    hiss = rng.normal(0, 1, round(seconds * SAMPLE_RATE))
    soft = sosfilt(butter(2, 2500, fs=SAMPLE_RATE, output="sos"), hiss)
    return np.asarray(soft / np.abs(soft).max() * level * 3, dtype=np.float32)


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3) -> Sound:
    """Return a pure tone."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(level * np.sin(2 * np.pi * hertz * t), dtype=np.float32)


def music(seconds: float, seed: int, level: float = 0.3) -> Sound:
    """Return plucked notes over chords."""
    rng = np.random.default_rng([seed, 32])
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    total = np.zeros_like(t)
    scale = np.array([0, 2, 4, 7, 9, 12])
    for start in np.arange(0, seconds - 0.1, 0.25):
        pitch = 220 * 2 ** ((rng.choice(scale) + 12 * rng.integers(0, 2)) / 12)
        age = np.clip(t - start, 0, None)
        note = sum(np.sin(2 * np.pi * pitch * k * age) / k for k in (1, 2, 3, 4))
        total += note * np.exp(-age * 5) * (t >= start)
    return np.asarray(total / np.abs(total).max() * level, dtype=np.float32)


def clipped(sound: Sound, gain: float = 5.0) -> Sound:
    """Return an overdriven recording: most peaks are cut."""
    return np.asarray(np.clip(sound * gain, -1, 1), dtype=np.float32)


def stereo(sound: Sound) -> np.ndarray:
    """Return two channels of different loudness, the right one a little late."""
    late = np.concatenate([np.zeros(24, np.float32), sound])[: len(sound)]
    return np.stack([sound, 0.6 * late], axis=1)


def telephone(sound: Sound) -> Sound:
    """Return the sound at 8 kHz, 300..3400 Hz."""
    narrow = sosfilt(butter(4, (300, 3400), "bandpass", fs=SAMPLE_RATE, output="sos"), sound)
    return np.asarray(resample_poly(narrow, 1, 2), dtype=np.float32)


def with_noise(sound: Sound, seed: int, snr_db: float) -> Sound:
    """Add a fan's noise at this ratio."""
    hum = noise(len(sound) / SAMPLE_RATE, seed)[: len(sound)]
    wanted = np.sqrt((sound**2).mean()) / 10 ** (snr_db / 20)
    return np.asarray(np.clip(sound + hum * wanted / np.sqrt((hum**2).mean()), -1, 1), dtype=np.float32)
