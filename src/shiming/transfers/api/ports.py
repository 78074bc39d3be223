"""Ports out and in, over HTTP.

POST /v1/transfers/ports-out                      a code, shown once; therefore not kept for repeats
GET  /v1/transfers/ports-out/{port}
POST /v1/transfers/ports-out/{port}/completion    with the code; wrong ones are counted
POST /v1/transfers/ports-out/{port}/cancellation
POST /v1/transfers/ports-in                       asks the donor; then the line is registered as any other
GET  /v1/transfers/ports-in/{port}
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import idempotency_key
from shiming.infrastructure.http.problems import problem_responses
from shiming.transfers.api.transfer_platform import (
    LineReference,
    PlainReference,
    SessionReference,
    done,
    done_once,
    line_of,
    platform_of,
    rules_of,
)
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.porting import ConfirmPortIn, PortIn, PortOut, PortState
from shiming.transfers.permissions.transfers import MayReadTransfer, MayTransfer
from shiming.transfers.use_cases import port_out
from shiming.transfers.use_cases.deciding import ask_standing
from shiming.transfers.use_cases.port_in import ask_donor, confirm_port_in, get_port_in
from shiming.vocabulary.msisdn import Msisdn

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

Transferring = Annotated[Asking, asked(MayTransfer)]
Reading = Annotated[Asking, asked(MayReadTransfer)]
PortId = Annotated[str, Path(max_length=40, description="Reference of the port.")]
OperatorCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["north-mobile"])]
_REFUSALS = problem_responses(404, 409)


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPortOut(_Wanted):
    """Which line, by which proof of its holder."""

    line: LineReference
    session: SessionReference
    attestation: PlainReference | None = None


class PortOutCompletion(_Wanted):
    """The code that the holder was given, and which operator takes the number."""

    code: Annotated[str, Field(pattern=r"^[0-9]{4,12}$")]
    recipient: OperatorCode


class NewPortIn(_Wanted):
    """Which number, of which operator, by which authorisation, for the person of which session."""

    operator: OperatorCode
    session: SessionReference
    donor: OperatorCode
    number: Annotated[str, Field(max_length=40, description="E.164.", examples=["+8613800138000"])]
    authorisation: Annotated[str, Field(pattern=r"^[\x21-\x7E]{4,64}$")]


class PortOutShown(BaseModel):
    """A port out, without its code."""

    id: str
    line: str
    operator: str
    state: PortState
    authorised_at: datetime
    expires_at: datetime
    recipient: str | None
    ended_at: datetime | None


class PortOutAuthorised(PortOutShown):
    """A port out with its code, this once."""

    code: str


class PortInShown(BaseModel):
    """A port in: what the donor confirmed, and the line that it became."""

    id: str
    session: str
    operator: str
    donor: str
    donor_reference: str
    state: PortState
    authorised_at: datetime
    expires_at: datetime
    line: str | None
    ended_at: datetime | None


@router.post("/ports-out", status_code=201, responses=_REFUSALS)
def authorise(request: Request, wanted: NewPortOut, asking: Transferring) -> PortOutAuthorised:
    """Give the holder a code to take the number away. It is in this answer and nowhere else."""
    line, platform = line_of(request, asking, wanted.line, MayTransfer), platform_of(request)
    tools, now = platform.transfers, platform.clock.now()
    standing = ask_standing(tools, platform.engine, wanted.line, attestation=wanted.attestation)
    given = done(
        platform,
        lambda connection: port_out.authorise_port_out(
            tools,
            connection,
            wanted.line,
            wanted.session,
            standing=standing,
            policy=rules_of(platform),
            now=now,
        ),
        entry="port_out",
        subject=line.line_id,
        operator=line.operator,
    )
    return PortOutAuthorised(**_out(given.port).model_dump(), code=given.code)


@router.get("/ports-out/{port}", responses=problem_responses(404))
def read_port_out(request: Request, port: PortId, asking: Reading) -> PortOutShown:
    """Return a port out."""
    return _out(_find_out(request, port, asking, MayReadTransfer))


@router.post("/ports-out/{port}/completion", responses=_REFUSALS)
def complete(request: Request, port: PortId, wanted: PortOutCompletion, asking: Transferring) -> PortOutShown:
    """Let the number go: the line ends as ported out. Wrong codes are counted, and soon void it."""
    found, platform = _find_out(request, port, asking, MayTransfer), platform_of(request)
    ended = done(
        platform,
        lambda connection: port_out.complete_port_out(
            platform.transfers,
            connection,
            port,
            wanted.code,
            recipient=wanted.recipient,
            policy=rules_of(platform),
            now=platform.clock.now(),
        ),
        entry="port_out",
        subject=found.line_id,
        operator=found.operator,
        keep=True,
    )
    return _out(ended)


@router.post("/ports-out/{port}/cancellation", responses=_REFUSALS)
def cancel(request: Request, port: PortId, asking: Transferring) -> PortOutShown:
    """Call a port off; its code is void."""
    found, platform = _find_out(request, port, asking, MayTransfer), platform_of(request)
    ended = done(
        platform,
        lambda connection: port_out.cancel_port_out(
            platform.transfers, connection, port, policy=rules_of(platform), now=platform.clock.now()
        ),
        entry="port_out",
        subject=found.line_id,
        operator=found.operator,
    )
    return _out(ended)


@router.post("/ports-in", status_code=201, response_model=PortInShown, responses=problem_responses(409))
def confirm(
    request: Request,
    wanted: NewPortIn,
    asking: Transferring,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Ask the operator that gives the number up, and keep its agreement on the order of the session."""
    asking.allow(MayTransfer(wanted.operator))
    platform = platform_of(request)
    regions = platform.transfers.number_regions
    number = Msisdn.parse(wanted.number, regions[0] if len(regions) == 1 else None)
    command = ConfirmPortIn(wanted.session, wanted.donor, number, wanted.authorisation)
    answer = ask_donor(platform.transfers, command, recipient=wanted.operator)

    def work(connection: Connection) -> PortIn | TransferRefused:
        return confirm_port_in(
            platform.transfers,
            connection,
            command,
            operator=wanted.operator,
            answer=answer,
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    return done_once(
        request,
        asking,
        key,
        wanted,
        work=work,
        shown=_in,
        entry="port_in",
        subject=wanted.session,
        operator=wanted.operator,
    )


@router.get("/ports-in/{port}", responses=problem_responses(404))
def read_port_in(request: Request, port: PortId, asking: Reading) -> PortInShown:
    """Return a port in."""
    asking.allow(MayReadTransfer(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = get_port_in(connection, port)
    if not asking.may(MayReadTransfer(found.operator)):
        raise port_out.port_unknown()
    return _in(found)


def _find_out(
    request: Request, port_id: str, asking: Asking, question: type[MayTransfer | MayReadTransfer]
) -> PortOut:
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = port_out.get_port_out(connection, port_id)
    if not asking.may(question(found.operator)):
        raise port_out.port_unknown()
    return found


def _out(port: PortOut) -> PortOutShown:
    return PortOutShown(
        id=port.port_id,
        line=port.line_id,
        operator=port.operator,
        state=port.state,
        authorised_at=port.authorised_at,
        expires_at=port.expires_at,
        recipient=port.recipient,
        ended_at=port.ended_at,
    )


def _in(port: PortIn) -> PortInShown:
    return PortInShown(
        id=port.port_id,
        session=port.session_id,
        operator=port.operator,
        donor=port.donor,
        donor_reference=port.donor_reference,
        state=port.state,
        authorised_at=port.authorised_at,
        expires_at=port.expires_at,
        line=port.line_id,
        ended_at=port.ended_at,
    )
