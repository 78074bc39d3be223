"""The steps of a proof by an actual user's link: the same as those of staff, on the link's own session only.

POST /v1/actual-user-links/{token}/challenges
PUT  /v1/actual-user-links/{token}/document    and /clip, /digits: multipart, as for proofing sessions
POST /v1/actual-user-links/{token}/decision    decides; when it is Verified the line gets its user

Nobody signs in: the token is exchanged for its session at every step, and names no other.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.identity_proofing.api import DIGITS, DOCUMENT, LIVE_CLIP
from shiming.identity_proofing.api_platform import desk_of as proofing_desk
from shiming.identity_proofing.api_platform import platform_of, status_of
from shiming.identity_proofing.api_schemas import (
    ChallengeDocument,
    DecisionShown,
    NewChallenge,
    SessionShown,
    parse_challenge_part,
    shown,
    shown_decision,
)
from shiming.identity_proofing.errors import refused as proofing_refused
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.model.decision import Verified
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases import challenges, stepwise
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.actual_user_links import WHY_OPEN, Token
from shiming.registrations.api.enterprise_lines import refused
from shiming.registrations.api.organisation_platform import desk_of, enterprise_platform
from shiming.registrations.model.enterprise_lines import EnterpriseRefused
from shiming.registrations.use_cases import actual_user_links

router = APIRouter(prefix="/v1/actual-user-links", tags=["actual users"])
_GATE = open_to_all(WHY_OPEN)
_GONE_ON = problem_responses(404, 409)


def _session(request: Request, token: Token) -> str:
    """Exchange the token for its session, before anything of an upload is read."""
    platform = enterprise_platform(request)
    with reading(platform.engine) as connection:
        link = actual_user_links.session_of_link(desk_of(platform), connection, token)
    if isinstance(link, EnterpriseRefused):
        raise refused(link)
    if link.session_id is None:
        raise proofing_refused("STEP_OUT_OF_ORDER")  # the session is opened by the user's yes
    return link.session_id


@router.post(
    "/{token}/challenges",
    status_code=201,
    response_model=ChallengeDocument,
    responses=_GONE_ON,
    dependencies=[_GATE],
)
def draw_challenge(request: Request, session: Annotated[str, Depends(_session)], wanted: NewChallenge) -> Any:
    """Draw a challenge for the session of a link."""
    desk, platform = proofing_desk(request), platform_of(request)
    status = status_of(desk, platform, session)
    policy = platform.policy(status.session.pack_id, desk.on)
    route = wanted.route or status.session.route
    application = Application(status.session.channel, route, status.session.subject, status.operator or None)

    def work(connection: Connection) -> Any:
        going_on = challenges.session_for_challenge(desk.tools, connection, application, policy, session)
        drawn = challenges.give_challenge(desk.tools, connection, going_on, policy, wanted.language)
        return challenge_document(drawn)

    return transact(platform.engine, work)


@router.put(
    "/{token}/document", responses=_GONE_ON, dependencies=[_GATE],
    openapi_extra=DOCUMENT.openapi_extra(),
)  # fmt: skip
def take_document(
    request: Request,
    session: Annotated[str, Depends(_session)],
    upload: Annotated[Upload, DOCUMENT.received()],
) -> SessionShown:
    """Hand in photos of the document."""
    desk = proofing_desk(request)
    declared = DeclaredIdentity(upload.texts.get("declared_name"), upload.texts.get("declared_number"))
    with request.app.state.heavy_work.turn():
        stepwise.take_document(desk, session, upload.file("front"), upload.files.get("back"), declared)
    return _answer(request, desk, session)


@router.put(
    "/{token}/clip", responses=_GONE_ON, dependencies=[_GATE],
    openapi_extra=LIVE_CLIP.openapi_extra(),
)  # fmt: skip
def take_clip(
    request: Request,
    session: Annotated[str, Depends(_session)],
    upload: Annotated[Upload, LIVE_CLIP.received()],
) -> SessionShown:
    """Hand in the live clip with the challenge that it answers."""
    desk = proofing_desk(request)
    challenge = parse_challenge_part(upload.texts["challenge"])
    in_clip = upload.texts.get("digits_in", "clip") == "clip"
    with request.app.state.heavy_work.turn():
        stepwise.take_clip(desk, session, upload.file("clip"), challenge, digits_spoken_in_clip=in_clip)
    return _answer(request, desk, session)


@router.put(
    "/{token}/digits", responses=_GONE_ON, dependencies=[_GATE],
    openapi_extra=DIGITS.openapi_extra(),
)  # fmt: skip
def take_digits(
    request: Request,
    session: Annotated[str, Depends(_session)],
    upload: Annotated[Upload, DIGITS.received()],
) -> SessionShown:
    """Hand in a recording of the digits, or the digits as tapped."""
    desk = proofing_desk(request)
    audio, tapped = upload.files.get("audio"), upload.texts.get("tapped")
    if (audio is None) == (tapped is None):
        raise proofing_refused("DIGITS_FORM")
    challenge = parse_challenge_part(upload.texts["challenge"])
    with request.app.state.heavy_work.turn():
        stepwise.take_digits(desk, session, audio, tapped, challenge)
    return _answer(request, desk, session)


@router.post("/{token}/decision", response_model=DecisionShown, responses=_GONE_ON, dependencies=[_GATE])
def decide(request: Request, token: Token, session: Annotated[str, Depends(_session)]) -> Response:
    """Have the session decided; Verified registers the line, or says why it cannot be registered."""
    desk = proofing_desk(request, authority=request.app.state.authority)
    platform = enterprise_platform(request)
    with request.app.state.spool.room() as room, request.app.state.heavy_work.turn():
        decided = stepwise.decide(desk, session, room)
    if isinstance(decided.adjudication.decision, Verified):
        settled = transact(
            platform.engine,
            lambda connection: actual_user_links.settle_link(
                desk_of(platform), connection, token, registration=platform.registration_policy
            ),
        )
        if isinstance(settled, EnterpriseRefused):
            raise refused(settled)
    body = shown_decision(decided.receipt, decided.session)
    return Response(body.model_dump_json(), 200, media_type="application/json")


def _answer(request: Request, desk: Desk, session: str) -> SessionShown:
    return shown(status_of(desk, platform_of(request), session))
