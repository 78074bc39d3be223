"""The number pool over HTTP.

POST   /v1/number-blocks                  a range, or an exclusion
GET    /v1/number-blocks?operator=
POST   /v1/number-blocks/imports          a CSV or XLSX of ranges, with a report of bad rows
GET    /v1/numbers/free?operator=         from a place that chance chooses, by kind and ending digits
GET    /v1/numbers/{number}?operator=     where a number stands
POST   /v1/numbers/{number}/reservation   keep it for a session or an organisation
DELETE /v1/numbers/{number}/reservation   let it go
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged, write_cursor
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.line_platform import (
    TABLE_FORM,
    NumberPath,
    line_platform,
    read_number,
    refused,
    rules_of,
    table_name,
)
from shiming.registrations.api.number_schemas import (
    Blocks,
    BlockShown,
    BlockWanted,
    FreeNumbersShown,
    ImportShown,
    NumberShown,
    ReservationShown,
    ReservationWanted,
    block_shown,
    number_shown,
    reservation_shown,
)
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberNotGiven, NumberState
from shiming.registrations.permissions.numbers import MayManageNumbers, MayReadNumbers, MayReserveNumber
from shiming.registrations.rules.number_pool import state_of
from shiming.registrations.use_cases import free_numbers, number_blocks, numbers
from shiming.registrations.use_cases.free_numbers import NumbersWanted, Place
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1", tags=["numbers"])

_BLOCKS, _FREE = "number-blocks", "free-numbers"
Key = Annotated[str | None, idempotency_key()]
Managing = Annotated[Asking, asked(MayManageNumbers)]
Reserving = Annotated[Asking, asked(MayReserveNumber)]
Reading = Annotated[Asking, asked(MayReadNumbers)]
OperatorAsked = Annotated[str, Query(max_length=32, description="Code of the operator.")]
OperatorFilter = Annotated[str | None, Query(max_length=32, description="Code of the operator; the own one.")]


@router.post("/number-blocks", status_code=201, response_model=BlockShown, responses=problem_responses(409))
def add_block(request: Request, wanted: BlockWanted, asking: Managing, key: Key) -> Response:
    """Add a range to the pool, or take one out for good. Refused with BLOCK_REFUSED."""
    asking.allow(MayManageNumbers(wanted.operator))
    platform = line_platform(request)
    policy, now = rules_of(platform), platform.clock.now()
    new = number_blocks.read_block(
        wanted.operator, wanted.first, wanted.last, wanted.kind, excluded=wanted.excluded
    )
    plan = platform.registration_policy
    number_blocks.require_plan(new.range, plan.number_regions, also=plan.number_series)

    def work(connection: Connection) -> Answer:
        outcome = number_blocks.add_block(platform.registrations, connection, new, now=now, policy=policy)
        if isinstance(outcome, NumberNotGiven):
            text = Text(zh="该号段不能入池。", en="The range cannot be taken into the pool.")
            raise refused("BLOCK_REFUSED", text, outcome.refusals)
        return Answer.of(201, block_shown(outcome.block), location=f"{router.prefix}/number-blocks")

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=now)


@router.get("/number-blocks", response_model=Blocks)
def list_blocks(
    request: Request,
    asking: Managing,
    page: Annotated[PageAsked, paged(_BLOCKS)],
    operator: OperatorFilter = None,
) -> dict[str, Any]:
    """List ranges and exclusions in the order of their references, of one operator or of all."""
    of = operator or asking.caller.operator
    asking.allow(MayManageNumbers(of or ""))
    match page.after:
        case None:
            after = None
        case (str(reference),):
            after = reference
        case _:
            raise _cursor_refused()
    with reading(line_platform(request).engine) as connection:
        found = numbers.list_blocks(connection, of, after=after, limit=page.size + 1)
    return page.listing([block_shown(block) for block in found], key=lambda block: (block.id,))


@router.post("/number-blocks/imports", response_model=ImportShown, openapi_extra=TABLE_FORM.openapi_extra())
def import_blocks(
    request: Request, asking: Managing, upload: Annotated[Upload, TABLE_FORM.received()]
) -> dict[str, Any]:
    """Take in a table: operator, first, last, kind, excluded; the same one again changes nothing."""
    asking.allow(MayManageNumbers(asking.caller.operator or ""))
    platform = line_platform(request)
    path = upload.file("table")
    with path.open("rb") as stream:
        report = number_blocks.import_blocks(
            platform.registrations,
            platform.engine,
            stream,
            table_name(path),
            operator=asking.caller.operator,
            regions=platform.registration_policy.number_regions,
            now=platform.clock.now(),
            policy=rules_of(platform),
        )
    return report.to_json()


async def _wanted(  # async: a thread would cost more than the work
    operator: OperatorAsked,
    kind: LineKind | None = None,
    ending: Annotated[str, Query(max_length=8, pattern="^[0-9]*$", description="Last digits.")] = "",
    block: Annotated[str | None, Query(max_length=40, description="Only in this range.")] = None,
) -> NumbersWanted:
    return NumbersWanted.parse(operator, kind, ending, block)


@router.get("/numbers/free", response_model=FreeNumbersShown)
def find_free(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged(_FREE)],
    wanted: Annotated[NumbersWanted, Depends(_wanted)],
) -> dict[str, Any]:
    """Find free numbers; a page may be shorter than asked and still have a next one."""
    asking.allow(MayReadNumbers(wanted.operator))
    platform = line_platform(request)
    with reading(platform.engine) as connection:
        found = free_numbers.find_free(
            platform.registrations,
            connection,
            wanted,
            place=_place(page),
            limit=page.size,
            now=platform.clock.now(),
        )
    shown = [number.reveal("shown to who chooses") for number in found.numbers]
    return {"items": shown, "next": None if found.next is None else _cursor(found.next)}


@router.get("/numbers/{number}", response_model=NumberShown, responses=problem_responses(404))
def read(request: Request, number: NumberPath, asking: Reading, operator: OperatorFilter = None) -> Any:
    """Say where a number of the operator's pool stands."""
    of = operator or asking.caller.operator
    asking.allow(MayReadNumbers(of or ""))
    platform = line_platform(request)
    wanted, now = read_number(platform, number), platform.clock.now()
    with reading(platform.engine) as connection:
        facts = numbers.number_facts(connection, wanted)
    if state_of(facts, now) is NumberState.OUTSIDE or of not in {None, facts.operator}:
        raise _number_unknown()
    return number_shown(wanted.reveal("shown to who named it"), facts, now)


