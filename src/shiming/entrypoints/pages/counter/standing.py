"""Load where a journey stands, for somebody who may know of it: another operator's session is not found."""

from datetime import date
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy.engine import Engine

from shiming.entrypoints.pages.counter.journey import Standing
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.store.lines import find_by_session
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.notices import NoticeTools
from shiming.registrations.use_cases.tools import RegistrationTools


class CounterPlatform(Protocol):
    """What the counter needs of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    notices: NoticeTools
    registration_policy: RegistrationPolicy
    default_pack: str
    settings: Settings

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...

    def operator_name(self, operator: str) -> str:
        """Return the name of an operator as customers know it."""
        ...


def counter_platform(request: Request) -> CounterPlatform:
    """Return the wired program."""
    platform: CounterPlatform = request.app.state.platform
    return platform


def rules_of(platform: CounterPlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def standing_of(request: Request, session: str, asking: Asking) -> Standing:
    """Return where a journey stands; SESSION_UNKNOWN for none, and for one of another operator."""
    asking.allow(MayReadSession(asking.caller.operator or ""))
    desk, platform = desk_of(request), counter_platform(request)
    status = status_of(desk, platform_of(request), session)
    if not asking.may(MayReadSession(status.operator)):
        raise refused("SESSION_UNKNOWN")
    with reading(platform.engine) as connection:
        order = find_order(connection, status.session.id)
        line = order and find_by_session(connection, status.session.id, order.operator)
    policy = desk.policies(status.session.pack_id, desk.on)
    return Standing(status, order, line or None, policy, platform.clock.now())


def facts_of(request: Request, standing: Standing, **more: Any) -> dict[str, Any]:
    """Return what every page of a journey shows: whose line, which number, where it stands."""
    platform, order = counter_platform(request), standing.order
    number = order.identifier if order else None
    return {
        "standing": standing,
        "session": standing.session_id,
        "url": standing.url,
        "operator_name": platform.operator_name(standing.operator),
        "number": number.reveal("shown to the clerk who opens it") if number else None,
        **more,
    }
