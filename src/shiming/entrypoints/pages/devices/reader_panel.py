"""The card reader beside a session: which reader to ask, what it does, and what was read, masked.

`templates/reader/state.html` is included by the page of the document step and loads this panel.
"""

from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response

from shiming.accounts.use_cases.capture_devices import readers_of
from shiming.entrypoints.pages.rendering import fragment
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.use_cases.card_reading import show_reading
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked

router = page_router()
Conducting = Annotated[Asking, asked(MayConductSession)]


@router.get("/reader/{session}")
def reader_panel(
    request: Request, session: Annotated[str, Path(max_length=40)], asking: Conducting
) -> Response:
    """Show the reader of a session; nothing where the rules take no reading or no reader is enrolled."""
    desk, platform = desk_of(request), platform_of(request)
    status = status_of(desk, platform, session)
    asking.allow(MayConductSession(status.operator))
    rules = platform.policy(status.session.pack_id, desk.on).card_reader
    with reading(platform.engine) as connection:
        readers = readers_of(connection, status.operator) if rules else []
    given = status.evidence is not None and status.evidence.card_reading is not None
    facts: dict[str, Any] = {
        "session_id": status.session.id,
        "readers": readers,
        "card": show_reading(desk, status.session.id) if given else None,
        "photo_kept": rules is None or rules.photo_kept.value,
        "required": rules is not None and status.session.channel in rules.required_channels.value,
    }
    return fragment(request, "reader/panel.html", facts)