@router.post(
    "/numbers/{number}/reservation",
    status_code=201,
    response_model=ReservationShown,
    responses=problem_responses(409),
)
def reserve(
    request: Request, number: NumberPath, wanted: ReservationWanted, asking: Reserving, key: Key
) -> Response:
    """Keep a number for a session or an organisation. Refused with NUMBER_REFUSED."""
    asking.allow(MayReserveNumber(wanted.operator))
    platform = line_platform(request)
    policy, now = rules_of(platform), platform.clock.now()
    chosen = read_number(platform, number)

    def work(connection: Connection) -> Answer:
        outcome = numbers.reserve_number(
            platform.registrations,
            connection,
            chosen,
            operator=wanted.operator,
            held_for=wanted.held_for,
            now=now,
            policy=policy,
        )
        if isinstance(outcome, NumberNotGiven):
            text = Text(zh="该号码不能预留。", en="This number cannot be kept.")
            raise refused("NUMBER_REFUSED", text, outcome.refusals)
        return Answer.of(201, reservation_shown(outcome))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=now)


@router.delete("/numbers/{number}/reservation", status_code=204, responses=problem_responses(404))
def release(
    request: Request,
    number: NumberPath,
    asking: Reserving,
    operator: OperatorAsked,
    held_for: Annotated[str, Query(max_length=64, description="For whom it was kept.")],
) -> None:
    """Keep a number no longer."""
    asking.allow(MayReserveNumber(operator))
    platform = line_platform(request)
    chosen, now = read_number(platform, number), platform.clock.now()

    def work(connection: Connection) -> bool:
        return numbers.release_number(
            platform.registrations, connection, chosen, operator=operator, held_for=held_for, now=now
        )

    if not transact(platform.engine, work):
        raise BadInput(
            "RESERVATION_UNKNOWN",
            Text(zh="没有这样的预留。", en="The number is not kept for this one."),
            Text(zh="请核对号码和预留对象。", en="Compare the number, and for whom it was kept."),
        )


def _cursor(place: Place) -> str:
    number = place.number or ""
    return write_cursor(
        _FREE, (int(place.wrapped), f"{place.began_block} {place.began}", place.block, number)
    )


def _place(page: PageAsked) -> Place | None:
    match page.after:
        case None:
            return None
        case (int(wrapped), str(began), str(block), str(number)) if began.count(" ") == 1:
            began_block, _, began_number = began.partition(" ")
            ends = (began_block, began_number, block, *([number] if number else []))
            if all(end.startswith("+") and end[1:].isascii() and end[1:].isdigit() for end in ends):
                return Place(began_block, began_number, block, number or None, bool(wrapped))
    raise _cursor_refused()


def _cursor_refused() -> BadInput:
    return BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _number_unknown() -> BadInput:
    return BadInput(
        "NUMBER_UNKNOWN",
        Text(zh="号码池中没有该号码。", en="The pool has no such number."),
        Text(zh="请核对号码。", en="Compare the number."),
    )
