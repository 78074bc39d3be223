"""Makes files that Chromium plays as a camera and a microphone, from the specimens.

    python -m tools.specimens.fake_media FOLDER        # face.mjpeg, voice.wav, front.mjpeg, back.mjpeg
    chromium --use-fake-ui-for-media-stream --use-fake-device-for-media-stream \
      --use-file-for-fake-video-capture=FOLDER/face.mjpeg --use-file-for-fake-audio-capture=FOLDER/voice.wav

Chromium plays a file in a loop, from its beginning each time a page opens the camera, and looks at the name's
ending: `.mjpeg` is small, `.y4m` without loss (some 11 MB a second). It opens the file anew each time,
so another file put under the same name is what the camera shows next: first a document, then a face.
"""

import argparse
import json
import wave
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from tools.specimens.clip_files import read_clip
from tools.specimens.typefaces import Pixels

FRAME_RATE = 25
MJPEG_FRAME_RATE = 30  # an .mjpeg says no rate: Chromium plays it at this one
SIZE = 640, 480  # width, height: what most laptop cameras give a page that asks for nothing
STILL_SIZE = 1600, 1200  # a document is read at a higher resolution than a face
CARD_SHARE = 0.82, 0.7  # of the picture: the frame of static/js/capture, and a little less
STILL_SECONDS = 0.4  # a loop of a picture is the picture
SAMPLE_RATE = 48_000  # the rate of browsers' sound
NEUTRAL_S = 0.8  # the specimen clip looks straight ahead for so long at its start
Corners = Sequence[Sequence[float]]
_JPEG_QUALITY = "2"  # of ffmpeg's 2 (best) to 31
_SPECIMENS = Path(__file__).resolve().parents[2] / "specimens"
_DEMO = _SPECIMENS / "clips" / "demo.mp4"
#: When the page asks for each step of the demo's challenge (static/js/capture/prompt_schedule.js: 1.5 s of
#: stillness, 3 s of the pack and half a second more for each gesture, then the digits), and the part of the
#: demo clip that answers it.
PROMPTS = 1.5, 5.0, 8.5, 12.0
_PARTS = (1.08, 2.68), (2.92, 3.6), (3.96, 5.6), (5.92, 9.6)
REACTION_S = 1.5
PERFORMANCE_S = 21.0  # longer than the page records


def write_fake_video(
    clip: Path, target: Path, *, size: tuple[int, int] = SIZE, lead_in_s: float = 0.0, lead_out_s: float = 0.0
) -> float:
    """Write a clip as a camera at 25 frames a second; return the seconds of one loop.

    `lead_in_s` and `lead_out_s`: the neutral beginning goes to and fro before and after, for whoever presses
    a button late.
    """
    seen = read_clip(clip)
    if round(seen.frame_rate) != FRAME_RATE:
        message = f"{clip} has {seen.frame_rate} frames a second, not {FRAME_RATE}"
        raise ValueError(message)
    frames = [_fitted(frame, size) for frame in seen.frames]
    neutral = frames[: round(NEUTRAL_S * FRAME_RATE)]
    swaying = neutral + neutral[-2:0:-1]
    before = list(islice(cycle(swaying), round(lead_in_s * FRAME_RATE)))[::-1]  # ends where the clip begins
    after = list(islice(cycle(swaying), round(lead_out_s * FRAME_RATE)))
    whole = [*before, *frames, *after]
    _write(target, whole)
    return len(whole) / FRAME_RATE


def write_performance(
    video: Path, audio: Path, *, size: tuple[int, int] = SIZE, reaction_s: float = REACTION_S
) -> float:
    """Write the demo person answering the page's own prompts; return the seconds of one loop.

    The page asks at `PROMPTS`, counted from the first second of its recording; the person reacts `reaction_s`
    after it. A recording that begins up to a second after the camera was opened still meets the challenge.
    """
    seen = read_clip(_DEMO)
    pictures = [_fitted(frame, size) for frame in seen.frames]
    sound = np.concatenate(list(_samples(_DEMO)))
    swaying = list(range(round(NEUTRAL_S * FRAME_RATE)))
    swaying += swaying[-2:0:-1]
    shown = list(islice(cycle(swaying), round(PERFORMANCE_S * FRAME_RATE)))
    heard = np.zeros(round(PERFORMANCE_S * SAMPLE_RATE), dtype=np.int16)
    for prompt_s, (begin_s, end_s) in zip(PROMPTS, _PARTS, strict=True):
        at = prompt_s + reaction_s
        first, last = round(begin_s * FRAME_RATE), min(round(end_s * FRAME_RATE), len(pictures))
        start = round(at * FRAME_RATE)
        shown[start : start + last - first] = range(first, last)
    spoken = sound[round(_PARTS[-1][0] * SAMPLE_RATE) :]
    at = round((PROMPTS[-1] + reaction_s) * SAMPLE_RATE)
    heard[at : at + len(spoken)] = spoken[: len(heard) - at]
    _write(video, [_moved(pictures[index], time / FRAME_RATE) for time, index in enumerate(shown)])
    _write_wav(audio, heard)
    return PERFORMANCE_S


