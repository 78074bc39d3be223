"""Register the line and follow it until the network has confirmed it.

GET  /counter/{session}/activation
POST /counter/{session}/activation         registers; a journey registers once, however often asked
GET  /counter/{session}/activation/state   for HTMX, every two seconds
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Request, Response

from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of, step_of
from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.counter.short_lived import name_of
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, standing_of
from shiming.entrypoints.pages.counter.steps import Reading, SessionPath
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.registration import RegisterLine, RegistrationRefused
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.use_cases.registering import register_line

router = page_router()

_CONFLICT = 409
#: A network answers in a second or two; after this the customer is told that it may take a while.
SLOW_AFTER = timedelta(seconds=20)


@router.get("/counter/{session}/activation")
def show_activation(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show what is about to be registered, or how the network gets on."""
    standing = standing_of(request, session, asking)
    if step_of(standing) not in {Step.ACTIVATION, Step.RECEIPT}:
        return see_other(standing.url)
    return _activation_page(request, standing)


@router.post("/counter/{session}/activation")
def register(
    request: Request, session: SessionPath, asking: Annotated[Asking, asked(MayReadSession, MayRegisterLine)]
) -> Response:
    """Register the line."""
    standing = standing_of(request, session, asking)
    asking.allow(MayRegisterLine(standing.operator))
    return registered(request, standing)


@router.get("/counter/{session}/activation/state")
def activation_state(request: Request, session: SessionPath, asking: Reading) -> Response:
    """Show how the network gets on; lead to the receipt once the line works."""
    standing = standing_of(request, session, asking)
    receipt = f"{standing.url}/receipt"
    if request.headers.get("hx-request") != "true":
        return see_other(f"{standing.url}/activation")
    if standing.line is not None and standing.line.status is not LineStatus.PENDING:
        return Response(status_code=204, headers={"hx-redirect": receipt})
    return fragment(
        request, "counter/activation_state.html", facts_of(request, standing, slow=_slow(standing))
    )


def registered(request: Request, standing: Standing) -> Response:
    """Register the line of a journey and lead on, or show every reason why not."""
    platform, order = counter_platform(request), standing.order
    if standing.line is not None:
        return see_other(standing.url)
    if order is None or order.identifier is None:
        return see_other(f"{standing.url}/number")
    command = RegisterLine(order.operator, order.identifier, standing.session_id)
    outcome = transact(
        platform.engine,
        lambda connection: register_line(
            platform.registrations,
            connection,
            command,
            policy=platform.registration_policy,
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, RegistrationRefused):
        shown = refusals_shown(outcome.refusals, standing.policy)
        return _activation_page(request, standing, status=_CONFLICT, refusals=shown)
    return see_other(f"{standing.url}/activation")


def _activation_page(request: Request, standing: Standing, *, status: int = 200, **shown: Any) -> Response:
    step = step_of(standing)
    bar = bar_of(Step.ACTIVATION, step)
    facts = facts_of(
        request, standing, bar=bar, slow=_slow(standing), masked_name=name_of(request), refusals=(), step=step
    )
    return page(request, "counter/activation.html", {**facts, **shown}, status=status)


def _slow(standing: Standing) -> bool:
    return standing.line is not None and standing.now - standing.line.registered_at > SLOW_AFTER
