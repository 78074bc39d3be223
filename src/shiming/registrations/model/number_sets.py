"""The numbers that a line of a key voice service may show when it calls, each from when to when.

Calling-party authentication asks `authorised_numbers` at every call, so an answer says how long it holds.
"""

from dataclasses import dataclass, field
from datetime import datetime

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class ValidityPeriod:
    """From an instant (included) to another (excluded); None: until it is withdrawn."""

    begins: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.begins:
            raise BadInput(
                "VALIDITY_ORDER",
                Text(zh="有效期的结束不晚于开始。", en="The validity ends before it begins."),
                Text(zh="请核对有效期。", en="Compare the two instants."),
            )

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self.begins <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class AuthorisedNumber:
    """One number that a line may show for some time. Periods of one number may overlap: one is enough."""

    entry_id: str
    line_id: str
    operator: str
    number: str = field(repr=False)
    valid_from: datetime
    valid_until: datetime | None
    own: bool  # registered to the organisation itself
    authorised_by: str | None  # else: the evidence of whoever the number belongs to
    added_at: datetime
    withdrawn_at: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether the line may show it at an instant."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class NumberSet:
    """What a line may show at an instant, and for how many seconds this may be remembered."""

    line_id: str
    at: datetime
    numbers: frozenset[str] = field(repr=False)
    ttl_seconds: int


@dataclass(frozen=True, slots=True)
class NumberAuthorised:
    """The number is in the set. `repeated`: for the same time and by the same right it was so before."""

    entry: AuthorisedNumber
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class KeyServiceRefused:
    """Nothing was done, for all these reasons."""

    refusals: tuple[Refusal, ...]
