"""Assemble and disturb training strings in the mel power domain (fast, and close enough to waveforms).

What matters, in order (measured by leave-one-speaker-out): noise and channel, then vocal-tract warps,
then more voices. Everything is drawn from one seeded generator.
"""

from dataclasses import dataclass

import numpy as np
from corpus import Corpus, Token

from shiming.recognition.spoken_digits.features import BANDS, band_edges_hz, hz_to_mel, normalised

CENTRES_HZ = band_edges_hz()[1:-1]
CENTRES_MEL = hz_to_mel(CENTRES_HZ)
BAND_AXIS = np.arange(BANDS)
NOISE_SHAPE = (
    1.0 + 7.0 * (BAND_AXIS / BANDS) ** 1.5
)  # low bands average few bins: their noise fluctuates more
FILLER = 11
FRAMES_MAX = 640


@dataclass(frozen=True)
class Mixture:
    """How often what is drawn."""

    people: float = 0.5
    other_speech: float = 0.16  # per unit of a string
    nothing_said: float = 0.04


class StringSource:
    """Draws disturbed strings: features (frames, bands); labels 1..10 for digits, 11 for other units."""

    def __init__(self, corpus: Corpus, mixture: Mixture, seed: int) -> None:
        self.corpus, self.mixture = corpus, mixture
        self.dice = np.random.default_rng(seed)
        self.people = sorted(corpus.people)
        self.synthetic = [voice for voice in sorted(corpus.synthetic) if len(corpus.synthetic[voice]) >= 2]
        self.weights = np.array(
            [4.0 if voice[:2] in ("zf", "zm", "af", "am", "bf", "bm") else 1.0 for voice in self.synthetic]
        )
        self.weights /= self.weights.sum()

    def draw(self) -> tuple[np.ndarray, list[int]]:
        """Return one training example."""
        if self.dice.random() < self.mixture.nothing_said:
            power, labels = np.zeros((self.dice.integers(80, 400), BANDS), np.float32), []
        else:
            power, labels = self.string()
        return self.features(self.channel(power)), labels

    def tokens(self) -> list[Token]:
        """Draw the tokens of one voice."""
        dice = self.dice
        if self.people and dice.random() < self.mixture.people:
            units = self.corpus.people[self.people[dice.integers(len(self.people))]]
        else:
            units = self.corpus.synthetic[self.synthetic[dice.choice(len(self.synthetic), p=self.weights)]]
        names = sorted(units)
        length, drawn = int(dice.integers(1, 9)), []
        only_other = dice.random() < 0.08
        while sum(len(token.labels) for token in drawn) < length:
            if self.corpus.other_speech and (only_other or dice.random() < self.mixture.other_speech):
                source = self.corpus.other_speech
            else:
                source = units[names[dice.integers(len(names))]]
            drawn.append(source[dice.integers(len(source))])
        return drawn

    def string(self) -> tuple[np.ndarray, list[int]]:
        """Lay tokens one after another with one speaker's warp, tempo and habits of pausing."""
        dice = self.dice
        warp, pace = float(np.exp(dice.uniform(-0.24, 0.24))), dice.uniform(20, 66)
        joined, longest_gap = dice.random() < 0.35, int(dice.choice([6, 15, 30, 60]))
        canvas = np.zeros((FRAMES_MAX + 300, BANDS), np.float32)
        position, labels = int(dice.integers(3, 70)), []
        for token in self.tokens():
            target = pace * len(token.labels) * dice.uniform(0.8, 1.25)
            rate = np.clip(len(token.power) / target, 0.6, 4.0)
            power = warped(token.power, float(rate), warp * float(np.exp(dice.uniform(-0.03, 0.03))))
            power = self.worn(power) * 10 ** dice.uniform(-0.6, 0.2)
            if position + len(power) > FRAMES_MAX:
                break
            canvas[position : position + len(power)] += power
            position += len(power)
            position += int(dice.integers(-5, 3)) if joined else int(dice.integers(0, longest_gap))
            labels += [FILLER if label == "?" else int(label) + 1 for label in token.labels]
        return canvas[: position + int(dice.integers(5, 80))], labels

    def worn(self, power: np.ndarray) -> np.ndarray:
        """Shave the edges of a token, as neighbours do in running speech, and bend its spectrum a little."""
        dice = self.dice
        if dice.random() < 0.25 and len(power) > 20:
            power = power[int(dice.integers(0, 4)) : len(power) - int(dice.integers(0, 6))]
        if dice.random() < 0.5:
            bend = np.interp(BAND_AXIS, np.linspace(0, BANDS - 1, 5), dice.normal(0, 0.45, 5))
            power = power * np.exp(bend).astype(np.float32)
        return power

    def channel(self, power: np.ndarray) -> np.ndarray:
        """Add a room, an equaliser, noise, other talkers and a narrow band, each sometimes."""
        dice = self.dice
        if dice.random() < 0.5:
            power = reverberated(power, dice.uniform(0.12, 0.7), dice.uniform(0.03, 0.45))
        tilt = np.interp(BAND_AXIS, np.sort(dice.uniform(0, BANDS, 6)), dice.uniform(-1.6, 1.6, 6))
        power = power * np.exp(tilt).astype(np.float32)
        frame_power = power.sum(1)
        loud = float(np.sort(frame_power)[-max(1, len(frame_power) // 3) :].mean()) or 1.0
        narrow_first = dice.random() < 0.5
        if narrow_first:
            power = self.narrowed(power)
        if dice.random() < 0.93:
            power = power + loud * 10 ** (-dice.uniform(6, 40) / 10) * self.noise(len(power))
        if self.corpus.other_speech and dice.random() < 0.12:
            power = power + loud * 10 ** (-dice.uniform(12, 25) / 10) * self.babble(len(power))
        return power if narrow_first else self.narrowed(power)

    def noise(self, frames: int) -> np.ndarray:
        """Return coloured noise of mean power 1 a frame, steady or swelling."""
        dice = self.dice
        colour = np.interp(BAND_AXIS, np.linspace(0, BANDS, 5), dice.uniform(-2, 2, 5))
        colour = np.exp(colour - BAND_AXIS / BANDS * dice.uniform(-2.0, 5.0))
        noise = dice.gamma(NOISE_SHAPE, 1 / NOISE_SHAPE, (frames, BANDS)) * (colour / colour.sum())
        if dice.random() < 0.3:
            swell = np.interp(np.arange(frames), np.linspace(0, frames, 7), dice.uniform(-2, 2, 7))
            noise *= np.exp(swell)[:, None]
        if dice.random() < 0.15:  # knocks and clicks
            for start in dice.integers(0, frames, int(dice.integers(1, 6))):
                noise[start : start + int(dice.integers(1, 5))] *= dice.uniform(5, 60)
        return noise.astype(np.float32)

    def babble(self, frames: int) -> np.ndarray:
        """Return other speech of mean power about 1 a frame."""
        mixed = np.zeros((frames, BANDS), np.float32)
        for _ in range(int(self.dice.integers(2, 8))):
            token = self.corpus.other_speech[self.dice.integers(len(self.corpus.other_speech))].power[:frames]
            start = int(self.dice.integers(0, frames - len(token) + 1))
            mixed[start : start + len(token)] += token
        return mixed / max(float(mixed.sum(1).mean()), 1e-9)

    def narrowed(self, power: np.ndarray) -> np.ndarray:
        """Sometimes cut the band like a telephone, an 8 kHz file or a cheap loudspeaker."""
        dice, draw = self.dice, self.dice.random()
        if draw < 0.3:
            kept = (dice.uniform(120, 380) < CENTRES_HZ) & (dice.uniform(3100, 4000) > CENTRES_HZ)
        elif draw < 0.5:
            kept = dice.uniform(3300, 7000) > CENTRES_HZ
        else:
            return power
        return power * np.where(kept, 1.0, 10 ** -dice.uniform(1.5, 7.0)).astype(np.float32)

    def features(self, power: np.ndarray) -> np.ndarray:
        """Normalise and mask a few bands and frames."""
        features = normalised(power + 1e-12).copy()
        if self.dice.random() < 0.4:
            band = int(self.dice.integers(0, BANDS - 5))
            features[:, band : band + int(self.dice.integers(1, 7))] = 0
        if self.dice.random() < 0.3 and len(features) > 20:
            frame = int(self.dice.integers(0, len(features) - 8))
            features[frame : frame + int(self.dice.integers(1, 7))] = 0
        return features


def warped(power: np.ndarray, rate: float, warp: float) -> np.ndarray:
    """Change the tempo (rate > 1 is faster) and the vocal-tract length (warp > 1 is a longer tract)."""
    frames = max(7, int(len(power) / rate))
    at = np.linspace(0, len(power) - 1, frames)
    low = at.astype(int)
    share = (at - low)[:, None].astype(np.float32)
    power = power[low] * (1 - share) + power[np.minimum(low + 1, len(power) - 1)] * share
    source = np.interp(hz_to_mel(np.minimum(CENTRES_HZ * warp, CENTRES_HZ[-1])), CENTRES_MEL, BAND_AXIS)
    left = np.minimum(source.astype(int), BANDS - 2)
    share = (source - left).astype(np.float32)
    return np.asarray(power[:, left] * (1 - share) + power[:, left + 1] * share, np.float32)


def reverberated(power: np.ndarray, decay_s: float, level: float) -> np.ndarray:
    """Smear the power in time with an exponential tail (60 dB in `decay_s`), by one recursive pass."""
    keep = float(np.exp(-13.8 * 0.01 / decay_s))
    tail = np.zeros_like(power)
    state = np.zeros(BANDS, np.float32)
    for index in range(len(power)):
        tail[index] = state
        state = (state + power[index]) * keep
    return power + tail * np.float32(level * (1 - keep) / keep)
