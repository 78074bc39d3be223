"""The number pool: ranges and exclusions, tables of them, and where one number stands."""

from typing import Annotated, BinaryIO

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.desk.desk_page import (
    Shown,
    desk_page,
    platform_of,
    rules_of,
    table_page,
    tried,
)
from shiming.entrypoints.pages.desk.pasted_tables import BAD_ROWS, TABLE_FILE, PastedTable, bad_rows_of
from shiming.entrypoints.pages.desk.tables import Choice, Column, Gathered, Table, TableAsked, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.language import language_of
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.line_platform import table_name
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberBlock, NumberState
from shiming.registrations.permissions.numbers import MayManageNumbers, MayReadNumbers
from shiming.registrations.rules.number_pool import state_of
from shiming.registrations.use_cases import number_blocks, numbers
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.vocabulary.errors import ShimingError, Text

router = page_router()
Managing = Annotated[Asking, asked(MayManageNumbers)]
Reading = Annotated[Asking, asked(MayReadNumbers)]
Either = Annotated[Asking, asked(MayManageNumbers, MayReadNumbers)]
_GIVEN, _KEPT = "given", "kept"
_TONES = {
    NumberState.FREE: "good",
    NumberState.RESERVED: "waiting",
    NumberState.QUARANTINE: "waiting",
    NumberState.EXCLUDED: "bad",
}

_USES: dict[str, Text] = {
    _GIVEN: Text(zh="放号", en="given out"),
    _KEPT: Text(zh="不放号", en="never given out"),
}

TABLE: Table[NumberBlock] = Table(
    "number-blocks",
    Text(zh="号段与不放号段", en="Ranges and exclusions"),
    (
        Column("first", Text(zh="首号", en="First"), lambda block: block.range.first, look="code"),
        Column("last", Text(zh="末号", en="Last"), lambda block: block.range.last, look="code"),
        Column("size", Text(zh="数量", en="Numbers"), lambda block: block.range.size, look="number"),
        Column("kind", Text(zh="类型", en="Kind"), lambda block: word(block.kind)),
        Column(
            "use",
            Text(zh="用途", en="Use"),
            lambda block: _USES[_KEPT if block.excluded else _GIVEN],
            look="state",
            tone=lambda block: "bad" if block.excluded else "good",
        ),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda block: block.operator),
        Column("added", Text(zh="入池时间", en="Added"), lambda block: block.added_at),
    ),
    filters=(
        Choice("kind", Text(zh="类型", en="Kind"), options(LineKind), lambda block: block.kind.value),
        Choice(
            "use",
            Text(zh="用途", en="Use"),
            _USES,
            lambda block: _KEPT if block.excluded else _GIVEN,
        ),
    ),
    search=Text(zh="首末号、运营企业", en="First or last number, operator"),
    empty=Text(zh="号码池为空。", en="The pool is empty."),
    address="/desk/numbers",
    order="first",
)


class BlockForm(BaseModel):
    """A range for the pool, or out of it for good."""

    model_config = ConfigDict(extra="ignore")
    operator: Annotated[str | None, Field(max_length=32)] = None
    first: Annotated[str, Field(max_length=40)]
    last: Annotated[str, Field(max_length=40)] = ""
    kind: LineKind = LineKind.MOBILE
    excluded: bool = False


class NumberForm(BaseModel):
    """One number."""

    model_config = ConfigDict(extra="ignore")
    number: Annotated[str, Field(max_length=40, repr=False)]


@router.get("/desk/numbers")
def list_numbers(request: Request, asking: Either) -> Response:
    """List the ranges, for who manages them; others may ask where a number stands."""
    operator = asking.caller.operator or ""
    if not asking.may(MayManageNumbers(operator)):
        asking.allow(MayReadNumbers(operator))
    return _numbers(request, asking)


@router.post("/desk/numbers")
def add_block(
    request: Request, asking: Managing, wanted: Annotated[Filled[BlockForm], form(BlockForm)]
) -> Response:
    """Add a range to the pool, or take one out for good."""
    operator = (wanted.value.operator if wanted.value else None) or asking.caller.operator or ""
    asking.allow(MayManageNumbers(operator))
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _numbers(request, asking, context=wanted.again(), status=422)
    policy, plan, now = rules_of(platform), platform.registration_policy, platform.clock.now()

    def work() -> object:
        new = number_blocks.read_block(
            operator, chosen.first, chosen.last, chosen.kind, excluded=chosen.excluded
        )
        number_blocks.require_plan(new.range, plan.number_regions, also=plan.number_series)
        return transact(
            platform.engine,
            lambda connection: number_blocks.add_block(
                platform.registrations, connection, new, now=now, policy=policy
            ),
        )

    if refused := tried(work):
        return _numbers(request, asking, context={"refused": refused, "entered": wanted.entered}, status=409)
    return see_other("/desk/numbers", said="excluded" if chosen.excluded else "added")


