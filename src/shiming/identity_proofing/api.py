"""Proofing sessions over HTTP: open, have a challenge drawn, hand evidence in, have it decided, read.

POST /v1/proofing-sessions                       what is applied for
POST /v1/proofing-sessions/{session}/challenges  a challenge, used once, for a short time
PUT  /v1/proofing-sessions/{session}/document    front and back, multipart
PUT  /v1/proofing-sessions/{session}/clip        the live clip and the challenge it answers, multipart
PUT  /v1/proofing-sessions/{session}/digits      a recording or the digits tapped, multipart
POST /v1/proofing-sessions/{session}/uploads     what may be interrupted, in chunks (api_uploads)
POST /v1/proofing-sessions/{session}/reviews     what a member of staff saw
PUT  /v1/proofing-sessions/{session}/referee     who vouches for the applicant
POST /v1/proofing-sessions/{session}/decision    Verified, NotVerified, NeedsReview or Retry, and why
GET  /v1/proofing-sessions/{session}             how it stands
GET  /v1/proofing-sessions/{session}/receipt     the signed decision receipt
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.identity_proofing.api_platform import (
    desk_of,
    platform_of,
    reference_of,
    status_of,
    version_of,
)
from shiming.identity_proofing.api_schemas import (
    ChallengeDocument,
    DecisionShown,
    NamedReferee,
    NewChallenge,
    NewReview,
    NewSession,
    SessionShown,
    shown,
    shown_decision,
)
from shiming.identity_proofing.api_steps import (
    DIGITS,
    DOCUMENT,
    LIVE_CLIP,
    hand_in_clip,
    hand_in_digits,
    hand_in_document,
)
from shiming.identity_proofing.api_uploads import add_upload_routes
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.evidence import StaffReview
from shiming.identity_proofing.permissions import (
    MayConductSession,
    MayDecideSession,
    MayReadReceipt,
    MayReadSession,
    MayReviewSession,
)
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases import challenges, stepwise, vouching
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.identity_proofing.use_cases.reviewing import reviewer_of
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/proofing-sessions", tags=["proofing sessions"])


SessionId = Annotated[
    str, Path(description="Reference of the session.", max_length=40, examples=["SES-0082-0C20-A1G7-D"])
]
Conducting = Annotated[Asking, asked(MayConductSession)]
Deciding = Annotated[Asking, asked(MayDecideSession)]
_GONE_ON = problem_responses(404, 409)


def _conducting(request: Request, session: SessionId, asking: Conducting) -> Desk:
    """Answer the question of a session before anything of an upload is read."""
    desk = desk_of(request)
    asking.allow(MayConductSession(status_of(desk, platform_of(request), session).operator))
    return desk


ReadyDesk = Annotated[Desk, Depends(_conducting)]


def _conducted_session(request: Request, session: SessionId, asking: Conducting) -> str:
    """Answer the question of a session whose uploads are asked for; return its reference."""
    _conducting(request, session, asking)
    return reference_of(session)


add_upload_routes(router, "/{session}", _conducted_session)


@router.post("", status_code=201, response_model=SessionShown, responses=problem_responses(409))
def open_session(
    request: Request,
    wanted: NewSession,
    asking: Conducting,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Open a session for one applicant."""
    operator = wanted.operator or asking.caller.operator or ""
    asking.allow(MayConductSession(operator))
    desk, platform = desk_of(request), platform_of(request)
    policy = platform.policy(wanted.pack, desk.on)
    application = Application(wanted.channel, wanted.route, wanted.category, operator or None)

    def work(connection: Connection) -> Answer:
        session = challenges.open_session(desk.tools, connection, application, policy)
        body = shown(stepwise.session_status(desk, connection, session.id))
        location = f"{router.prefix}/{session.id}"
        return Answer.of(201, body, location=location, etag=version_of(body))

    wanted_hash = hash_of(request, wanted)
    client = asking.caller.reference
    return idempotent(platform.engine, client, key, wanted_hash, work, now=platform.clock.now())


