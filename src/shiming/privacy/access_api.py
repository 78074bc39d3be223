"""Who looked, as the person may see it.

GET /v1/subjects/{subject}/accesses   looks at evidence in clear, newest first
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.privacy.api_platform import SubjectId, own, place_of, platform_of
from shiming.privacy.permissions import MayReadAccessLog
from shiming.privacy.rules.access import Access
from shiming.privacy.use_cases.access_log import list_accesses

router = APIRouter(prefix="/v1/subjects", tags=["subjects"])


class AccessShown(BaseModel):
    """One look: who, when, why, in which case, at what; `recipient` when it left the operator."""

    id: str
    at: datetime
    actor: str
    what: str
    purpose: str
    case: str
    evidence: str
    evidence_kind: str
    operator: str
    recipient: str | None
    disclosure: str | None


class AccessPage(Listing):
    """Looks, newest first."""

    items: list[AccessShown]


@router.get("/{subject}/accesses", response_model=AccessPage)
def show_accesses(
    request: Request,
    subject: SubjectId,
    asking: Annotated[Asking, asked(MayReadAccessLog)],
    page: Annotated[PageAsked, paged("accesses")],
) -> dict[str, object]:
    """List who looked at what is kept of a person; a deferred disclosure appears on its date."""
    asking.allow(MayReadAccessLog(subject, own(asking)))
    platform, after = platform_of(request), place_of(page)
    with reading(platform.engine) as connection:
        found = list_accesses(
            connection,
            subject,
            platform.clock.now(),
            limit=page.size + 1,
            operator=asking.caller.operator,
            after=after,
        )
    shown = [_shown(access) for access in found]
    return page.listing(shown, key=lambda each: (each.at.isoformat(), each.id))


def _shown(access: Access) -> AccessShown:
    return AccessShown(
        id=access.access_id,
        at=access.at,
        actor=access.actor,
        what=access.what.value,
        purpose=access.purpose.value,
        case=access.case_reference,
        evidence=access.evidence_id,
        evidence_kind=access.evidence_kind.value,
        operator=access.operator,
        recipient=access.recipient,
        disclosure=access.disclosure_id,
    )
