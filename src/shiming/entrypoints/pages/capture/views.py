"""The two pages with a camera, for every journey that proves a person.

    return document_step(request, Capture(session_id, base="/v1/proofing-sessions/SES-...", next_url=...))

A journey asks its own question (or exchanges its token) first and says where things are: `base` is where the
steps of the session are posted, `session_url` where its state is read, the others are pages. What was decided
already leads on to `next_url`; the state that the server knows always wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from shiming.entrypoints.pages.equal_paths.way_words import LANGUAGES
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.api_schemas import NewChallenge
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.model.session import EvidenceKind, SessionState
from shiming.identity_proofing.rules.requirements import live_evidence_wanted
from shiming.identity_proofing.use_cases.stepwise import SessionStatus
from shiming.jurisdictions.model import Policy


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a journey's routes and pages are, and who holds the camera.

    `reader`: a card reader may fill the page. `session_url`: where GET tells the session's state (`base` if
    empty). `document_url`: where a document is photographed again (`back_url` if empty). `device`: the
    enrolled device; it goes with an upload. `above`: a template of the journey, above the
    title, which reads `facts`.
    """

    session_id: str
    base: str
    next_url: str
    back_url: str
    other_way_url: str
    staff: bool = False
    reader: bool = False
    language: str = ""
    session_url: str = ""
    document_url: str = ""
    device: str = ""
    above: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def document_step(request: Request, capture: Capture) -> Response:
    """Show the page on which the document is photographed; lead on where the session is decided."""
    status, policy = _standing(request, capture)
    if status.session.state is SessionState.DECIDED:
        return see_other(capture.next_url)
    request.app.state.platform.recognition.begin_loading()  # while the document is being shown
    sides = policy.documents[status.session.subject].sides_required.value.values()
    facts = {
        **_common(request, capture, status, policy),
        "back": any(len(each) > 1 for each in sides),
        "back_optional": any(len(each) == 1 for each in sides),
        "left": status.left[EvidenceKind.DOCUMENT],
    }
    return page(request, "capture/document.html", facts)


def person_step(request: Request, capture: Capture) -> Response:
    """Show the page on which the living person answers a challenge; the document comes first."""
    status, policy = _standing(request, capture)
    session = status.session
    if session.state is SessionState.CREATED:
        return see_other(capture.document_url or capture.back_url)
    wanted = live_evidence_wanted(policy, session.channel, session.route)
    if session.state is SessionState.DECIDED or not wanted:
        return see_other(capture.next_url)
    route = policy.routes[session.route]
    facts = {
        **_common(request, capture, status, policy),
        "left": status.left[EvidenceKind.CLIP],
        "gestures": [gesture.value for gesture in route.gestures.value],
        "digits_mode": route.digits.value.value,
        "digits_length": policy.challenge.digits_length.value,
        "digits_language": _digits_language(request),
        "digits_languages": LANGUAGES,
        "step_seconds": policy.challenge.step_seconds.value,
        "life_seconds": policy.challenge.life_seconds.value,
    }
    return page(request, "capture/person.html", facts)


def _standing(request: Request, capture: Capture) -> tuple[SessionStatus, Policy]:
    desk = desk_of(request)
    status = status_of(desk, platform_of(request), capture.session_id)
    return status, desk.policies(status.session.pack_id, desk.on)


def _common(request: Request, capture: Capture, status: SessionStatus, policy: Policy) -> dict[str, Any]:
    session = status.session
    late = request.app.state.platform.clock.now() >= session.expires_at
    return {
        **capture.facts,
        "capture": capture,
        "place": policy.capture is not None and policy.capture.place.value,
        "over": session.state.is_final or late,
        "session_url": capture.session_url or capture.base,
        "document_url": capture.document_url or capture.back_url,
    }


def _digits_language(request: Request) -> str:
    """Return the language that was chosen on the page of other ways, else the one that the API draws in.

    The language of the page says nothing of it: at a counter that is the clerk's.
    """
    asked = request.query_params.get("language", "")
    return asked if asked in set(Language) else NewChallenge().language.value
