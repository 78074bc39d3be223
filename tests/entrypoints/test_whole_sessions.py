"""Whole sessions on real people, where the shared clips are at hand: right outcome, right reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.sandbox_authority.faults import Fault, Faults
from shiming.jurisdictions.model import Gesture
from tests.entrypoints.whole_sessions import (
    LIVE,
    SPECIMENS,
    WITHOUT_SHARED,
    Applicant,
    a_live_applicant,
    a_platform,
    authority_that_knows,
    codes,
    outcome,
    prove,
)
from tools.specimens import clip_attacks
from tools.specimens.clip_files import read_clip, write_clip

pytestmark = [
    pytest.mark.models,
    pytest.mark.real_people,
    pytest.mark.skipif(not LIVE.is_dir(), reason=WITHOUT_SHARED),
    pytest.mark.xdist_group("whole_sessions"),
]
TURN_THEN_BLINK = (Gesture.TURN_LEFT, Gesture.BLINK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def applicant(folder: Path) -> Applicant:
    """In the clip she turns to her left by 20 degrees, blinks, and turns back."""
    return a_live_applicant("d12", folder, TURN_THEN_BLINK, seed=101)


@pytest.fixture(scope="module")
def authority(applicant: Applicant) -> Iterator[str]:
    with authority_that_knows(applicant) as address:
        yield address


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return a_platform(tmp_path)


def test_own_card_matching_clip_and_digits_are_verified(
    platform: Platform, applicant: Applicant, authority: str
) -> None:
    decided = prove(platform, applicant, authority)
    assert (outcome(decided), codes(decided)) == ("Verified", set())


@pytest.mark.parametrize("name", ["d10", pytest.param("d18", marks=pytest.mark.long)])
def test_other_people_who_only_blink_are_verified_too(platform: Platform, folder: Path, name: str) -> None:
    person = a_live_applicant(name, folder, (Gesture.BLINK, Gesture.BLINK), seed=202)
    with authority_that_knows(person) as address:
        decided = prove(platform, person, address)
    assert (outcome(decided), codes(decided)) == ("Verified", set())


def test_with_the_authority_down_people_look(platform: Platform, applicant: Applicant) -> None:
    with authority_that_knows(applicant, Faults(on=frozenset({Fault("down")}))) as address:
        decided = prove(platform, applicant, address)
    assert outcome(decided) == "NeedsReview"
    assert "AUTHORITY_UNREACHABLE" in codes(decided)


def test_another_persons_card(platform: Platform, applicant: Applicant, folder: Path, authority: str) -> None:
    other = a_live_applicant("d10", folder, (), seed=303)
    decided = prove(platform, applicant, authority, document=other.card)
    assert outcome(decided) == "NotVerified"
    assert "FACE_MISMATCH" in codes(decided)


def test_gestures_in_the_wrong_order(platform: Platform, applicant: Applicant, authority: str) -> None:
    decided = prove(platform, applicant, authority, gestures=(Gesture.TURN_RIGHT, Gesture.TURN_LEFT))
    assert outcome(decided) != "Verified"
    assert codes(decided) & {"GESTURES_WRONG_ORDER", "GESTURES_MISSING", "GESTURES_TOO_SMALL"}


def test_other_digits_than_asked(platform: Platform, applicant: Applicant, authority: str) -> None:
    decided = prove(platform, applicant, authority, digits="836205")
    assert outcome(decided) != "Verified"
    assert "DIGITS_MISMATCH" in codes(decided)


def test_noise_in_place_of_digits_asks_again(
    platform: Platform, applicant: Applicant, authority: str
) -> None:
    decided = prove(platform, applicant, authority, sound=SPECIMENS / "audio" / "noise.wav")
    assert outcome(decided) == "Retry"


def test_a_held_photo(platform: Platform, applicant: Applicant, folder: Path, authority: str) -> None:
    photo = read_clip(applicant.clip, seconds_max=1.0).frames[0]
    attack = folder / "held.mp4"
    write_clip(attack, clip_attacks.held_photo(photo, seconds=6.0, seed=3))
    decided = prove(platform, applicant, authority, clip=attack)
    assert outcome(decided) in {"NotVerified", "Retry"}
    assert codes(decided) & {"GESTURES_MISSING", "FLAT_PICTURE", "GESTURES_TOO_SMALL"}


@pytest.mark.long  # tests/recognition finds the splice in the clip itself
def test_two_people_spliced(platform: Platform, applicant: Applicant, folder: Path, authority: str) -> None:
    first = read_clip(applicant.clip).frames
    second = read_clip(LIVE / "d10.mp4", seconds_max=8.0).frames
    attack = folder / "spliced.mp4"
    write_clip(attack, clip_attacks.splice(first, second, 3.0))
    decided = prove(platform, applicant, authority, clip=attack)
    assert outcome(decided) == "NotVerified"
    assert codes(decided) & {"CLIP_SPLICED", "FACE_MISMATCH"}


@pytest.mark.long  # tests/recognition finds the repetition in the clip itself
def test_a_loop(platform: Platform, applicant: Applicant, folder: Path, authority: str) -> None:
    attack = folder / "looped.mp4"
    write_clip(attack, clip_attacks.loop(read_clip(applicant.clip).frames, 1.2, 2.0))
    decided = prove(platform, applicant, authority, clip=attack)
    assert outcome(decided) != "Verified"
    assert "CLIP_REPEATED" in codes(decided)


def test_a_stale_challenge(platform: Platform, applicant: Applicant, authority: str) -> None:
    decided = prove(platform, applicant, authority, answered_after_s=3600)
    assert outcome(decided) in {"NotVerified", "Retry"}
    assert "CHALLENGE_STALE" in codes(decided)


def test_a_challenge_answered_twice(platform: Platform, applicant: Applicant, authority: str) -> None:
    asked: dict[str, object] = {}
    assert outcome(prove(platform, applicant, authority, remember=asked)) == "Verified"
    decided = prove(platform, applicant, authority, challenge=asked)
    assert outcome(decided) == "NotVerified"
    assert "CHALLENGE_REPLAYED" in codes(decided)