@router.post("/{session}/challenges", status_code=201, response_model=ChallengeDocument, responses=_GONE_ON)
def draw_challenge(
    request: Request,
    session: SessionId,
    wanted: NewChallenge,
    asking: Conducting,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Draw a challenge: gestures in their order, digits to read or tap, and how long it lives."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayConductSession(status.operator))
    policy = platform.policy(status.session.pack_id, desk.on)
    application = Application(
        status.session.channel,
        wanted.route or status.session.route,
        status.session.subject,
        status.operator or None,
    )

    def work(connection: Connection) -> Answer:
        going_on = challenges.session_for_challenge(
            desk.tools, connection, application, policy, status.session.id
        )
        drawn = challenges.give_challenge(desk.tools, connection, going_on, policy, wanted.language)
        return Answer.of(201, ChallengeDocument.model_validate(challenge_document(drawn)))

    wanted_hash = hash_of(request, wanted)
    client = asking.caller.reference
    return idempotent(platform.engine, client, key, wanted_hash, work, now=platform.clock.now())


@router.put(
    "/{session}/document", response_model=SessionShown, responses=_GONE_ON,
    openapi_extra=DOCUMENT.openapi_extra(),
)  # fmt: skip
def take_document(
    request: Request, session: SessionId, desk: ReadyDesk, upload: Annotated[Upload, DOCUMENT.received()]
) -> Response:
    """Hand in photos of the document; the same files again change nothing."""
    hand_in_document(request, desk, reference_of(session), upload)
    return _answer(request, desk, session)


@router.put(
    "/{session}/clip", response_model=SessionShown, responses=_GONE_ON,
    openapi_extra=LIVE_CLIP.openapi_extra(),
)  # fmt: skip
def take_clip(
    request: Request, session: SessionId, desk: ReadyDesk, upload: Annotated[Upload, LIVE_CLIP.received()]
) -> Response:
    """Hand in the live clip with the challenge that it answers.

    `digits_in`: `clip` (default) when the digits are spoken in the clip, `other` when they come apart.
    """
    hand_in_clip(request, desk, reference_of(session), upload)
    return _answer(request, desk, session)


@router.put(
    "/{session}/digits", response_model=SessionShown, responses=_GONE_ON,
    openapi_extra=DIGITS.openapi_extra(),
)  # fmt: skip
def take_digits(
    request: Request, session: SessionId, desk: ReadyDesk, upload: Annotated[Upload, DIGITS.received()]
) -> Response:
    """Hand in a recording of the digits, or the digits as tapped."""
    hand_in_digits(request, desk, reference_of(session), upload)
    return _answer(request, desk, session)


@router.post("/{session}/reviews", status_code=201, response_model=SessionShown, responses=_GONE_ON)
def add_review(request: Request, session: SessionId, wanted: NewReview, asking: Deciding) -> Response:
    """Record what the member of staff who calls found by eye; the same one again replaces their finding."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayDecideSession(status.operator))
    if asking.caller.kind != "staff":
        raise refused("STAFF_ONLY")
    staff = reviewer_of(asking.caller.person_key)
    review = StaffReview(staff, wanted.same_person, wanted.document_genuine, platform.clock.now())
    stepwise.add_review(desk, status.session.id, review)
    return _answer(request, desk, session, status_code=201)


@router.put("/{session}/referee", response_model=SessionShown, responses=_GONE_ON)
def name_referee(
    request: Request,
    session: SessionId,
    wanted: NamedReferee,
    asking: Annotated[Asking, asked(MayReviewSession)],
) -> Response:
    """Name who vouches for the applicant, proven in a session of their own; again changes nothing."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayReviewSession(status.operator))
    if asking.caller.kind != "staff":
        raise refused("STAFF_ONLY")
    named_by, referee = reviewer_of(asking.caller.person_key), reference_of(wanted.session)
    transact(
        platform.engine,
        lambda connection: vouching.name_referee(
            desk, connection, status.session.id, referee, named_by=named_by
        ),
    )
    return _answer(request, desk, session)


@router.post("/{session}/decision", response_model=DecisionShown, responses=problem_responses(404, 409, 412))
def decide(
    request: Request,
    session: SessionId,
    asking: Deciding,
    if_match: Annotated[
        str | None, Header(max_length=200, description="Decide only on what was read (ETag).")
    ] = None,
) -> Response:
    """Ask the authority and decide on what was handed in."""
    desk, platform = desk_of(request, authority=request.app.state.authority), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayDecideSession(status.operator))
    if if_match is not None:
        require_version(if_match, version_of(shown(status)))
    with request.app.state.spool.room() as room:
        decided = stepwise.decide(desk, status.session.id, room)
    body = shown_decision(decided.receipt, decided.session)
    return Response(body.model_dump_json(), 200, media_type="application/json")


@router.get("/{session}", response_model=SessionShown, responses=problem_responses(404))
def read_session(
    request: Request, session: SessionId, asking: Annotated[Asking, asked(MayReadSession)]
) -> Response:
    """Return how a session stands: attempts, what was seen of the challenge, and the latest decision."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayReadSession(status.operator))
    return _answer(request, desk, session)


@router.get("/{session}/receipt", responses=problem_responses(404))
def read_receipt(
    request: Request, session: SessionId, asking: Annotated[Asking, asked(MayReadReceipt)]
) -> dict[str, Any]:
    """Return the signed receipt of the latest decision; it names nobody."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayReadReceipt(status.operator))
    if status.decided.receipt is None:
        raise BadInput(
            "RECEIPT_UNKNOWN",
            Text(zh="尚未作出决定。", en="Nothing has been decided in this session yet."),
            Text(zh="请先请求决定。", en="Ask for the decision first."),
        )
    return dict(status.decided.receipt)


def _answer(request: Request, desk: Desk, session: str, *, status_code: int = 200) -> Response:
    body = shown(status_of(desk, platform_of(request), session))
    version = version_of(body)
    if request.method == "GET" and version in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": version})
    return Response(
        body.model_dump_json(), status_code, headers={"etag": version}, media_type="application/json"
    )
