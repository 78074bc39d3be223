"""Reading sound: formats, rates, channels, limits, hostile bytes."""

import contextlib
import io
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.recognition.waveforms import (
    SAMPLE_RATE,
    Samples,
    Waveform,
    WaveformLimits,
    downmixed,
    read_waveform,
)
from shiming.vocabulary.errors import BadInput


def a_tone(seconds: float, rate: int, hertz: float = 440.0, peak: float = 0.5) -> Samples:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def a_wav(channels: list[Samples], rate: int) -> bytes:
    stacked = (np.stack(channels, axis=1) * 32767).astype("<i2")
    with io.BytesIO() as out:
        with wave.open(out, "wb") as file:
            file.setnchannels(len(channels))
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(stacked.tobytes())
        return out.getvalue()


def encoded(samples: Samples, rate: int, container: str, codec: str) -> bytes:
    with io.BytesIO() as out:
        with av.open(out, "w", format=container) as file:
            stream = file.add_stream(codec, rate=rate)
            assert isinstance(stream, av.AudioStream)
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.sample_rate = rate
            resampler = av.AudioResampler(
                stream.format, stream.layout, rate, frame_size=stream.frame_size or 1024
            )
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))
        return out.getvalue()


def silent_video() -> bytes:
    with io.BytesIO() as out:
        with av.open(out, "w", format="mp4") as file:
            stream = file.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            for _ in range(5):
                file.mux(
                    stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24"))
                )
            file.mux(stream.encode(None))
        return out.getvalue()


def strongest_hertz(samples: Samples) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_every_rate_arrives_at_16_khz_with_its_pitch_and_length(rate: int) -> None:
    waveform = read_waveform(a_wav([a_tone(1.0, rate)], rate))
    assert waveform.source_rate_hz == rate
    assert waveform.duration_s == pytest.approx(1.0, abs=0.02)
    assert strongest_hertz(waveform.samples) == pytest.approx(440.0, abs=3.0)
    assert waveform.samples.dtype == np.float32


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp3", "libmp3lame"), ("ogg", "libopus"), ("webm", "libopus"), ("mp4", "aac"), ("flac", "flac")],
)
def test_common_formats_are_read(container: str, codec: str) -> None:
    waveform = read_waveform(encoded(a_tone(1.0, 48_000), 48_000, container, codec))
    assert waveform.duration_s == pytest.approx(1.0, abs=0.1)
    assert strongest_hertz(waveform.samples) == pytest.approx(440.0, abs=4.0)


def test_a_file_is_read_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(a_wav([a_tone(0.5, 16_000)], 16_000))
    assert np.array_equal(read_waveform(path).samples, read_waveform(path.read_bytes()).samples)


def test_stereo_is_mixed_and_opposite_phase_does_not_cancel() -> None:
    tone = a_tone(0.5, 16_000)
    together = read_waveform(a_wav([tone, tone], 16_000))
    opposite = read_waveform(a_wav([tone, -tone], 16_000))
    one_sided = read_waveform(a_wav([tone, tone * 0], 16_000))
    assert together.source_channels == 2
    for waveform in (together, opposite, one_sided):
        assert float(np.abs(waveform.samples).max()) > 0.2


@given(st.integers(1, 6), st.floats(0.1, 1.0))
def test_mixing_keeps_power_within_the_channels(count: int, gain: float) -> None:
    channels = np.stack([a_tone(0.05, 16_000, 200.0 * (n + 1)) * np.float32(gain) for n in range(count)])
    assert 0 < np.square(downmixed(channels)).mean() <= np.square(channels).mean(axis=1).max() * 1.001


def test_clipped_share_is_measured() -> None:
    clean = read_waveform(a_wav([a_tone(0.5, 16_000)], 16_000))
    clipped = read_waveform(a_wav([np.clip(a_tone(0.5, 16_000, peak=3.0), -1, 1)], 16_000))
    assert clean.clipped_share == 0.0
    assert clipped.clipped_share == pytest.approx(1 - 2 / np.pi * np.arcsin(1 / 3), abs=0.02)
    assert Waveform.of_samples(np.ones(100, np.float32)).clipped_share == 1.0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "AUDIO_UNREADABLE"),
        (b"not sound at all" * 100, "AUDIO_UNREADABLE"),
        (a_wav([a_tone(0.2, 16_000)], 16_000)[:30], "AUDIO_UNREADABLE"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "AUDIO_UNREADABLE"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "AUDIO_UNREADABLE"),
        (a_wav([np.zeros(0, np.float32)], 16_000), "AUDIO_ABSENT"),
    ],
)
def test_what_is_no_sound_is_refused_with_a_code(content: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_waveform(content)
    assert caught.value.code == code
    assert caught.value.text.zh
    assert caught.value.advice.en


def test_a_video_without_sound_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        read_waveform(silent_video())
    assert caught.value.code == "AUDIO_ABSENT"


def test_limits_hold(tmp_path: Path) -> None:
    two_seconds = a_wav([a_tone(2.0, 8_000)], 8_000)
    path = tmp_path / "two.wav"
    path.write_bytes(two_seconds)
    with pytest.raises(BadInput) as caught:
        read_waveform(two_seconds, WaveformLimits(duration_s_max=1.0))
    assert caught.value.code == "AUDIO_TOO_LONG"
    for source in (two_seconds, path):
        with pytest.raises(BadInput) as caught:
            read_waveform(source, WaveformLimits(bytes_max=1000))
        assert caught.value.code == "AUDIO_TOO_LARGE"
    with pytest.raises(BadInput) as caught:
        read_waveform(two_seconds, WaveformLimits(packets_max=2))
    assert caught.value.code == "AUDIO_TOO_LONG"
    with pytest.raises(BadInput) as caught:
        read_waveform(tmp_path / "absent.wav")
    assert caught.value.code == "AUDIO_NOT_FOUND"


def test_a_long_compressed_file_is_refused_quickly() -> None:
    hours = encoded(np.zeros(8_000 * 600, np.float32), 8_000, "flac", "flac")
    started = time.monotonic()
    with pytest.raises(BadInput) as caught:
        read_waveform(hours)
    assert caught.value.code == "AUDIO_TOO_LONG"
    assert time.monotonic() - started < 2.0


@settings(max_examples=60, deadline=2000)
@given(st.data())
def test_damaged_files_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(encoded(a_tone(0.3, 16_000), 16_000, "wav", "pcm_s16le"))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadInput):
        waveform = read_waveform(bytes(content[: data.draw(st.integers(1, len(content)))]))
        assert np.isfinite(waveform.samples).all()
        assert float(np.abs(waveform.samples).max(initial=0.0)) <= 1.0
