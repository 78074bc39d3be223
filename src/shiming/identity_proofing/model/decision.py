"""How a session can end, and why.

Verified | NotVerified | NeedsReview | Retry
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shiming.vocabulary.errors import Text

Figure = float | int | bool | str | None


class CheckOutcome(StrEnum):
    """What one check found. Only `passed` counts for the person."""

    PASSED = "passed"
    FAILED = "failed"  # the evidence contradicts the claim
    UNCLEAR = "unclear"  # neither for nor against: ask again, or let people look
    UNAVAILABLE = "unavailable"  # a model or a service was missing
    ABSENT = "absent"  # nothing was given to check


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in both languages, with the rule it rests on and what to do next."""

    code: str
    citation: str
    text: Text
    advice: Text

    def to_json(self) -> dict[str, Any]:
        """Return code, citation, text and advice."""
        return {
            "code": self.code,
            "citation": self.citation,
            "text": self.text.to_json(),
            "advice": self.advice.to_json(),
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found, with the figures it looked at. `retry`: giving this again may settle it."""

    check: str
    outcome: CheckOutcome
    reasons: tuple[Reason, ...] = ()
    measurements: Mapping[str, Figure] | None = None
    thresholds: Mapping[str, Figure] | None = None
    retry: str | None = None  # "document", "clip" or "digits"
    rule: str = ""  # the rule's own name in the program, cited by the receipt

    def to_json(self) -> dict[str, Any]:
        """Return the result as it stands in a receipt."""
        return {
            "check": self.check,
            "outcome": self.outcome.value,
            "reasons": [reason.to_json() for reason in self.reasons],
            "measurements": dict(self.measurements or {}),
            "thresholds": dict(self.thresholds or {}),
            "retry": self.retry,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """The living person is the holder of the document."""

    level: str


@dataclass(frozen=True, slots=True)
class NotVerified:
    """The evidence contradicts the claim."""

    reasons: tuple[Reason, ...]


class Reviewer(StrEnum):
    """Who looks next."""

    STAFF = "staff"  # two members of staff compare by eye
    AUTHORITY_QUEUE = "authority_queue"  # asked again by the program when the authority is back


@dataclass(frozen=True, slots=True)
class NeedsReview:
    """The evidence does not settle it; people, or a later answer, must."""

    reasons: tuple[Reason, ...]
    by_whom: Reviewer


@dataclass(frozen=True, slots=True)
class Retry:
    """Something should be given again. `left`: attempts that remain; `routes`: other ways on offer."""

    what: str  # "document", "clip", "digits" or "other_route"
    left: int
    reasons: tuple[Reason, ...]
    routes: tuple[str, ...] = ()


Decision = Verified | NotVerified | NeedsReview | Retry


@dataclass(frozen=True, slots=True)
class Adjudication:
    """A decision with every check behind it, advisory ones included."""

    decision: Decision
    checks: tuple[CheckResult, ...]
    required: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """`Verified`, `NotVerified`, `NeedsReview` or `Retry`."""
        return type(self.decision).__name__

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The reasons of the decision; none for Verified."""
        return () if isinstance(self.decision, Verified) else self.decision.reasons
