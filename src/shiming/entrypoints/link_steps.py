"""The steps of a proof by a link of any kind: the same as those of staff, on its session only.

POST {prefix}/{token}/challenges
PUT  {prefix}/{token}/document   and /clip, /digits: multipart, as for proofing sessions
POST {prefix}/{token}/decision
GET  {prefix}/{token}/proof      how the session stands
     {prefix}/{token}/uploads    what may be interrupted, in chunks (`api_uploads`)

Nobody signs in: the token is exchanged for its session at every step, and names no other.
"""

# ruff: noqa: FAST003 - the token in each path is read by the dependency that exchanges it for the session

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.api_schemas import (
    ChallengeDocument,
    DecisionShown,
    NewChallenge,
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
from shiming.identity_proofing.model.decision import Verified
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases import challenges, stepwise
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload

TOKEN = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105 - how 256 random bits look in base64url
Token = Annotated[str, Path(pattern=TOKEN, description="As it was given out.")]
_GONE_ON = problem_responses(404, 409)
_SIGNED_OR_NOT = problem_responses(401, 403, 404, 409)  # an enrolled device may sign what is handed in


class LinkKind(Protocol):
    """A kind of link: how its token leads to a session, and what follows when that proves somebody."""

    @property
    def prefix(self) -> str:
        """Where its routes are, without the token."""
        ...

    @property
    def why_open(self) -> str:
        """Why these routes need no account."""
        ...

    def session_of(self, request: Request, token: str) -> str:
        """Return the session of a link that works; raise the refusal of one that does not."""
        ...

    def verified(self, request: Request, token: str) -> None:
        """Do what follows from the proof; raise the refusal where that is not possible."""
        ...


def link_steps(kind: LinkKind, tag: str) -> APIRouter:
    """Return the routes of the steps by this kind of link."""
    router = APIRouter(prefix=kind.prefix, tags=[tag])
    gate = [open_to_all(kind.why_open)]

    def session_of(request: Request, token: Token) -> str:
        """Exchange the token for its session, before anything of an upload is read."""
        return kind.session_of(request, token)

    Session = Annotated[str, Depends(session_of)]  # noqa: N806 - a type

    @router.post(
        "/{token}/challenges",
        status_code=201,
        response_model=ChallengeDocument,
        responses=_GONE_ON,
        dependencies=gate,
    )
    def draw_challenge(request: Request, session: Session, wanted: NewChallenge) -> Any:
        """Draw a challenge for the session of a link."""
        return _drawn(request, session, wanted)

    _add_hand_ins(router, session_of, gate)

    @router.post("/{token}/decision", response_model=DecisionShown, responses=_GONE_ON, dependencies=gate)
    def decide(request: Request, token: Token, session: Session) -> Response:
        """Have the session decided; when it is Verified, what the link is for follows or is refused."""
        desk = desk_of(request, authority=request.app.state.authority)
        with request.app.state.spool.room() as room:
            decided = stepwise.decide(desk, session, room)
        if isinstance(decided.adjudication.decision, Verified):
            kind.verified(request, token)
        body = shown_decision(decided.receipt, decided.session)
        return Response(body.model_dump_json(), 200, media_type="application/json")

    @router.get("/{token}/proof", responses=_GONE_ON, dependencies=gate)
    def read_proof(request: Request, session: Session) -> SessionShown:
        """Return how the session of a link stands: attempts left, what was given, the latest decision."""
        return _answer(request, desk_of(request), session)

    add_upload_routes(router, "/{token}", session_of, gates=tuple(gate))
    return router


def _add_hand_ins(router: APIRouter, session_of: Callable[..., str], gate: list[Any]) -> None:
    """Add the routes by which document, clip and digits come in."""
    Session = Annotated[str, Depends(session_of)]  # noqa: N806 - a type

    @router.put(
        "/{token}/document",
        responses=_SIGNED_OR_NOT,
        dependencies=gate,
        openapi_extra=DOCUMENT.openapi_extra(),
    )
    def take_document(
        request: Request, session: Session, upload: Annotated[Upload, DOCUMENT.received()]
    ) -> SessionShown:
        """Hand in photos of the document."""
        desk = desk_of(request)
        hand_in_document(request, desk, session, upload)
        return _answer(request, desk, session)

    @router.put(
        "/{token}/clip", responses=_SIGNED_OR_NOT, dependencies=gate, openapi_extra=LIVE_CLIP.openapi_extra()
    )
    def take_clip(
        request: Request, session: Session, upload: Annotated[Upload, LIVE_CLIP.received()]
    ) -> SessionShown:
        """Hand in the live clip with the challenge that it answers."""
        desk = desk_of(request)
        hand_in_clip(request, desk, session, upload)
        return _answer(request, desk, session)

    @router.put(
        "/{token}/digits", responses=_SIGNED_OR_NOT, dependencies=gate, openapi_extra=DIGITS.openapi_extra()
    )
    def take_digits(
        request: Request, session: Session, upload: Annotated[Upload, DIGITS.received()]
    ) -> SessionShown:
        """Hand in a recording of the digits, or the digits as tapped."""
        desk = desk_of(request)
        hand_in_digits(request, desk, session, upload)
        return _answer(request, desk, session)


def _drawn(request: Request, session: str, wanted: NewChallenge) -> Any:
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    policy = platform.policy(status.session.pack_id, desk.on)
    route = wanted.route or status.session.route
    application = Application(status.session.channel, route, status.session.subject, status.operator or None)

    def work(connection: Connection) -> Any:
        going_on = challenges.session_for_challenge(desk.tools, connection, application, policy, session)
        drawn = challenges.give_challenge(desk.tools, connection, going_on, policy, wanted.language)
        return challenge_document(drawn)

    return transact(platform.engine, work)


def _answer(request: Request, desk: Desk, session: str) -> SessionShown:
    return shown(status_of(desk, platform_of(request), session))
