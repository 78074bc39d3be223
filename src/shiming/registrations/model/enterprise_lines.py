"""Lines of an organisation that wait for their actual users, and what an import of them came to.

A line here is a number kept for the organisation; it becomes a registered line when its user is proven.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from shiming.jurisdictions.model import ProductClass
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.model.numbers import NumberRange
from shiming.registrations.model.orders import TermsAcceptance
from shiming.vocabulary.errors import Text
from shiming.vocabulary.msisdn import NumberSeries
from shiming.vocabulary.refusals import Refusal

#: More lines than any organisation of a country has staff; a contract beyond is made in parts.
LINES_CONFIRMED_MAX = 1_000_000
USER_REFERENCE_CHARACTERS_MAX = 80  # a staff number, not a description of a person


class EnterpriseLineState(StrEnum):
    """Where a line of an organisation stands, as far as its actual user is concerned."""

    AWAITING = "awaiting"  # its first user is not proven: there is no line in the network
    REGISTERED = "registered"  # its user is proven
    VACATED = "vacated"  # its user has left; the next one is to be proven, or the line returned


@dataclass(frozen=True, slots=True)
class EnterpriseContract:
    """What an organisation confirmed through its proven handler: so many lines."""

    contract_id: str
    operator: str
    organisation: str
    handler_session: str
    lines_confirmed: int
    created_at: datetime
    lines_entered: int = 0
    terms: TermsAcceptance | None = None


@dataclass(frozen=True, slots=True)
class EnterpriseLine:
    """One line of a contract."""

    number: str
    operator: str
    contract_id: str
    organisation: str
    kind: LineKind
    product_class: ProductClass
    user_reference: str
    state: EnterpriseLineState
    entered_at: datetime
    iccid: str | None = None
    contact_evidence: str | None = None
    line_id: str | None = None
    session_id: str | None = None
    subject: str | None = None
    vacated_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineUse:
    """Who used a line from when to when; `used_to` None: still."""

    line_id: str
    position: int
    contract_id: str
    user_reference: str
    session_id: str
    subject: str
    used_from: datetime
    used_to: datetime | None = None


class WantedLine(NamedTuple):
    """One good row of an import; a tuple, because there are a hundred thousand of them."""

    row: int
    number: str
    kind: str
    product_class: str
    user_reference: str
    contact: str
    iccid: str | None


class RowRefused(NamedTuple):
    """Why a row is passed over."""

    row: int
    column: str
    code: str
    text: Text

    def to_json(self) -> dict[str, Any]:
        """Return the report of the row; it holds nothing of the cell."""
        return {"line": self.row, "column": self.column, "code": self.code, "text": self.text.to_json()}


@dataclass(frozen=True, slots=True)
class PoolBlock:
    """A range of the operator's pool, of one kind, or taken out of it."""

    range: NumberRange
    kind: LineKind
    excluded: bool


class NumberPool:
    """The ranges of one operator, for looking up many numbers: a few hundred ranges, no number."""

    def __init__(self, blocks: Iterable[PoolBlock]) -> None:
        found = tuple(blocks)
        self._excluded = tuple(block.range for block in found if block.excluded)
        given = sorted(
            (b for b in found if not b.excluded), key=lambda b: (len(b.range.first), b.range.first)
        )
        self._given = given
        self._firsts = [(len(block.range.first), block.range.first) for block in given]

    def kind_of(self, number: str) -> LineKind | None:
        """Return the kind of the block that a number in E.164 lies in; None for one that is not given out."""
        length = len(number)
        at = bisect_right(self._firsts, (length, number)) - 1
        if at < 0:
            return None
        block = self._given[at]
        if len(block.range.first) != length or number > block.range.last:
            return None
        if self._excluded and self.is_excluded(number):
            return None
        return block.kind

    def is_excluded(self, number: str) -> bool:
        """Whether a number lies in a range that is never given out."""
        length = len(number)
        return any(len(r.first) == length and r.first <= number <= r.last for r in self._excluded)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import came to. `known`: rows that were entered before; `repeated`: the whole file was."""

    import_id: str
    contract_id: str
    file_hash: str
    entered: int
    known: int
    refused: int
    rows_refused: tuple[RowRefused, ...] = ()  # the first of them
    repeated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is shown and kept."""
        return {
            "id": self.import_id,
            "contract": self.contract_id,
            "file_hash": self.file_hash,
            "entered": self.entered,
            "known": self.known,
            "refused": self.refused,
            "rows": [each.to_json() for each in self.rows_refused],
            "repeated": self.repeated,
        }


@dataclass(frozen=True, slots=True)
class EnterpriseRefused:
    """Nothing was done, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of a number that cannot simply be entered."""

    line_id: str | None
    held_state: str | None
    held_for: str | None
    held_until: datetime | None
    contract_id: str | None = None
    content: tuple[Any, ...] | None = None  # kind, product, user and card of the row that was entered


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What rows of one contract are read with."""

    pool: NumberPool
    #: Products that an organisation may hold and that need an actual user, by their name.
    products: Mapping[str, ProductClass]
    region: str | None = None
    also: tuple[NumberSeries, ...] = ()  # of the plan, that common data lack
    kinds: Mapping[str, LineKind] = field(default_factory=lambda: {kind.value: kind for kind in LineKind})


@dataclass(frozen=True, slots=True)
class ActualUserLink:
    """A link for one user to prove themselves; of its token only the hash is kept."""

    token_hash: str = field(repr=False)
    number: str = field(repr=False)
    contract_id: str
    operator: str
    made_at: datetime
    expires_at: datetime
    sessions: int = 0  # opened with it
    session_id: str | None = None  # the last of them
    closed_at: datetime | None = None  # used, or replaced by a newer one
    notice_id: str | None = None  # it goes to the contact of the user; none: to whoever asked for it


@dataclass(frozen=True, slots=True)
class LinkMade:
    """A new link. The token is shown once and kept nowhere; it is empty when the link goes to the contact."""

    number: str = field(repr=False)
    user_reference: str
    token: str = field(repr=False)
    expires_at: datetime
    notice_id: str | None = None


@dataclass(frozen=True, slots=True)
class LinkSent:
    """The link of a line that is to be used, and how far its notice came; no notice: it was given out."""

    number: str = field(repr=False)
    user_reference: str
    made_at: datetime
    expires_at: datetime
    session_id: str | None
    notice_id: str | None
    state: NoticeState | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class LinkShown:
    """What whoever opens a link sees before anything happens."""

    organisation_name: str
    number_masked: str
    expires_at: datetime
    session_id: str | None
    has_user: bool = False


@dataclass(frozen=True, slots=True)
class LinkSession:
    """The session that a link opened; `repeated`: it was open already."""

    session_id: str
    expires_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ActualUserRecorded:
    """The line has its actual user. `repeated`: the same session did it before."""

    line_id: str
    position: int
    repeated: bool = False
