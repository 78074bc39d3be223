"""Builders for whole sessions: a card with a person's portrait, their clip, an authority that knows them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.recognition_tools import Content, Recognition
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.commands import connector
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.sandbox_authority.faults import Faults
from shiming.identity_proofing.sandbox_authority.population import PersonRecord
from shiming.identity_proofing.sandbox_authority.server import serving
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.identity_proofing.use_cases import challenges, proving
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.infrastructure.clock import FixedClock, SystemClock
from shiming.jurisdictions.model import Channel, Gesture, Route
from shiming.recognition.measurements import ClipMeasurement, DocumentMeasurement, FaceTemplate
from shiming.recognition.spoken_digits.measurement import DigitsMeasurement
from tools.specimens.clip_files import read_clip
from tools.specimens.identities import Person, generate_person
from tools.specimens.photography import photograph
from tools.specimens.portraits import portrait_of
from tools.specimens.resident_card import render_resident_card_front
from tools.specimens.typefaces import Pixels

ROOT = Path(__file__).parents[2]
LIVE = ROOT.parent / "shared" / "testdata" / "live"
SPECIMENS = ROOT / "specimens"
CASES: dict[str, Any] = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))
WITHOUT_SHARED = "the shared clips of real people are not beside the checkout"


class RememberingRecognition(Recognition):
    """Recognition that measures each file once a test run; the files of these tests never change."""

    @lru_cache(maxsize=64)  # noqa: B019 - lives as long as the test run
    def document(self, source: Content, *, today: date) -> DocumentMeasurement:
        return super().document(source, today=today)

    @lru_cache(maxsize=64)  # noqa: B019 - as above
    def clip(self, clip: Content) -> ClipMeasurement:
        return super().clip(clip)

    @lru_cache(maxsize=64)  # noqa: B019 - as above
    def digits(self, source: Content, expected: str, language: str) -> DigitsMeasurement:
        return super().digits(source, expected, language)

    @lru_cache(maxsize=64)  # noqa: B019 - as above
    def picture(self, source: Content) -> FaceTemplate:
        return super().picture(source)


@cache
def recognition() -> RememberingRecognition:
    """Return the engines, loaded once a test process."""
    return RememberingRecognition()


def a_platform(folder: Path) -> Platform:
    """Return a sandbox platform over a fresh data folder."""
    platform = Platform(sandbox_settings(folder))
    platform.recognition = recognition()
    return platform


@dataclass(frozen=True)
class Applicant:
    """One person's card, clip and spoken digits, and what they do in the clip."""

    person: Person
    card: Path
    portrait: Path
    clip: Path
    gestures: tuple[Gesture, ...]
    sound: Path
    digits: str = field(repr=False)
    language: Language = Language.MANDARIN


def card_of(person: Person, portrait: Pixels, target: Path, *, seed: int = 5) -> Path:
    """Write a mildly photographed card that bears this portrait."""
    picture = photograph(render_resident_card_front(person, portrait), "mild", seed).image
    cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return target


def a_live_applicant(clip_name: str, folder: Path, gestures: tuple[Gesture, ...], *, seed: int) -> Applicant:
    """Return a real person of the shared clips with a card rendered for them."""
    clip = LIVE / f"{clip_name}.mp4"
    frames = read_clip(clip, seconds_max=3.0).frames
    portrait = portrait_of(np.ascontiguousarray(frames[len(frames) // 4]))
    person = generate_person(seed)
    portrait_file = folder / f"{clip_name}-{seed}-portrait.jpg"
    cv2.imwrite(str(portrait_file), cv2.resize(portrait, (240, 296)), [cv2.IMWRITE_JPEG_QUALITY, 70])
    return Applicant(
        person=person,
        card=card_of(person, portrait, folder / f"{clip_name}-{seed}-card.jpg"),
        portrait=portrait_file,
        clip=clip,
        gestures=gestures,
        sound=SPECIMENS / "audio" / "demo_digits.wav",
        digits=CASES["demo"]["digits"],
    )


@contextmanager
def authority_that_knows(applicant: Applicant, faults: Faults | None = None) -> Iterator[str]:
    """Serve an authority over HTTP that has this person's record and portrait."""
    person = applicant.person
    record = PersonRecord(
        number=person.number,
        name=person.name,
        birth_date=person.birth_date,
        valid_to=person.valid_to or "long_term",
        portrait=applicant.portrait,
    )
    seen = recognition()

    def shows(sent: bytes, on_record: Path) -> bool:
        return seen.compare(seen.picture(sent), seen.picture(on_record)).similarity >= 0.5

    pretended = SandboxAuthority(
        population={person.number: record},
        compare=shows,
        today=lambda: date.today().isoformat(),  # noqa: DTZ011 - as the platform's own day
        token=None,
        faults=faults or Faults(),
    )
    with serving(pretended) as address:
        yield address


def prove(
    platform: Platform,
    applicant: Applicant,
    authority: str | None,
    *,
    answered_after_s: float = 1.0,
    **changes: Any,
) -> Decided:
    """Run a session; `changes` replace parts of what the applicant hands in or is asked."""
    policy = platform.policy("", platform.today())
    port = connector(authority, policy) if authority else None
    given_at = SystemClock().now()
    platform.__dict__["clock"] = FixedClock(given_at)
    application = challenges.Application(Channel.SHOP, Route.STANDARD)
    with platform.begin() as connection:
        tools = platform.proofing_tools(port)
        session = challenges.open_session(tools, connection, application, policy)
        challenge = challenges.give_chosen_challenge(
            tools,
            connection,
            session,
            policy,
            language=applicant.language,
            steps=changes.get("gestures", applicant.gestures),
            digits=changes.get("digits", applicant.digits),
        )
    document = changes.get("challenge") or challenge_document(challenge)
    changes.get("remember", {}).update(document)
    platform.__dict__["clock"] = FixedClock(given_at + timedelta(seconds=answered_after_s))
    submission = proving.Submission(
        application=application,
        on=platform.today(),
        document=changes.get("document", applicant.card),
        clip=changes.get("clip", applicant.clip),
        challenge=document,
        digits=changes.get("sound", applicant.sound),
    )
    try:
        return proving.prove(platform.proofing_tools(port), platform.begin, submission, policy)
    finally:
        if port:
            port.close()


def outcome(decided: Decided) -> str:
    """Return the outcome's name."""
    return str(decided.receipt["decision"]["outcome"])


def codes(decided: Decided) -> set[str]:
    """Return the codes of the reasons."""
    return {reason["code"] for reason in decided.receipt["decision"]["reasons"]}
