from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.specimens import clip_attacks, sounds
from tools.specimens.clip_files import read_clip, write_clip
from tools.specimens.gestures import Gesture, head_motion
from tools.specimens.head_in_space import build_relief, turn_head
from tools.specimens.speech import SAMPLE_RATE
from tools.specimens.typefaces import Pixels


def numbered_frames(count: int, size: int = 64) -> list[Pixels]:
    return [np.full((size, size, 3), 10 + 3 * index, np.uint8) for index in range(count)]


def shades(frames: list[Pixels]) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in frames]


def test_clip_survives_the_file(tmp_path: Path) -> None:
    sound = sounds.tone(1.2)
    write_clip(tmp_path / "a.mp4", numbered_frames(30), sound=sound, crf=10)
    clip = read_clip(tmp_path / "a.mp4")
    assert len(clip.frames) == 30
    assert clip.frame_rate == 25
    assert clip.sound is not None
    assert len(clip.sound) == pytest.approx(len(sound), abs=2500)
    assert shades(list(clip.frames)) == pytest.approx(shades(numbered_frames(30)), abs=7)


def test_clip_without_sound_has_none(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", numbered_frames(5))
    assert read_clip(tmp_path / "a.mp4").sound is None


def test_frozen_holds_one_frame_and_keeps_the_length() -> None:
    frames = numbered_frames(50)
    held = shades(clip_attacks.frozen(frames, 0.4, 0.8))
    assert held[:10] == shades(frames)[:10]
    assert set(held[10:30]) == {shades(frames)[10]}
    assert held[30:] == shades(frames)[30:]


def test_loop_repeats_a_piece() -> None:
    looped = shades(clip_attacks.loop(numbered_frames(60), 0.4, 0.8))
    assert looped[10:30] == looped[30:50]
    assert len(looped) == 60


def test_boomerang_is_its_own_mirror_in_time() -> None:
    played = shades(clip_attacks.boomerang(numbered_frames(40)))
    assert played == played[::-1]


def test_splice_changes_person_at_the_cut() -> None:
    spliced = shades(clip_attacks.splice(numbered_frames(40), [f + 100 for f in numbered_frames(40)], 0.8))
    assert max(spliced[:20]) < 100 < min(spliced[20:])


def test_mirror_twice_is_nothing() -> None:
    frame = np.random.default_rng(1).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    assert not np.array_equal(clip_attacks.mirrored([frame])[0], frame)
    assert np.array_equal(clip_attacks.mirrored(clip_attacks.mirrored([frame]))[0], frame)


def test_second_face_comes_and_goes() -> None:
    frames = numbered_frames(50)
    changed = clip_attacks.second_face(frames, [np.full((64, 64, 3), 255, np.uint8)], 0.4, 0.8)
    seen = [int(frame[-1, 0, 0]) == 255 for frame in changed]
    assert seen == [10 <= index < 20 for index in range(50)]


def test_held_photo_moves_but_stays_flat_and_noisy() -> None:
    photo = np.full((88, 72, 3), 200, np.uint8)
    first, second = (clip_attacks.held_photo(photo, seconds=0.4, size=96, seed=2) for _ in range(2))
    assert np.array_equal(np.stack(first), np.stack(second))
    assert all(np.abs(a.astype(int) - b).mean() > 0.5 for a, b in pairwise(first))


def test_screen_replay_has_a_grid_and_a_dark_rim() -> None:
    (shown,) = clip_attacks.screen_replay([np.full((128, 128, 3), 180, np.uint8)], seed=1)
    assert shown[64, 3].mean() < 90
    assert shown[40:90, 30:60].std() > 6


@given(st.floats(0, 4), st.sampled_from(["turn_left", "turn_right"]), st.floats(20, 40))
def test_a_turn_goes_to_its_own_side_and_comes_back(now: float, side: str, degrees: float) -> None:
    motion = head_motion((Gesture(side, 1.0, 3.0, degrees),), 0, sway=0)  # type: ignore[arg-type]  # sampled
    sign = 1 if side == "turn_left" else -1
    assert 0 <= sign * motion(now).yaw <= degrees + 1e-9
    assert sign * motion(2.0).yaw == pytest.approx(degrees)
    assert motion(0.9).yaw == motion(3.1).yaw == 0


def test_blink_closes_and_opens() -> None:
    motion = head_motion((Gesture("blink", 1.0, 1.4),), 0)
    assert motion(1.2).eyes_closed == pytest.approx(1)
    assert motion(0.9).eyes_closed == motion(1.5).eyes_closed == 0


def ball_mesh(size: int) -> np.ndarray:
    """Return 468 points of a half ball that bulges towards the viewer."""
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0, 2 * np.pi, 468), np.sqrt(rng.uniform(0, 1, 468))
    mesh = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.6 - np.sqrt(1 - radius**2)], axis=1)
    mesh[[234, 454]] = [[-1, 0, 0.6], [1, 0, 0.6]]
    mesh[[152, 10]] = [[0, 1, 0.2], [0, -1, 0.2]]
    return np.asarray(mesh * size * 0.22 + [size / 2, size / 2, 0], dtype=np.float32)


@pytest.mark.parametrize("yaw", [-30.0, 30.0])
def test_positive_yaw_moves_what_is_near_to_the_right(yaw: float) -> None:
    size = 128
    picture = np.full((size, size, 3), 90, np.uint8)
    picture[62:66, 62:66] = 255  # the tip of the nose
    still = head_motion((), 0, sway=0)(0.0)
    turned = head_motion((Gesture("turn_left" if yaw > 0 else "turn_right", 0, 2, abs(yaw)),), 0, sway=0)(1.0)
    relief = build_relief(ball_mesh(size), size)
    where = [float(np.argmax(turn_head(picture, relief, s)[..., 0].max(axis=0))) for s in (still, turned)]
    assert abs(where[0] - 63.5) < 3
    assert (where[1] - where[0]) * np.sign(yaw) > 6


def test_sounds_have_the_asked_length_and_level() -> None:
    assert len(sounds.noise(1.5, 1)) == 1.5 * SAMPLE_RATE
    loud = sounds.clipped(sounds.tone(0.5))
    assert (np.abs(loud) >= 1.0).mean() > 0.2
    assert sounds.stereo(loud).shape == (len(loud), 2)
    assert len(sounds.telephone(loud)) == len(loud) // 2


@given(st.floats(0, 30))
def test_noise_is_added_at_the_asked_ratio(snr_db: float) -> None:
    clean = sounds.tone(0.5, level=0.1)
    rest = sounds.with_noise(clean, 3, snr_db) - clean
    measured = 10 * np.log10((clean**2).mean() / (rest**2).mean())
    assert measured == pytest.approx(snr_db, abs=0.6)
