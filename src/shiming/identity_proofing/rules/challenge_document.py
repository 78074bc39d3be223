"""The challenge as a JSON document: it explains itself to whoever shows it to the applicant.

`steps` lists gestures in order, with instructions in both languages; `digits` are read aloud or tapped.
The recorder may add `prompts_s`: at which second of the clip each step was asked for. A document without
`id` was written by hand: at least `steps` or `digits`, everything else optional. It is taken as origin
`chosen`, and the receipt says so.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shiming.identity_proofing.model.challenge import Challenge, ChallengeOrigin, Language
from shiming.jurisdictions.model import DigitsMode, Gesture, Policy, Route
from shiming.vocabulary.errors import BadInput, Text

STEPS_MAX = 12  # more would be a two-minute clip
PROMPT_S_MAX = 600.0

INSTRUCTIONS = {
    Gesture.TURN_LEFT: Text(
        zh="向您的左侧转头约35度，再转回正面",
        en="Turn your head to your left by about 35 degrees, then back",
    ),
    Gesture.TURN_RIGHT: Text(
        zh="向您的右侧转头约35度，再转回正面",
        en="Turn your head to your right by about 35 degrees, then back",
    ),
    Gesture.BLINK: Text(zh="面向镜头，慢慢眨一下眼", en="Face the camera and blink once, slowly"),
    Gesture.MOUTH_OPEN: Text(
        zh="面向镜头，张大嘴再合上", en="Face the camera, open your mouth wide and close it"
    ),
}
DIGITS_INSTRUCTIONS = {
    DigitsMode.SPOKEN: Text(zh="请清楚地逐个读出这些数字", en="Read these digits aloud, one by one"),
    DigitsMode.TAPPED: Text(zh="请点按这些数字", en="Tap these digits"),
    DigitsMode.NONE: Text(zh="", en=""),
}


class _Step(BaseModel):
    model_config = ConfigDict(extra="ignore")
    gesture: Gesture


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str | None = Field(default=None, max_length=60)
    session: str | None = Field(default=None, max_length=60)
    origin: ChallengeOrigin = ChallengeOrigin.CHOSEN
    route: Route = Route.STANDARD
    steps: tuple[_Step, ...] = Field(default=(), max_length=STEPS_MAX)
    digits: str = Field(default="", pattern=r"^[0-9]{0,12}$")
    digits_mode: DigitsMode | None = None
    digits_language: Language = Language.MANDARIN
    drawn_at: datetime | None = None
    expires_at: datetime | None = None
    prompts_s: tuple[float, ...] | None = Field(default=None, max_length=STEPS_MAX)

    @field_validator("steps", mode="before")
    @classmethod
    def _names_or_objects(cls, steps: Any) -> Any:
        if not isinstance(steps, list | tuple):
            return steps
        return [{"gesture": step} if isinstance(step, str) else step for step in steps]

    @model_validator(mode="after")
    def _consistent(self) -> "_Document":
        if not self.steps and not self.digits:
            message = "a challenge asks for gestures, digits or both"
            raise ValueError(message)
        if self.prompts_s is not None:
            rising = all(a < b for a, b in zip(self.prompts_s, self.prompts_s[1:], strict=False))
            bounded = all(0 <= second <= PROMPT_S_MAX for second in self.prompts_s)
            if len(self.prompts_s) != len(self.steps) or not rising or not bounded:
                message = "prompts_s needs one rising time for each step"
                raise ValueError(message)
        for instant in (self.drawn_at, self.expires_at):
            if instant is not None and instant.tzinfo is None:
                message = "an instant needs a time zone"
                raise ValueError(message)
        if self.id and not (self.session and self.drawn_at and self.expires_at):
            message = "a drawn challenge names its session and its times"
            raise ValueError(message)
        return self


def challenge_document(challenge: Challenge) -> dict[str, Any]:
    """Return the self-describing JSON document of a challenge."""
    return {
        **challenge_content(challenge),
        "steps": [
            {"gesture": step.value, "instruction": INSTRUCTIONS[step].to_json()} for step in challenge.steps
        ],
        "digits_instruction": DIGITS_INSTRUCTIONS[challenge.digits_mode].to_json(),
        "prompts_s": list(challenge.prompts_s) if challenge.prompts_s is not None else None,
    }


def challenge_content(challenge: Challenge) -> dict[str, Any]:
    """Return what the server remembers by its hash: everything but instructions and prompt times."""
    return {
        "id": challenge.id,
        "session": challenge.session_id,
        "origin": challenge.origin.value,
        "route": challenge.route.value,
        "steps": [step.value for step in challenge.steps],
        "digits": challenge.digits,
        "digits_mode": challenge.digits_mode.value,
        "digits_language": challenge.language.value,
        "drawn_at": challenge.drawn_at.isoformat(),
        "expires_at": challenge.expires_at.isoformat(),
    }


def parse_challenge(document: Mapping[str, Any], policy: Policy, now: datetime) -> Challenge:
    """Read a challenge document; raise BadInput for one that is not well formed."""
    try:
        read = _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _refusal(".".join(str(part) for part in first["loc"]), first["msg"]) from None
    if read.route not in policy.routes:
        raise _refusal("route", "this pack has no such route")
    drawn_at = read.drawn_at or now
    life = timedelta(seconds=policy.challenge.life_seconds.value)
    challenge = Challenge(
        id=read.id,
        session_id=read.session,
        origin=read.origin,
        route=read.route,
        steps=tuple(step.gesture for step in read.steps),
        digits=read.digits,
        digits_mode=read.digits_mode or (DigitsMode.SPOKEN if read.digits else DigitsMode.NONE),
        language=read.digits_language,
        drawn_at=drawn_at,
        expires_at=read.expires_at or drawn_at + life,
        prompts_s=read.prompts_s,
    )
    return challenge if read.id else replace(challenge, session_id=None, origin=ChallengeOrigin.CHOSEN)


def _refusal(place: str, message: str) -> BadInput:
    return BadInput(
        "CHALLENGE_INVALID",
        Text(zh="提示文件格式不正确。", en=f"The challenge is not well formed: {place}: {message}."),
        advice=Text(
            zh="请使用 shiming challenge --json 的输出。", en="Use the output of: shiming challenge --json"
        ),
        details={"place": place},
    )
