"""The two captures as the counter shows them: the same pages as everywhere, between its own steps."""

from fastapi import Request, Response

from shiming.entrypoints.pages.capture.views import Capture, document_step, person_step
from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of, step_of
from shiming.entrypoints.pages.counter.standing import facts_of
from shiming.entrypoints.pages.preferences import preferences_of


def capture_step(request: Request, standing: Standing, step: Step) -> Response:
    """Return the page that takes the document, or the person's live clip."""
    capture = Capture(
        standing.session_id,
        base=f"/v1/proofing-sessions/{standing.session_id}",
        next_url=f"{standing.url}/result",  # which leads on where nothing is decided yet
        back_url=standing.url,
        other_way_url=f"{standing.url}/other-way",
        document_url=f"{standing.url}/document",
        staff=True,
        reader=True,
        language=preferences_of(request).language,
        above="counter/journey_bar.html",
        facts=facts_of(request, standing, bar=bar_of(step, step_of(standing))),
    )
    return document_step(request, capture) if step is Step.DOCUMENT else person_step(request, capture)
