"""Numbers of an operator's pool: ranges, the state of one number, and how asking for one ends.

`reserve_number` answers `NumberReserved | NumberNotGiven`, `add_block` `BlockAdded | NumberNotGiven`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.registrations.model.lines import LineKind
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal

#: A customer chooses among a handful; more would be hoarding for others.
SESSION_RESERVATIONS_MAX = 5
#: What one organisation is given at a time; larger orders come in parts.
ORGANISATION_RESERVATIONS_MAX = 10_000
ENDING_DIGITS_MAX = 8  # nobody remembers more, and the rest is the prefix of the block
ORGANISATION_PREFIX = "ORG-"
_OPERATOR = re.compile(r"[a-z][a-z0-9-]{1,31}")
_RANGE_END = re.compile(r"\+[1-9][0-9]{6,14}")
_WILDCARDS = re.compile(r"(\+[0-9]+)([xX*]+)")
_SEPARATORS = re.compile(r"[\s()-]+")
_ENDING = re.compile(rf"[0-9]{{1,{ENDING_DIGITS_MAX}}}")
_HELD_FOR = re.compile(r"(SES|ORG)-[A-Za-z0-9-]{1,59}")
_RANGE_ADVICE = Text(
    zh="例如 +8613800000000 至 +8613800009999，或 +861380000xxxx。",
    en="Such as +8613800000000 to +8613800009999, or +861380000xxxx.",
)


class NumberState(StrEnum):
    """Where a number stands: always in exactly one of these."""

    OUTSIDE = "outside"  # of no pool
    EXCLUDED = "excluded"  # of the pool, never given out
    FREE = "free"
    RESERVED = "reserved"
    IN_SERVICE = "in_service"
    QUARANTINE = "quarantine"  # rests after use


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers of one length from `first` to `last`, both in E.164 and both included."""

    first: str
    last: str

    @classmethod
    def parse(cls, first: str, last: str = "") -> "NumberRange":
        """Read a range by its ends, or by a prefix with an `x` for each open digit; raise BadInput.

        >>> NumberRange.parse("+86 138 0000 xxxx")
        NumberRange(first='+8613800000000', last='+8613800009999')
        """
        begin, end = _SEPARATORS.sub("", first), _SEPARATORS.sub("", last)
        open_digits = _WILDCARDS.fullmatch(begin)
        if open_digits and not end:
            prefix, wild = open_digits.groups()
            begin, end = prefix + "0" * len(wild), prefix + "9" * len(wild)
        end = end or begin
        if not _RANGE_END.fullmatch(begin) or not _RANGE_END.fullmatch(end) or len(begin) != len(end):
            raise BadInput(
                "RANGE_FORMAT",
                Text(zh="号段应为两个等长的国际格式号码。", en="A range is two E.164 numbers of one length."),
                _RANGE_ADVICE,
            )
        if begin > end:
            raise BadInput(
                "RANGE_ORDER", Text(zh="号段首尾颠倒。", en="The range ends before it begins."), _RANGE_ADVICE
            )
        return cls(begin, end)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(self.last) - int(self.first) + 1

    def at(self, index: int) -> str:
        """Return the number at a place, counted from 0."""
        return f"+{int(self.first) + index}"

    def overlaps(self, other: "NumberRange") -> bool:
        """Whether a number is in both."""
        return len(self.first) == len(other.first) and self.first <= other.last and other.first <= self.last

    def contains(self, other: "NumberRange") -> bool:
        """Whether all of the other's numbers are in this one."""
        return len(self.first) == len(other.first) and self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A range that an operator adds to its pool, or takes out of it for good (`excluded`)."""

    operator: str
    range: NumberRange
    kind: LineKind
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """A range in the pool of an operator."""

    block_id: str
    operator: str
    range: NumberRange
    kind: LineKind
    excluded: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class NumberHold:
    """Why a number in no line is not free, and until when."""

    state: NumberState  # reserved or quarantine
    operator: str
    held_for: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What is known of one number at one moment."""

    operator: str | None = None  # of the block it lies in; None: in no pool
    kind: LineKind | None = None  # of that block
    excluded: bool = False
    line_id: str | None = None  # the line that uses it
    hold: NumberHold | None = None


@dataclass(frozen=True, slots=True)
class NumberReserved:
    """The number is kept. `repeated`: it was so already, until the same instant."""

    number: Msisdn
    operator: str
    held_for: str
    until: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class NumberNotGiven:
    """The number, or the range, is not given, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class BlockAdded:
    """The range is in the pool. `repeated`: it was so already."""

    block: NumberBlock
    repeated: bool = False


def read_operator(text: str) -> str:
    """Return an operator's code; raise BadInput."""
    if not _OPERATOR.fullmatch(text):
        raise BadInput(
            "OPERATOR_FORMAT",
            Text(zh="运营企业代码格式不正确。", en="This is no operator code."),
            Text(
                zh="例如 north-mobile。", en="Lower-case letters, digits and hyphens, such as north-mobile."
            ),
        )
    return text


def read_holder(text: str) -> str:
    """Return for whom a number is kept: a session or an organisation; raise BadInput."""
    if not _HELD_FOR.fullmatch(text):
        raise BadInput(
            "HELD_FOR_FORMAT",
            Text(zh="预留对象应为会话或单位编号。", en="A number is kept for a session or an organisation."),
            Text(zh="例如 SES-... 或 ORG-...。", en="Use a reference such as SES-... or ORG-..."),
        )
    return text


def read_ending(text: str) -> str:
    """Return the last digits that are wished for; raise BadInput."""
    if text and not _ENDING.fullmatch(text):
        raise BadInput(
            "ENDING_FORMAT",
            Text(zh=f"尾号为1至{ENDING_DIGITS_MAX}位数字。", en=f"One to {ENDING_DIGITS_MAX} digits."),
            Text(zh="例如 8888。", en="Such as 8888."),
        )
    return text
