"""What the routes of stops and line status take and give."""

import hashlib
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.jurisdictions.model import StopActor, StopLevel, StopReason
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import LineStanding, LineStop
from shiming.registrations.rules.projections import line_projections

_Reference = Annotated[str, Field(max_length=64, examples=["CASE-2026-17"])]
#: A rule with a clock acts inside; nobody calls as the system.
PersonActing = Literal[StopActor.HOLDER, StopActor.CLERK, StopActor.COMPLIANCE]


class NewStop(BaseModel):
    """Why a line is to be stopped, on whose behalf, and which case or order it rests on."""

    model_config = ConfigDict(extra="forbid")
    reason: StopReason
    actor: PersonActing
    reference: _Reference
    at: Annotated[AwareDatetime | None, Field(description="Since when it holds, if not since now.")] = None


class Lifting(BaseModel):
    """Which stops are to be lifted, on whose behalf; without a reference all of the reason."""

    model_config = ConfigDict(extra="forbid")
    reason: StopReason
    actor: PersonActing
    reference: _Reference | None = None


class TextShown(BaseModel):
    """One text in both languages."""

    zh: str
    en: str


class StopWordsShown(BaseModel):
    """What the holder is told: why, where to turn, what to bring."""

    reason: TextShown
    remedy: TextShown
    materials: TextShown


class StopShown(BaseModel):
    """One stop of a line."""

    id: str
    reason: StopReason
    level: StopLevel
    reference: str
    set_at: datetime
    set_by: StopActor
    lifted_at: datetime | None
    lifted_by: StopActor | None
    holder_is_told: StopWordsShown


class Stops(Listing):
    """Every stop that a line has or had, oldest first."""

    items: list[StopShown]


class StopAnswer(BaseModel):
    """What a stop or its lifting did to the line."""

    line: str
    before: LineStatus
    after: LineStatus
    repeated: bool
    stops: list[StopShown]


class StatusShown(BaseModel):
    """How a line stands, in the registry's own words and in those of CAMARA and TM Forum."""

    line: str
    status: LineStatus
    stops: list[StopShown]
    projections: dict[str, Any]


def stop_shown(stop: LineStop) -> StopShown:
    """Return a stop as it is shown."""
    return StopShown.model_validate(
        {
            "id": stop.stop_id,
            "reason": stop.reason,
            "level": stop.level,
            "reference": stop.reference,
            "set_at": stop.set_at,
            "set_by": stop.set_by,
            "lifted_at": stop.lifted_at,
            "lifted_by": stop.lifted_by,
            "holder_is_told": stop.words.to_json(),
        }
    )


def status_shown(standing: LineStanding) -> StatusShown:
    """Return how a line stands."""
    return StatusShown(
        line=standing.line.line_id,
        status=standing.line.status,
        stops=[stop_shown(stop) for stop in standing.open_stops],
        projections=line_projections(standing.line.status),
    )


def version_of(standing: LineStanding) -> str:
    """Return a version that changes with the status and with every open stop."""
    parts = [standing.line.status.value, *(stop.stop_id for stop in standing.open_stops)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
