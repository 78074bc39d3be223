"""The stock of cards: take a table in, and say where one card stands."""

from typing import Annotated, Any, BinaryIO

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.desk.desk_page import desk_page, platform_of, tried
from shiming.entrypoints.pages.desk.numbers import report_shown
from shiming.entrypoints.pages.desk.pasted_tables import PASTED, TABLE_FILE, PastedTable
from shiming.entrypoints.pages.desk.words import word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.language import language_of
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.line_platform import table_name
from shiming.registrations.model.sims import SimState
from shiming.registrations.permissions.sims import MayManageSims, MayReadSims
from shiming.registrations.use_cases import sims
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.vocabulary.errors import ShimingError, Text
from shiming.vocabulary.sim_identifiers import Iccid

router = page_router()
Managing = Annotated[Asking, asked(MayManageSims)]
Reading = Annotated[Asking, asked(MayReadSims)]
Either = Annotated[Asking, asked(MayManageSims, MayReadSims)]
_TONES = {SimState.STOCK: "good", SimState.RETIRED: "bad"}
_UNKNOWN = Text(zh="没有这张卡。", en="There is no such card.")


class CardForm(BaseModel):
    """One card."""

    model_config = ConfigDict(extra="ignore")
    iccid: Annotated[str, Field(max_length=40)]


@router.get("/desk/sims")
def show_stock(request: Request, asking: Either) -> Response:
    """Show what can be done with cards."""
    operator = asking.caller.operator or ""
    if not asking.may(MayManageSims(operator)):
        asking.allow(MayReadSims(operator))
    return _sims(request, asking)


@router.post("/desk/sims/import")
def paste_cards(
    request: Request, asking: Managing, wanted: Annotated[Filled[PastedTable], form(PastedTable)]
) -> Response:
    """Take in rows that were pasted: iccid, imsi, form, operator."""
    asking.allow(MayManageSims(asking.caller.operator or ""))
    if wanted.value is None:
        return _sims(request, asking, wanted.again(), status=422)
    return _imported(request, asking, wanted.value.stream(), PASTED)


@router.post("/desk/sims/file")
def import_cards(
    request: Request, asking: Managing, upload: Annotated[Upload, TABLE_FILE.received()]
) -> Response:
    """Take in a file: iccid, imsi, form, operator."""
    asking.allow(MayManageSims(asking.caller.operator or ""))
    path = upload.file("table")
    with path.open("rb") as stream:
        return _imported(request, asking, stream, table_name(path))


@router.post("/desk/sims/where")
def find_card(
    request: Request, asking: Reading, wanted: Annotated[Filled[CardForm], form(CardForm)]
) -> Response:
    """Say where a card stands."""
    asking.allow(MayReadSims(asking.caller.operator or ""))
    if wanted.value is None:
        return _sims(request, asking, wanted.again(), status=422)
    language = language_of(request)
    try:
        iccid = Iccid.parse(wanted.value.iccid)
    except ShimingError as problem:
        return _mistaken(request, asking, wanted, problem.text.in_language(language), status=422)
    with reading(platform_of(request).engine) as connection:
        card = sims.find_sim(connection, iccid)
    if card is None or not asking.may(MayReadSims(card.operator)):
        return _mistaken(request, asking, wanted, _UNKNOWN.in_language(language), status=404)
    found = {
        "iccid": card.iccid.masked(),
        "imsi": card.imsi.masked(),
        "form": word(card.form),
        "state": word(card.state),
        "tone": _TONES.get(card.state, ""),
        "card": card,
    }
    return _sims(request, asking, {"found": found})


def _imported(request: Request, asking: Asking, stream: BinaryIO, name: str) -> Response:
    platform = platform_of(request)
    reports: list[ImportReport] = []

    def work() -> None:
        reports.append(
            sims.import_sims(
                platform.registrations,
                platform.engine,
                stream,
                name,
                operator=asking.caller.operator,
                now=platform.clock.now(),
            )
        )

    if refused := tried(work):
        return _sims(request, asking, {"refused": refused}, status=400)
    return _sims(request, asking, report_shown(reports[0], language_of(request)))


def _mistaken(
    request: Request, asking: Asking, wanted: Filled[CardForm], text: str, *, status: int
) -> Response:
    return _sims(request, asking, {"mistakes": {"iccid": text}, "entered": wanted.entered}, status=status)


def _sims(
    request: Request, asking: Asking, context: dict[str, Any] | None = None, *, status: int = 200
) -> Response:
    operator = asking.caller.operator or ""
    facts: dict[str, Any] = {
        "manages": asking.gatekeeper.allow(asking.caller, MayManageSims(operator)),
        "reads": asking.gatekeeper.allow(asking.caller, MayReadSims(operator)),
        "refused": None,
        "found": None,
        "report": None,
        "bad_rows": None,
        **(context or {}),
    }
    return desk_page(request, asking, "desk/sims.html", facts, status=status)
