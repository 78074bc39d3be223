"""What the routes of the number pool take and give."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberBlock, NumberFacts, NumberReserved, NumberState
from shiming.registrations.rules.number_pool import state_of
from shiming.registrations.rules.projections import number_resource

OperatorName = Annotated[str, Field(max_length=32, examples=["north-mobile"])]
_RangeEnd = Annotated[str, Field(max_length=40, examples=["+8613800000000"])]


class BlockWanted(BaseModel):
    """A range for the pool: its ends, or a prefix with an `x` for each open digit as `first`."""

    model_config = ConfigDict(extra="forbid")
    operator: OperatorName
    first: _RangeEnd
    last: Annotated[str, Field(max_length=40)] = ""
    kind: LineKind = LineKind.MOBILE
    excluded: Annotated[bool, Field(description="Never to be given out; lies in a block.")] = False


class BlockShown(BaseModel):
    """A range in the pool of an operator."""

    id: str
    operator: str
    first: str
    last: str
    kind: LineKind
    excluded: bool
    added_at: datetime


class Blocks(Listing):
    """Ranges and exclusions in the order of their references."""

    items: list[BlockShown]


class BadRowShown(BaseModel):
    """Why a row of a file was passed over."""

    line: int
    column: str
    code: str
    text: dict[str, str]


class ImportShown(BaseModel):
    """What came of a file; `bad_rows` holds the first thousand."""

    added: int
    unchanged: int
    refused: int
    bad_rows: list[BadRowShown]


class FreeNumbersShown(Listing):
    """Free numbers in the order of a walk that began at a place that chance chose."""

    items: list[str]


class NumberShown(BaseModel):
    """Where a number stands, also in the words of TMF639."""

    number: str
    state: NumberState
    operator: str | None
    kind: LineKind | None
    line: str | None
    held_for: str | None
    until: datetime | None
    tmf639_resource: dict[str, Any]


class ReservationWanted(BaseModel):
    """For whom a number is to be kept: a session or an organisation."""

    model_config = ConfigDict(extra="forbid")
    operator: OperatorName
    held_for: Annotated[str, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D", "ORG-0082-0C20-A1G7-D"])]


class ReservationShown(BaseModel):
    """A number that is kept."""

    number: str
    operator: str
    held_for: str
    until: datetime
    repeated: bool


def block_shown(block: NumberBlock) -> BlockShown:
    """Return a range as it is shown."""
    return BlockShown(
        id=block.block_id,
        operator=block.operator,
        first=block.range.first,
        last=block.range.last,
        kind=block.kind,
        excluded=block.excluded,
        added_at=block.added_at,
    )


def number_shown(number: str, facts: NumberFacts, now: datetime) -> NumberShown:
    """Return where a number stands."""
    state = state_of(facts, now)
    held = facts.hold if state in {NumberState.RESERVED, NumberState.QUARANTINE} else None
    return NumberShown(
        number=number,
        state=state,
        operator=facts.operator,
        kind=facts.kind,
        line=facts.line_id,
        held_for=None if held is None else held.held_for,
        until=None if held is None else held.until,
        tmf639_resource=number_resource(state).to_json(),
    )


def reservation_shown(kept: NumberReserved) -> ReservationShown:
    """Return a reservation."""
    return ReservationShown(
        number=kept.number.reveal("shown to who reserves"),
        operator=kept.operator,
        held_for=kept.held_for,
        until=kept.until,
        repeated=kept.repeated,
    )
