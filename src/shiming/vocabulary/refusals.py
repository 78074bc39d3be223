"""A refusal that the rules foresee: a value with a stable code, its provision, and words for three readers.

A feature lists its codes in an enumeration of its own; each code carries its words.

>>> class DoorRefusal(ReasonCode):
...     SHUT = (
...         "SHUT",
...         Text(zh="门已关。", en="The door is shut."),
...         Text(zh="已停止营业。", en="We are closed."),
...         Text(zh="请明天再来。", en="Come again tomorrow."),
...     )
>>> refusal = Refusal(DoorRefusal.SHUT, "project:hours")
>>> refusal.code, refusal.words.clerk.en, refusal.to_json()["code"]
(<DoorRefusal.SHUT: 'SHUT'>, 'The door is shut.', 'SHUT')
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from shiming.vocabulary.errors import Text


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """The same refusal for three readers; `next_step` is for whoever can act."""

    clerk: Text
    subscriber: Text
    next_step: Text


class ReasonCode(StrEnum):
    """Base of enumerations of refusals: a member is its code, and the texts of `RefusalWords` in order."""

    words: RefusalWords

    def __new__(cls, code: str, clerk: Text, subscriber: Text, next_step: Text) -> Self:
        """Make a member whose value is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = RefusalWords(clerk, subscriber, next_step)
        return member


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, with the provision it rests on (`source:article` of the pack)."""

    code: ReasonCode
    citation: str

    @property
    def words(self) -> RefusalWords:
        """The texts of this reason."""
        return self.code.words

    def to_json(self) -> dict[str, Any]:
        """Return the refusal as it is printed with `--json`."""
        return {
            "code": self.code.value,
            "citation": self.citation,
            "clerk": self.words.clerk.to_json(),
            "subscriber": self.words.subscriber.to_json(),
            "next_step": self.words.next_step.to_json(),
        }