def _moved(picture: Pixels, seconds: float) -> Pixels:
    """Let the head be a little elsewhere at each moment: no two seconds of a living person are the same.

    So much that the two most alike stretches of 0.8 s are 0.017 eye distances apart, as of calm people: with
    half of it they were 0.0085, and a clip repeats itself below 0.009.
    """
    height, width = picture.shape[:2]
    zoom = 1.03 + 0.02 * np.sin(2 * np.pi * seconds / 7.1)
    move = cv2.getRotationMatrix2D((width / 2, height / 2), 1.6 * np.sin(2 * np.pi * seconds / 6.1), zoom)
    move[:, 2] += 5.0 * np.sin(2 * np.pi * seconds / 5.3), 4.0 * np.sin(2 * np.pi * seconds / 3.7)
    found = cv2.warpAffine(
        picture, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found, dtype=np.uint8)


def write_still_video(
    picture: Path,
    target: Path,
    *,
    corners: Corners | None = None,
    size: tuple[int, int] = STILL_SIZE,
    seconds: float = STILL_SECONDS,
) -> None:
    """Write a photograph as a camera before which a document lies still.

    `corners` of the card in the photograph: it is held so that it fills the frame that the page draws.
    """
    content = cv2.imread(str(picture))
    if content is None:
        message = f"{picture} is not a picture"
        raise ValueError(message)
    seen = np.asarray(content, dtype=np.uint8)
    frame = _fitted(seen, size) if corners is None else _framed(seen, corners, size)
    _write(target, [frame] * max(2, round(seconds * FRAME_RATE)))


def write_fake_audio(
    sound: Path, target: Path, *, lead_in_s: float = 0.0, seconds: float | None = None
) -> None:
    """Write the sound of a clip or sound file as a microphone: WAV, 48 kHz, mono, 16 bit.

    `seconds`: the length of the camera's loop, so that both loops stay together.
    """
    blocks = list(_samples(sound))
    heard = np.concatenate([np.zeros(round(lead_in_s * SAMPLE_RATE), dtype=np.int16), *blocks])
    if seconds is not None:
        length = round(seconds * SAMPLE_RATE)
        heard = np.pad(heard[:length], (0, max(0, length - len(heard))))
    _write_wav(target, heard)


def _write_wav(target: Path, heard: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(heard.astype("<i2").tobytes())


def _samples(sound: Path) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int16]]]:
    with av.open(str(sound)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0].astype(np.int16)
        for part in resampler.resample(None):
            yield part.to_ndarray()[0].astype(np.int16)


def _fitted(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """Fit a picture in, whole: its marks stay; what is missing at the sides is its own edge."""
    width, height = size
    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    inner = inner[:height, :width]
    missing_y, missing_x = height - inner.shape[0], width - inner.shape[1]
    framed = cv2.copyMakeBorder(
        inner,
        missing_y // 2,
        missing_y - missing_y // 2,
        missing_x // 2,
        missing_x - missing_x // 2,
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(framed, dtype=np.uint8)


def _framed(picture: Pixels, corners: Corners, size: tuple[int, int]) -> Pixels:
    """Hold a card so that it fills the page's frame; what the photograph does not show is its own edge."""
    (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
    width, height = size
    scale = min(width * CARD_SHARE[0] / (right - left), height * CARD_SHARE[1] / (bottom - top))
    shift = width / 2 - scale * (left + right) / 2, height / 2 - scale * (top + bottom) / 2
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    found = cv2.warpAffine(
        picture,
        move,
        size,
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, dtype=np.uint8)


def _write(target: Path, frames: Sequence[Pixels]) -> None:
    if target.suffix not in {".mjpeg", ".y4m"}:
        message = f"Chromium plays .mjpeg and .y4m, not {target.suffix}"
        raise ValueError(message)
    is_raw = target.suffix == ".y4m"
    rate = FRAME_RATE if is_raw else MJPEG_FRAME_RATE
    frames = [frames[index * FRAME_RATE // rate] for index in range(len(frames) * rate // FRAME_RATE)]
    with av.open(str(target), "w", format="yuv4mpegpipe" if is_raw else "mjpeg") as container:
        stream = container.add_stream("wrapped_avframe" if is_raw else "mjpeg", rate=rate)
        stream.pix_fmt = "yuv420p" if is_raw else "yuvj420p"
        stream.options = {} if is_raw else {"qmin": "1", "qmax": _JPEG_QUALITY, "huffman": "default"}
        for index, picture in enumerate(frames):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))


def write_all(folder: Path) -> None:
    """Write the demo person's camera and microphone, and both sides of their card."""
    folder.mkdir(parents=True, exist_ok=True)
    write_performance(folder / "face.mjpeg", folder / "voice.wav")
    cases = json.loads((_SPECIMENS / "cases.json").read_text("utf-8"))["documents"]
    for side in ("front", "back"):
        name = f"demo_{side}.jpg"
        corners = cases[name]["corners"]
        write_still_video(_SPECIMENS / "documents" / name, folder / f"{side}.mjpeg", corners=corners)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make files that Chromium plays as camera and microphone.")
    parser.add_argument("folder", type=Path)
    write_all(parser.parse_args().folder)
