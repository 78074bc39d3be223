"""Changes of lines that exist, over HTTP. The order of the session (`POST /v1/orders`) says what is wanted.

POST /v1/transfers/holder-changes           two proofs, one line
POST /v1/transfers/sim-replacements         the card of the order; SMS is barred for a while
POST /v1/transfers/moves                    the address of the order
GET  /v1/transfers/lines/{line}/acts        the history of a line; it only grows
GET  /v1/transfers/lines/{line}/acts/{act}/receipt
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import idempotency_key
from shiming.infrastructure.http.page import Listing
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.use_cases.holding import find_act_receipt, list_acts
from shiming.transfers.api.transfer_platform import (
    LineId,
    LineReference,
    PlainReference,
    SessionReference,
    done_once,
    line_of,
    platform_of,
    rules_of,
)
from shiming.transfers.model.change_of_holder import ChangeHolder, HolderChanged
from shiming.transfers.model.moves import LineMoved
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.sim_replacement import SimReplaced
from shiming.transfers.permissions.transfers import MayReadTransfer, MayTransfer
from shiming.transfers.use_cases.change_of_holder import transfer_line
from shiming.transfers.use_cases.deciding import ask_standing
from shiming.transfers.use_cases.moves import move_line
from shiming.transfers.use_cases.sim_replacement import replace_sim_of_line
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Transferring = Annotated[Asking, asked(MayTransfer)]
Reading = Annotated[Asking, asked(MayReadTransfer)]
Key = Annotated[str | None, idempotency_key()]
_REFUSALS = problem_responses(404, 409)


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewHolderChange(_Wanted):
    """Whose line goes to whom, by two proofs. `attestation`: what staff looked at, if billing cannot say."""

    line: LineReference
    giver_session: SessionReference
    receiver_session: SessionReference
    form_evidence: PlainReference | None = None
    attestation: PlainReference | None = None


class NewChange(_Wanted):
    """Which line, by which proof; what is wanted stands in the order of the session."""

    line: LineReference
    session: SessionReference


class ActDone(BaseModel):
    """An act of a line, with its signed receipt."""

    line: str
    act: int
    receipt: dict[str, Any]


class SimReplacementDone(ActDone):
    """A new SIM; until when SMS is barred."""

    swapped_at: datetime
    sms_barred_until: datetime | None


class ActShown(BaseModel):
    """One act of a line's history."""

    act: int
    kind: str
    session: str
    at: datetime


class Acts(Listing):
    """The history of a line, oldest first."""

    items: list[ActShown]


@router.post("/holder-changes", status_code=201, response_model=ActDone, responses=_REFUSALS)
def change_holder(request: Request, wanted: NewHolderChange, asking: Transferring, key: Key) -> Response:
    """Hand a line over; refused with TRANSFER_REFUSED and every reason in `details.reasons`."""
    line, platform = line_of(request, asking, wanted.line, MayTransfer), platform_of(request)
    tools, now = platform.transfers, platform.clock.now()
    standing = ask_standing(tools, platform.engine, wanted.line, attestation=wanted.attestation)
    command = ChangeHolder(wanted.line, wanted.giver_session, wanted.receiver_session, wanted.form_evidence)

    def work(connection: Connection) -> HolderChanged | TransferRefused:
        policy = rules_of(platform)
        return transfer_line(tools, connection, command, standing=standing, policy=policy, now=now)

    def shown(done: HolderChanged) -> ActDone:
        return ActDone(line=done.line_id, act=done.act, receipt=done.receipt)

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=shown,
        entry="change_of_holder",
        subject=line.line_id,
        operator=line.operator,
    )


@router.post("/sim-replacements", status_code=201, response_model=SimReplacementDone, responses=_REFUSALS)
def replace_sim(request: Request, wanted: NewChange, asking: Transferring, key: Key) -> Response:
    """Put the card of the session's order into the line, after its holder was proven anew."""
    line, platform = line_of(request, asking, wanted.line, MayTransfer), platform_of(request)

    def work(connection: Connection) -> SimReplaced | TransferRefused:
        now, policy = platform.clock.now(), rules_of(platform)
        return replace_sim_of_line(
            platform.transfers, connection, wanted.line, wanted.session, policy=policy, now=now
        )

    def shown(done: SimReplaced) -> SimReplacementDone:
        return SimReplacementDone(
            line=done.line_id,
            act=done.act,
            receipt=done.receipt,
            swapped_at=done.swapped_at,
            sms_barred_until=done.sms_barred_until,
        )

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=shown,
        entry="sim_replacement",
        subject=line.line_id,
        operator=line.operator,
    )


@router.post("/moves", status_code=201, response_model=ActDone, responses=_REFUSALS)
def move(request: Request, wanted: NewChange, asking: Transferring, key: Key) -> Response:
    """Move a fixed or internet line to the address of the session's order."""
    line, platform = line_of(request, asking, wanted.line, MayTransfer), platform_of(request)

    def work(connection: Connection) -> LineMoved | TransferRefused:
        now, policy = platform.clock.now(), rules_of(platform)
        return move_line(platform.transfers, connection, wanted.line, wanted.session, policy=policy, now=now)

    def shown(done: LineMoved) -> ActDone:
        return ActDone(line=done.line_id, act=done.act, receipt=done.receipt)

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=shown,
        entry="move",
        subject=line.line_id,
        operator=line.operator,
    )


@router.get("/lines/{line}/acts", response_model=Acts, responses=problem_responses(404))
def acts(request: Request, line: LineId, asking: Reading) -> dict[str, Any]:
    """List the history of a line: who proved what for it, when."""
    found = line_of(request, asking, line, MayReadTransfer)
    with reading(platform_of(request).engine) as connection:
        history = list_acts(connection, found)
    items = [
        {"act": act.number, "kind": act.kind, "session": act.session_id, "at": act.at} for act in history
    ]
    return {"items": items, "next": None}


@router.get("/lines/{line}/acts/{act}/receipt", responses=problem_responses(404))
def act_receipt(
    request: Request, line: LineId, act: Annotated[int, Path(ge=1, le=10_000)], asking: Reading
) -> dict[str, Any]:
    """Return the signed receipt of one act; it names nobody."""
    found = line_of(request, asking, line, MayReadTransfer)
    platform = platform_of(request)
    with reading(platform.engine) as connection:
        receipt = find_act_receipt(platform.transfers.registrations, connection, found, act)
    if receipt is None:
        raise BadInput(
            "RECEIPT_UNKNOWN",
            Text(zh="没有这份回执。", en="There is no such receipt."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return receipt