@router.post("/desk/numbers/import")
def paste_blocks(
    request: Request, asking: Managing, wanted: Annotated[Filled[PastedTable], form(PastedTable)]
) -> Response:
    """Take in rows that were pasted."""
    asking.allow(MayManageNumbers(asking.caller.operator or ""))
    if wanted.value is None:
        return _numbers(request, asking, context=wanted.again(), status=422)
    return _imported(request, asking, wanted.value.stream(), "pasted.csv")


@router.post("/desk/numbers/file")
def import_blocks(
    request: Request, asking: Managing, upload: Annotated[Upload, TABLE_FILE.received()]
) -> Response:
    """Take in a file: operator, first, last, kind, excluded."""
    asking.allow(MayManageNumbers(asking.caller.operator or ""))
    path = upload.file("table")
    with path.open("rb") as stream:
        return _imported(request, asking, stream, table_name(path))


@router.post("/desk/numbers/where")
def find_number(
    request: Request, asking: Reading, wanted: Annotated[Filled[NumberForm], form(NumberForm)]
) -> Response:
    """Say where a number stands; the number stands in no address."""
    operator = asking.caller.operator
    asking.allow(MayReadNumbers(operator or ""))
    platform = platform_of(request)
    if wanted.value is None:
        return _numbers(request, asking, context=wanted.again(), status=422)
    try:
        number = platform.registration_policy.read_number(wanted.value.number)
    except ShimingError as problem:
        mistakes = {"number": problem.text.in_language(language_of(request))}
        return _numbers(
            request, asking, context={"mistakes": mistakes, "entered": wanted.entered}, status=422
        )
    now = platform.clock.now()
    with reading(platform.engine) as connection:
        facts = numbers.number_facts(connection, number)
    state = state_of(facts, now)
    foreign = operator not in {None, facts.operator}
    found = {
        "number": number.masked(),
        "state": word(NumberState.OUTSIDE if foreign else state),
        "tone": "" if foreign else _TONES.get(state, ""),
        "facts": None if foreign else facts,
        "held": state in {NumberState.RESERVED, NumberState.QUARANTINE} and not foreign,
    }
    return _numbers(request, asking, context={"found": found})


def _imported(request: Request, asking: Asking, stream: BinaryIO, name: str) -> Response:
    platform = platform_of(request)
    reports: list[ImportReport] = []

    def work() -> None:
        reports.append(
            number_blocks.import_blocks(
                platform.registrations,
                platform.engine,
                stream,
                name,
                operator=asking.caller.operator,
                regions=platform.registration_policy.number_regions,
                now=platform.clock.now(),
                policy=rules_of(platform),
            )
        )

    if refused := tried(work):
        return _numbers(request, asking, context={"refused": refused}, status=400)
    return _numbers(request, asking, context=report_shown(reports[0], language_of(request)))


def report_shown(report: ImportReport, language: str) -> dict[str, object]:
    """Return what a page says of an import."""
    return {"report": report, "bad_rows": BAD_ROWS.view(bad_rows_of(report), TableAsked(), language)}


def _numbers(
    request: Request, asking: Asking, *, context: dict[str, object] | None = None, status: int = 200
) -> Response:
    operator = asking.caller.operator
    manages = asking.gatekeeper.allow(asking.caller, MayManageNumbers(operator or ""))
    facts: dict[str, object] = {
        "manages": manages,
        "own_operator": operator,
        "reads": asking.gatekeeper.allow(asking.caller, MayReadNumbers(operator or "")),
        "kinds": options(LineKind),
        "refused": None,
        "found": None,
        "report": None,
        "bad_rows": None,
        **(context or {}),
    }
    rows: Gathered[NumberBlock] = _blocks(request, operator) if manages else Gathered(())
    if request.method == "GET":
        return table_page(request, asking, "desk/numbers.html", Shown(TABLE, rows), facts)
    facts["table"] = TABLE.view(rows, TableAsked(), language_of(request))
    return desk_page(request, asking, "desk/numbers.html", facts, status=status)


def _blocks(request: Request, operator: str | None) -> Gathered[NumberBlock]:
    engine = platform_of(request).engine

    def fetch(after: str | None, limit: int) -> tuple[NumberBlock, ...]:
        with reading(engine) as connection:
            return numbers.list_blocks(connection, operator, after=after, limit=limit)

    return gather(fetch, lambda block: block.block_id)
