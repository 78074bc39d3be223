"""What the bearer of an actual user's link may do before the proof: see what it is, and say yes.

GET  /v1/actual-user-links/{token}           organisation, line (masked), what will happen
POST /v1/actual-user-links/{token}/session   yes; opens the proofing session of this line

The steps of the proof - challenge, document, clip, digits, decision - stand below the same link
(`entrypoints.link_steps_api`); nobody signs in, the token is the permission, and only for this session.
"""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from shiming.identity_proofing.use_cases.challenges import Application
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.for_programs import ForPrograms
from shiming.infrastructure.http.problems import problem_responses
from shiming.jurisdictions.model import Channel
from shiming.registrations.api.enterprise_lines import refused
from shiming.registrations.api.enterprise_schemas import LinkContent, LinkSessionShown, LinkYes
from shiming.registrations.api.organisation_platform import EnterprisePlatform, desk_of
from shiming.registrations.model.enterprise_lines import EnterpriseRefused
from shiming.registrations.use_cases import actual_user_links

router = APIRouter(prefix="/v1/actual-user-links", tags=["actual users"], route_class=ForPrograms)

WHY_OPEN = "the token in the path has 256 random bits and is the permission, for one line and its session"
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="As it was given out.")]
_GATE = open_to_all(WHY_OPEN)


class LinkPlatform(EnterprisePlatform, Protocol):
    """What these routes need of the wired platform."""

    def proofing_tools(self, authority: Any = None) -> ProofingTools:
        """Return the tools of proofing."""
        ...


@router.get("/{token}", response_model=LinkContent, responses=problem_responses(409), dependencies=[_GATE])
def read_link(request: Request, token: Token) -> Response:
    """Show for which organisation and line a link is, and what will happen; nothing happens yet."""
    platform = _platform(request)
    with reading(platform.engine) as connection:
        shown = actual_user_links.show_link(desk_of(platform), connection, token)
    if isinstance(shown, EnterpriseRefused):
        raise refused(shown)
    return _unkept(LinkContent.of(shown).model_dump_json())


@router.post(
    "/{token}/session",
    status_code=201,
    response_model=LinkSessionShown,
    responses=problem_responses(409),
    dependencies=[_GATE],
)
def open_session(request: Request, token: Token, wanted: LinkYes) -> Response:
    """Open the proofing session of a link, or return the one that is still open."""
    platform = _platform(request)
    desk, proofing = desk_of(platform), platform.proofing_tools()
    with reading(platform.engine) as connection:
        link = actual_user_links.session_of_link(desk, connection, token)
    if isinstance(link, EnterpriseRefused):
        raise refused(link)
    application = Application(Channel.ONLINE, wanted.route, wanted.category, link.operator)
    wish = actual_user_links.Wish(application, wanted.confirmed)
    opened = transact(
        platform.engine,
        lambda connection: actual_user_links.open_link_session(desk, proofing, connection, token, wish),
    )
    if isinstance(opened, EnterpriseRefused):
        raise refused(opened)
    body = LinkSessionShown(session=opened.session_id, expires_at=opened.expires_at)
    return _unkept(body.model_dump_json(), 200 if opened.repeated else 201)


def _platform(request: Request) -> LinkPlatform:
    platform: LinkPlatform = request.app.state.platform
    return platform


def _unkept(body: str, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}  # the address is the permission
    return Response(body, status, headers=headers, media_type="application/json")
