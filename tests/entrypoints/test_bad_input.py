"""What people really send by mistake or on purpose: a stable code with advice in both languages, quickly."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shiming.vocabulary.errors import BadInput
from tests.entrypoints.whole_sessions import SPECIMENS, recognition

pytestmark = pytest.mark.models
BAD = SPECIMENS / "bad"


def read_face(file: Path) -> object:
    return recognition().face_of(file)


def read_clip(file: Path) -> object:
    return recognition().clip(file)


def read_digits(file: Path) -> object:
    return recognition().digits(file, "470913", "cmn")


@pytest.mark.parametrize(
    ("read", "name", "code"),
    [
        (read_face, "not_an_image.jpg", "IMAGE_UNREADABLE"),
        (read_face, "zero_bytes.jpg", "IMAGE_EMPTY"),
        (read_face, "hundred_megapixels.png", "IMAGE_TOO_LARGE"),
        (read_face, "animated.gif", "IMAGE_ANIMATED"),
        (read_face, "truncated.jpg", "IMAGE_UNREADABLE"),
        (read_face, "one_pixel.png", "IMAGE_TOO_SMALL"),
        (read_face, "no_face.jpg", "FACE_ABSENT"),
        (read_face, "ten_faces.jpg", "FACE_SEVERAL"),
        (read_clip, "two_hours.mp4", "CLIP_TOO_LONG"),
        (read_clip, "zero_bytes.mp4", "CLIP_EMPTY"),
        (read_clip, "not_a_clip.mp4", "CLIP_UNREADABLE"),
        (read_clip, "truncated.mp4", "CLIP_UNREADABLE"),
        (read_clip, "sound_only.mp4", "CLIP_WITHOUT_VIDEO"),
        (read_clip, "huge_picture.mp4", "CLIP_RESOLUTION_UNSUPPORTED"),
        (read_clip, "animated.gif", "CLIP_IS_PICTURE"),
        (read_digits, "not_a_sound.wav", "AUDIO_UNREADABLE"),
        (read_digits, "clip_without_sound.mp4", "AUDIO_ABSENT"),
        (read_digits, "zero_bytes.mp4", "AUDIO_UNREADABLE"),
    ],
)
def test_what_cannot_be_used_is_refused_with_advice(
    read: Callable[[Path], object], name: str, code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read(BAD / name)
    assert refused.value.code == code
    assert all((refused.value.text.zh, refused.value.text.en))
    assert all((refused.value.advice.zh, refused.value.advice.en))


@pytest.mark.parametrize("name", ["exif_rotated.jpg", "cmyk.jpg", "sixteen_bit.png", "transparent.png"])
def test_unusual_pictures_are_read_all_the_same(name: str) -> None:
    assert recognition().picture(BAD / name).quality.faces_seen == 1


def test_silence_is_no_digits_and_no_refusal() -> None:
    measured = recognition().digits(BAD / "silent_clip.mp4", "470913", "cmn")
    assert measured.score == -99
    assert measured.heard == ""


@pytest.mark.parametrize(
    "name",
    ["stereo_836205.wav", "telephone_8khz_836205.wav", "noisy_836205.wav"],
)
def test_stereo_telephone_and_noisy_sound_are_understood(name: str) -> None:
    assert recognition().digits(SPECIMENS / "audio" / name, "836205", "cmn").score >= -8


@pytest.mark.parametrize(
    "name",
    ["noise.wav", "tone.wav", "music.wav", "silence.wav", "other_words_cmn.wav", "other_words_eng.wav"],
)
def test_what_is_no_digit_string_is_never_taken_for_one(name: str) -> None:
    for language in ("cmn", "eng"):
        assert recognition().digits(SPECIMENS / "audio" / name, "836205", language).score < -15
