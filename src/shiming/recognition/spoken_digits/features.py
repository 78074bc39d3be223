"""Log-mel features of the digit nets: 40 bands, 25 ms windows every 10 ms, 60-7600 Hz at 16 kHz.

The same code feeds training (`tools/digits`) and recognition, so that both see the same numbers. The level
is relative to the loudest band of the clip and floored 60 dB below it: digital silence, an 8 kHz recording
without upper bands and a noise floor then look alike, and loudness does not matter.
"""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
BANDS = 40
HOP = 160
WINDOW = 400
TRANSFORM = 512
LOWEST_HZ = 60.0
HIGHEST_HZ = 7_600.0
FLOOR = 1e-6  # -60 dB of power
SPREAD = 4.0  # divides the log features: about unit variance

Samples = NDArray[np.float32]
Spectrum = NDArray[np.float32]


def hz_to_mel(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mel scale of HTK."""
    return np.asarray(2595.0 * np.log10(1.0 + frequency / 700.0))


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo `hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))


def band_edges_hz() -> NDArray[np.float64]:
    """Return the BANDS + 2 corner frequencies of the triangles."""
    lowest, highest = hz_to_mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    return mel_to_hz(np.linspace(lowest, highest, BANDS + 2))


def mel_matrix() -> Spectrum:
    """Return the (TRANSFORM // 2 + 1, BANDS) triangles."""
    edges = band_edges_hz()
    bins = np.arange(TRANSFORM // 2 + 1) * SAMPLE_RATE / TRANSFORM
    rising = (bins[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[None, 2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


_MEL = mel_matrix()
_HANN = np.hanning(WINDOW).astype(np.float32)


def mel_power(samples: Samples) -> Spectrum:
    """Return the (frames, BANDS) mel power of a waveform; one frame every 10 ms."""
    padded = np.pad(samples.astype(np.float32), (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * _HANN, TRANSFORM, axis=1)
    return np.asarray(np.square(np.abs(spectrum)).astype(np.float32) @ _MEL)


def normalised(power: Spectrum) -> Spectrum:
    """Return log features relative to the loudest band, with the mean of each band removed."""
    loudest = max(float(power.max(initial=0.0)), 1e-12)
    logarithm = np.log(power / loudest + FLOOR)
    return np.asarray((logarithm - logarithm.mean(axis=0)) / SPREAD, dtype=np.float32)


def log_mel(samples: Samples) -> Spectrum:
    """Return the (frames, BANDS) features of a waveform at 16 kHz."""
    return normalised(mel_power(samples))
