"""A desk for tests: a database, a clock that is set by hand, recognition that is told what to see.

The pictures, clips and recordings are small files whose content names what a measurement would give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlalchemy.engine import Connection, Engine

from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.ports import AuthorityPort, AuthorityQuestion, AuthorityReply
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases.challenges import Application, give_challenge, session_for_challenge
from shiming.identity_proofing.use_cases.proving import Submission, prove
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.signing import Ed25519Signer
from shiming.jurisdictions.model import Channel, Gesture, Route
from shiming.recognition.measurements import (
    ClipEvent,
    ClipEventKind,
    ClipFace,
    ClipMeasurement,
    ClipTimeline,
    CopySigns,
    DocumentKind,
    DocumentMeasurement,
    FaceComparison,
    FaceQuality,
    FaceTemplate,
    ImageQuality,
    ModelUse,
    Portrait,
)
from shiming.vocabulary.errors import BadInput, Text
from tests.identity_proofing.proofing_builders import ON, a_policy, attack_signs, blink, turn

NUMBER = "11010519491231002X"
NAME = "王小明"
PICTURE = np.zeros((8, 8, 3), np.uint8)
QUALITY = ImageQuality(1200, 800, 300.0, 150.0, 50.0, 0.01, 900)
FRONT_FIELDS = {
    "name": NAME, "sex": "female", "birth_date": "1949-12-31", "address": "北京市朝阳区", "number": NUMBER,
}  # fmt: skip
BACK_FIELDS = {"issuer": "北京市公安局", "valid_from": "2020-01-01", "valid_to": "长期"}


def a_front(**changes: Any) -> DocumentMeasurement:
    return replace(
        DocumentMeasurement(
            kind=DocumentKind.RESIDENT_ID_FRONT,
            fields=FRONT_FIELDS,
            field_confidence={},
            number_checksum=True,
            mrz_check_digits=None,
            quality=QUALITY,
            copy_signs=CopySigns(0.01, 0.02, 0.0),
            portrait=Portrait((1, 2, 3, 4), PICTURE),
            cross_checks={"birth_date": True},
            models=(ModelUse("ocr", "6", "ab" * 32),),
        ),
        **changes,
    )


def a_back_side(**changes: Any) -> DocumentMeasurement:
    plain = a_front(
        kind=DocumentKind.RESIDENT_ID_BACK, fields=BACK_FIELDS, number_checksum=None, portrait=None
    )
    return replace(plain, **{"cross_checks": {}, **changes})


def a_template(who: float = 1.0) -> FaceTemplate:
    quality = FaceQuality(0.0, 0.0, 0.0, 120.0, 140.0, 0.9, 0.0, 230, 1)
    return FaceTemplate(np.full(512, who, np.float32), None, quality)


def a_measured_clip(events: tuple[ClipEvent, ...], **changes: Any) -> ClipMeasurement:
    face = ClipFace(a_template().quality, a_template(), 230.0, 1.0, 0.0, PICTURE)
    plain = ClipMeasurement(
        events=events,
        attack_signs=attack_signs(),
        face=face,
        timeline=ClipTimeline((), (), (), ()),
        frames=250,
        frames_analysed=150,
        duration_s=10.0,
        width=640,
        height=480,
        frame_rate=25.0,
        has_audio=True,
        models=(ModelUse("mesh", "1", "cd" * 32),),
    )
    return replace(plain, **changes)


@dataclass(frozen=True, slots=True)
class Heard:
    score: float | None
    voiced_units: int
    models: tuple[ModelUse, ...] = (ModelUse("digits", "1", "ef" * 32),)


@dataclass
class AnsweringAuthority:
    """Answers what it was told to, and remembers what it was asked."""

    answer: AuthorityAnswer = AuthorityAnswer.MATCH
    without_portrait: AuthorityAnswer | None = None
    asked: list[AuthorityQuestion] = field(default_factory=list)

    def verify(self, question: AuthorityQuestion) -> AuthorityReply:
        self.asked.append(question)
        plain = question.portrait_jpeg is None and self.without_portrait is not None
        return AuthorityReply((self.without_portrait if plain else self.answer) or self.answer)


@dataclass
class HandClock:
    at: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Desk:
    """Everything one test needs; recognition gives what stands in `sees`."""

    folder: Path
    engine: Engine
    clock: HandClock = field(default_factory=HandClock)
    authority: AuthorityPort = field(default_factory=AnsweringAuthority)
    sees: dict[str, Any] = field(default_factory=dict)
    kept: list[Mapping[str, Any]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)  # of the files kept last
    released: list[str] = field(default_factory=list)
    recorded: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - repeatable on purpose

    @classmethod
    def open(cls, folder: Path, engine: Engine) -> "Desk":
        desk = cls(folder, engine)
        desk.sees |= {"front.jpg": a_front(), "back.jpg": a_back_side(), "faces": FaceComparison(0.8, 0.85)}
        for name in ("front.jpg", "back.jpg", "clip.mp4", "digits.wav"):
            (folder / name).write_bytes(name.encode())
        return desk

    def begin(self) -> Any:
        return unit_of_work(self.engine)

    @property
    def tools(self) -> ProofingTools:
        return ProofingTools(
            read_document=lambda picture: self._seen(picture.name),
            measure_clip=lambda clip: self._seen(clip.name),
            measure_portrait=lambda _picture: self._seen("portrait", a_template(0.5)),
            compare_faces=lambda _a, _b: self._seen("faces"),
            measure_digits=lambda source, _expected, _language: self._seen(f"digits:{source.name}"),
            encode_jpeg=lambda _picture: b"jpeg",
            authority=self.authority,
            clock=self.clock,
            signer=Ed25519Signer.from_seed(bytes(32)),
            record=lambda _connection, *, kind, facts, operator: self.recorded.append((kind, facts)),  # noqa: ARG005
            pseudonym=lambda document_type, number: f"P-{hash((document_type, number)) % 10**8:08d}",
            keeper=DeskKeeper(self),
            random=self.random,
            program="shiming test",
        )

    def ask(
        self, route: Route = Route.STANDARD, session: str | None = None, category: str = "adult"
    ) -> dict[str, Any]:
        """Draw a challenge and let the person do it: the clip will show it, the digits will be heard."""
        application = Application(Channel.SHOP, route, category)
        with self.begin() as connection:
            opened = session_for_challenge(self.tools, connection, application, a_policy(), session)
            challenge = give_challenge(self.tools, connection, opened, a_policy(), Language.MANDARIN)
        self.perform(challenge.steps)
        return challenge_document(challenge)

    def perform(self, steps: tuple[Gesture, ...], **changes: Any) -> None:
        events = tuple(_shown(step, 0.5 + 2.5 * number) for number, step in enumerate(steps))
        self.sees["clip.mp4"] = a_measured_clip(events, **changes)
        self.sees["digits:clip.mp4"] = self.sees["digits:digits.wav"] = Heard(-1.0, 6)

    def prove(self, challenge: Mapping[str, Any] | None, **changes: Any) -> Decided:
        route = Route(challenge.get("route", "standard")) if challenge else Route.STANDARD
        submission = Submission(
            application=Application(Channel.SHOP, changes.pop("route", route)),
            on=ON,
            document=self.folder / "front.jpg",
            document_back=self.folder / "back.jpg",
            clip=self.folder / "clip.mp4",
            challenge=challenge,
        )
        return prove(self.tools, self.begin, replace(submission, **changes), a_policy())

    def _seen(self, name: str, default: Any = None) -> Any:
        found = self.sees.get(name, default)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise BadInput("NOTHING_SEEN", Text(zh=name, en=name))
        return found


@dataclass
class DeskKeeper:
    """Remembers what it was given, and what it was told to let go of."""

    desk: Desk

    def keep(self, connection: Connection, **kept: Any) -> None:
        assert not connection.closed
        self.desk.kept.append(kept)
        self.desk.contents = {name: file.read_bytes() for name, file in kept["files"].items()}

    def release(self, connection: Connection, session_id: str) -> None:
        assert not connection.closed
        self.desk.released.append(session_id)


def _shown(step: Gesture, at: float) -> ClipEvent:
    match step:
        case Gesture.TURN_LEFT:
            return turn("left", at)
        case Gesture.TURN_RIGHT:
            return turn("right", at)
        case Gesture.BLINK:
            return blink(at)
        case Gesture.MOUTH_OPEN:
            return ClipEvent(ClipEventKind.MOUTH_OPEN, at, at + 0.5)
