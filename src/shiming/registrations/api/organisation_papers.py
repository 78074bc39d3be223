"""The papers of an organisation over HTTP: its licence, and the power of attorney of its handler.

PUT /v1/organisations/{organisation}/licence             image, multipart
PUT /v1/organisations/{organisation}/power-of-attorney   image, multipart, and from when to when

Changes take If-Match.
"""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shiming.infrastructure.http.uploads import IMAGE, FilePart, TextPart, Upload, UploadForm
from shiming.privacy.model import EvidenceKind
from shiming.registrations.api.organisation_platform import (
    CHANGED,
    PREFIX,
    TAG,
    Managing,
    OrganisationId,
    Version,
    change,
    stage,
)
from shiming.registrations.api.organisation_schemas import (
    OrganisationShown,
)
from shiming.registrations.use_cases import organisations
from shiming.vocabulary.instants import parse_instant

router = APIRouter(prefix=PREFIX, tags=[TAG])

_INSTANT_CHARACTERS_MAX = 40
LICENCE = UploadForm((FilePart("image", IMAGE),))
POWER_OF_ATTORNEY = UploadForm(
    (FilePart("image", IMAGE),),
    (
        TextPart("begins", _INSTANT_CHARACTERS_MAX, {"type": "string", "format": "date-time"}, required=True),
        TextPart("until", _INSTANT_CHARACTERS_MAX, {"type": "string", "format": "date-time"}, required=True),
    ),
)


@router.put(
    "/{organisation}/licence", response_model=OrganisationShown, responses=CHANGED,
    openapi_extra=LICENCE.openapi_extra(),
)  # fmt: skip
def put_licence(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    version: Version,
    upload: Annotated[Upload, LICENCE.received()],
) -> Response:
    """Keep the image of the licence in the vault."""
    staged = stage(request, organisation, asking, upload, EvidenceKind.DOCUMENT_FRONT)
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_licence(desk, at, found, staged),
    )


@router.put(
    "/{organisation}/power-of-attorney", response_model=OrganisationShown, responses=CHANGED,
    openapi_extra=POWER_OF_ATTORNEY.openapi_extra(),
)  # fmt: skip
def put_power_of_attorney(
    request: Request,
    organisation: OrganisationId,
    asking: Managing,
    version: Version,
    upload: Annotated[Upload, POWER_OF_ATTORNEY.received()],
) -> Response:
    """Keep the power of attorney of the handler, and from when to when it holds."""
    begins, until = (parse_instant(upload.texts[name]) for name in ("begins", "until"))
    staged = stage(request, organisation, asking, upload, EvidenceKind.CONTRACT)
    return change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_power_of_attorney(
            desk, at, found, staged, begins=begins, until=until
        ),
    )
