"""The stock of cards over HTTP.

POST /v1/sims/imports        a CSV or XLSX of cards, with a report of bad rows
GET  /v1/sims/{iccid}        where a card stands
GET  /v1/lines/{line}/sims   the cards that a line has and had, and when the last change was
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.line_platform import (
    TABLE_FORM,
    LineId,
    as_listing,
    line_platform,
    line_unknown,
    table_name,
)
from shiming.registrations.api.number_schemas import ImportShown
from shiming.registrations.model.lines import SimForm
from shiming.registrations.model.sims import SimState
from shiming.registrations.permissions.registration import MayReadRegistration
from shiming.registrations.permissions.sims import MayManageSims, MayReadSims
from shiming.registrations.rules.projections import card_resource
from shiming.registrations.use_cases import sims
from shiming.registrations.use_cases.lines import find_line
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.sim_identifiers import Iccid

router = APIRouter(prefix="/v1", tags=["sims"])


class SimShown(BaseModel):
    """A card; its IMSI shows network and last digits only."""

    iccid: str
    operator: str
    imsi: str
    form: SimForm
    state: SimState
    line: str | None
    added_at: datetime
    tmf639_resource: dict[str, Any]


class SimUseShown(BaseModel):
    """A card in a line."""

    position: int
    iccid: str
    since: datetime
    until: datetime | None


class SimUses(Listing):
    """The cards of a line, oldest first, and when the last change was; `swapped` false: the first is in."""

    items: list[SimUseShown]
    changed_at: datetime | None
    swapped: bool


@router.post("/sims/imports", response_model=ImportShown, openapi_extra=TABLE_FORM.openapi_extra())
def import_sims(
    request: Request,
    asking: Annotated[Asking, asked(MayManageSims)],
    upload: Annotated[Upload, TABLE_FORM.received()],
) -> dict[str, Any]:
    """Take in a table of cards (iccid, imsi, form, operator); the same one again changes nothing."""
    asking.allow(MayManageSims(asking.caller.operator or ""))
    platform = line_platform(request)
    path = upload.file("table")
    with path.open("rb") as stream:
        report = sims.import_sims(
            platform.registrations,
            platform.engine,
            stream,
            table_name(path),
            operator=asking.caller.operator,
            now=platform.clock.now(),
        )
    return report.to_json()


@router.get("/sims/{iccid}", responses=problem_responses(404))
def read(
    request: Request,
    iccid: Annotated[str, Path(max_length=40, description="Number of the card.")],
    asking: Annotated[Asking, asked(MayReadSims)],
) -> SimShown:
    """Say where a card stands."""
    asking.allow(MayReadSims(asking.caller.operator or ""))
    wanted = Iccid.parse(iccid)
    with reading(line_platform(request).engine) as connection:
        card = sims.find_sim(connection, wanted)
    if card is None or not asking.may(MayReadSims(card.operator)):
        raise BadInput(
            "SIM_UNKNOWN",
            Text(zh="没有这张卡。", en="There is no such card."),
            Text(zh="请核对ICCID。", en="Compare the ICCID."),
        )
    return SimShown(
        iccid=card.iccid.reveal("shown to who named it"),
        operator=card.operator,
        imsi=card.imsi.masked(),
        form=card.form,
        state=card.state,
        line=card.line_id,
        added_at=card.added_at,
        tmf639_resource=card_resource(card.state).to_json(),
    )


@router.get("/lines/{line}/sims", response_model=SimUses, responses=problem_responses(404))
def of_line(
    request: Request, line: LineId, asking: Annotated[Asking, asked(MayReadRegistration)]
) -> dict[str, Any]:
    """List the cards that a line has and had, oldest first, masked."""
    asking.allow(MayReadRegistration(asking.caller.operator or ""))
    with reading(line_platform(request).engine) as connection:
        found = find_line(connection, line)
        if found is None or not asking.may(MayReadRegistration(found.operator)):
            raise line_unknown()
        uses = sims.sims_of_line(connection, line)
        change = sims.swap_date(connection, line)
    items: list[dict[str, Any]] = [
        {
            "position": use.position,
            "iccid": use.iccid.masked(),
            "since": use.since,
            "until": use.until,
        }
        for use in uses
    ]
    changed = {"changed_at": change and change.at, "swapped": change is not None and change.swapped}
    return as_listing(items) | changed
