"""What a card reader and the page beside it say to each other, through the session.

PUT  /v1/proofing-sessions/{session}/reader         the counter wants a reading of this device
GET  /v1/capture-devices/{device}/session           the device asks which session wants it
POST /v1/proofing-sessions/{session}/reader-state   the device says what it does
POST /v1/proofing-sessions/{session}/card-reading   the device hands a reading in
GET  /v1/proofing-sessions/{session}/card-reading   the page shows what was read, masked
GET  /v1/proofing-sessions/{session}/reader-events  the page follows the reader (Server-Sent Events)

A device has no account: the signature of its key over each request is its credential (`device_proofs`).
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from shiming.accounts.model import CaptureDevice
from shiming.identity_proofing import reader_states
from shiming.identity_proofing.api_devices import require_operator, vouched
from shiming.identity_proofing.api_platform import desk_of, platform_of, reference_of, status_of
from shiming.identity_proofing.api_schemas import SessionShown, shown
from shiming.identity_proofing.card_reading_schemas import (
    SANDBOX,
    CardShown,
    ReadingWanted,
    SessionForReader,
    StateTold,
    WantedReader,
)
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.identity_proofing.permissions import MayConductSession, MayReadSession
from shiming.identity_proofing.reader_events import MEDIA_TYPE, ReaderStreams, reader_events
from shiming.identity_proofing.reader_states import Told
from shiming.identity_proofing.use_cases.card_reading import show_reading, take_card_reading
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.device_proofs import body_hash
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.language import language_of
from shiming.infrastructure.http.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["card readers"])

_BY_DEVICE = open_to_all("an enrolled device signs the request; its signature is its credential")
_STREAMS = ReaderStreams()
SessionId = Annotated[
    str, Path(description="Reference of the session.", max_length=40, examples=["SES-0082-0C20-A1G7-D"])
]
Conducting = Annotated[Asking, asked(MayConductSession)]
Watching = Annotated[Asking, asked(MayReadSession)]


@router.put("/proofing-sessions/{session}/reader", status_code=204, responses=problem_responses(404, 409))
def want_reader(request: Request, session: SessionId, wanted: WantedReader, asking: Conducting) -> Response:
    """Ask a device for a reading of the card in this session."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayConductSession(status.operator))
    told = Told(ReaderState.WANTED, device=wanted.device)
    now = platform.clock.now()
    transact(platform.engine, lambda connection: reader_states.tell(connection, status.session.id, told, now))
    return Response(status_code=204)


@router.get("/capture-devices/self/session", responses=problem_responses(401, 403), dependencies=[_BY_DEVICE])
async def session_of_reader(request: Request) -> SessionForReader:
    """Tell a device which session wants a reading of it; none: nobody waits."""

    def find() -> SessionForReader:
        device = vouched(request, body_hash(b"")).reference
        platform = platform_of(request)
        with reading(platform.engine) as connection:
            found = reader_states.session_wanting(connection, device, platform.clock.now())
        return SessionForReader(session=found)

    return await run_in_threadpool(find)


@router.post(
    "/proofing-sessions/{session}/reader-state",
    status_code=204,
    responses=problem_responses(401, 403, 404),
    dependencies=[_BY_DEVICE],
)
async def tell_state(request: Request, session: SessionId, told: StateTold) -> Response:
    """Say what the reader of this session does; the page beside it shows it at once."""

    def tell(device: CaptureDevice, session_id: str) -> Response:
        platform = platform_of(request)
        state = Told(told.state, told.code, device.reference)
        now = platform.clock.now()
        transact(platform.engine, lambda connection: reader_states.tell(connection, session_id, state, now))
        return Response(status_code=204)

    return await _by_device(request, session, tell)


@router.post(
    "/proofing-sessions/{session}/card-reading",
    response_model=SessionShown,
    responses=problem_responses(401, 403, 404, 409),
    dependencies=[_BY_DEVICE],
)
async def take_reading(request: Request, session: SessionId, wanted: ReadingWanted) -> Response:
    """Take a reading of the card in; the same card again changes nothing."""

    def take(device: CaptureDevice, session_id: str) -> Response:
        desk, platform = desk_of(request), platform_of(request)
        if SANDBOX in (wanted.decoder, wanted.source) and not request.app.state.platform.settings.sandbox:
            raise refused("SANDBOX_READING_REFUSED")
        take_card_reading(desk, session_id, wanted.reading(), device.reference)
        body = shown(status_of(desk, platform, session_id))
        return Response(body.model_dump_json(), 200, media_type="application/json")

    return await _by_device(request, session, take)


@router.get("/proofing-sessions/{session}/card-reading", responses=problem_responses(404))
def show_card(request: Request, session: SessionId, asking: Conducting) -> CardShown:
    """Return what was read from the card, masked."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayConductSession(status.operator))
    return CardShown.of(show_reading(desk, status.session.id))


@router.get(
    "/proofing-sessions/{session}/reader-events",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}, **problem_responses(404, 503)},
)
async def follow_reader(request: Request, session: SessionId, asking: Watching) -> StreamingResponse:
    """Follow the reader of a session: an event at each change, until the page goes or minutes are over."""
    platform = platform_of(request)

    def known() -> str:
        status = status_of(desk_of(request), platform, session)
        asking.allow(MayReadSession(status.operator))
        return status.session.id

    session_id = await run_in_threadpool(known)

    def look() -> reader_states.Known | None:
        with reading(platform.engine) as connection:
            return reader_states.find_state(connection, session_id)

    _STREAMS.enter()
    events = reader_events(look, language=language_of(request), streams=_STREAMS)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type=MEDIA_TYPE, headers=headers)


async def _by_device(
    request: Request, session: str, work: Callable[[CaptureDevice, str], Response]
) -> Response:
    """Run work for the enrolled device that signed this request, in a session of its operator."""
    body = await request.body()

    def checked() -> Response:
        device = vouched(request, body_hash(body))
        status = status_of(desk_of(request), platform_of(request), reference_of(session))
        require_operator(device, status.operator)
        return work(device, status.session.id)

    return await run_in_threadpool(checked)
