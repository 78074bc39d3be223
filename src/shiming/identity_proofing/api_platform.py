"""What the routes of proofing need of the wired platform, and how they get at a session."""

from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy.engine import Connection, Engine

from shiming.identity_proofing.api_schemas import SessionShown
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.use_cases import stepwise
from shiming.identity_proofing.use_cases.stepwise import Desk, SessionStatus
from shiming.identity_proofing.use_cases.tools import SESSION, ProofingTools
from shiming.infrastructure.canonical_json import content_hash
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.etags import etag
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.reference_numbers import ReferenceNumber


class ProofingPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    privacy: Any
    keys: Any

    def today(self) -> date:
        """Return the day of the session."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack (empty: the installation's own) on a day."""
        ...

    def begin(self) -> AbstractContextManager[Connection]:
        """Open a transaction that is committed at its end."""
        ...

    def proofing_tools(self, authority: Any = None) -> ProofingTools:
        """Return the tools of proofing with this authority."""
        ...


def platform_of(request: Request) -> ProofingPlatform:
    """Return the wired program."""
    platform: ProofingPlatform = request.app.state.platform
    return platform


def desk_of(request: Request, *, authority: Any = None) -> Desk:
    """Return what the steps of a session work with."""
    platform = platform_of(request)
    tools = platform.proofing_tools(authority)
    return Desk(
        tools=tools,
        holding=HoldingTools(platform.privacy.objects, platform.keys, tools.new_reference),
        begin=platform.begin,
        policies=platform.policy,
        on=platform.today(),
    )


def reference_of(session: str) -> str:
    """Return the reference in its canonical form; SESSION_UNKNOWN for what is none."""
    try:
        return str(ReferenceNumber.parse(session, prefix=SESSION))
    except BadInput:
        raise refused("SESSION_UNKNOWN") from None


def status_of(desk: Desk, platform: ProofingPlatform, session: str) -> SessionStatus:
    """Return how a session stands."""
    with reading(platform.engine) as connection:
        return stepwise.session_status(desk, connection, reference_of(session))


def version_of(body: SessionShown) -> str:
    """Return the entity tag of what is shown of a session."""
    return etag(content_hash(body.model_dump(mode="json")).removeprefix("sha256:")[:32])
