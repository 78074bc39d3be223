"""The proof of somebody beside the holder: who acts for them, the handler of an organisation, its user.

They have a session of their own and no order; a journey says where their pages are (`here`) and mounts
`{here}/document`, `/person`, `/other-way` and `/decision`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from shiming.entrypoints.pages.capture.views import Capture, document_step, person_step
from shiming.entrypoints.pages.counter.journey import Standing, Step, step_of
from shiming.entrypoints.pages.equal_paths.other_way import OtherWay
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import see_other
from shiming.identity_proofing.api_platform import desk_of, platform_of
from shiming.identity_proofing.use_cases import challenges, stepwise
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import Channel, Route
from shiming.vocabulary.errors import BadInput

#: Another request was faster; the page shows what it came to.
OVERTAKEN = frozenset({"SESSION_CLOSED", "SESSION_CHANGED", "SESSION_EXPIRED", "STEP_OUT_OF_ORDER"})
ADULT = "adult"  # the category of whoever acts; a minor who shows their card is refused by the rules


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Whose proof it is, where their pages are, and what stands above the camera."""

    standing: Standing
    here: str
    above: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def open_second(request: Request, operator: str, channel: Channel, route: Route = Route.STANDARD) -> str:
    """Open a session for somebody beside the holder; return its reference."""
    desk, platform = desk_of(request), platform_of(request)
    application = Application(channel, route, ADULT, operator)
    policy = platform.policy("", desk.on)
    session = transact(
        platform.engine,
        lambda connection: challenges.open_session(desk.tools, connection, application, policy),
    )
    return session.id


def next_step(standing: Standing) -> Step:
    """Return the step of somebody who has no order of their own."""
    found = step_of(standing)
    session = standing.status.session
    if found is not Step.OVER or session.state.is_final or standing.now >= session.expires_at:
        return found
    if standing.decision is not None:
        return Step.RESULT
    evidence = standing.status.evidence
    if evidence is None or evidence.document is None:
        return Step.DOCUMENT
    return Step.PERSON if evidence.clip is None else Step.DECISION


def camera(request: Request, person: SecondPerson, step: str) -> Response:
    """Show the camera for one step, `document` or `person`."""
    session = person.standing.status.session
    if session.state.is_final:
        return see_other(person.here)
    capture = Capture(
        session.id,
        base=f"/v1/proofing-sessions/{session.id}",
        next_url=person.here,
        back_url=person.here,
        other_way_url=f"{person.here}/other-way",
        document_url=f"{person.here}/document",
        staff=True,
        reader=True,
        language=preferences_of(request).language,
        above=person.above,
        facts=person.facts,
    )
    return (document_step if step == "document" else person_step)(request, capture)


def other_way_of(person: SecondPerson) -> OtherWay:
    """Return where the page of other ways leads for this person."""
    session = person.standing.session_id
    return OtherWay(
        session,
        base=person.here,
        live=f"{person.here}/person",
        document=f"{person.here}/document",
        back=person.here,
        people=f"/desk/reviews/{session}",
        staff=True,
    )


def decide_second(request: Request, person: SecondPerson) -> Response:
    """Have the proof decided, and show what came of it."""
    desk = desk_of(request, authority=request.app.state.authority)
    try:
        with request.app.state.spool.room() as room:
            stepwise.decide(desk, person.standing.session_id, room)
    except BadInput as error:
        if error.code not in OVERTAKEN:
            raise
    return see_other(person.here)
