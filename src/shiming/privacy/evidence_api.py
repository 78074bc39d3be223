"""Evidence over HTTP: what is kept, without its content; and one piece in clear, for a recorded purpose.

GET  /v1/evidence?case=..|subject=..   what is kept of a case or a person
GET  /v1/evidence/{evidence}           what is known of one piece
POST /v1/evidence/{evidence}/reads     a marked copy of one piece; the person sees who looked
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.privacy.api_platform import (
    SUBJECT_PATTERN,
    Body,
    EvidenceId,
    PurposeName,
    own,
    place_of,
    platform_of,
    unknown,
)
from shiming.privacy.copy_files import EXTENSIONS, file_name
from shiming.privacy.model import (
    AccessRequest,
    EvidenceErased,
    EvidenceKind,
    EvidenceRef,
    EvidenceUnknown,
    Purpose,
)
from shiming.privacy.permissions import MayListEvidence, MayReadEvidence, MayReadIdentity
from shiming.privacy.rules.case_reference import (
    CASE_CHARACTERS_MAX,
    CASE_REFERENCE_PATTERN,
    parse_case_reference,
)
from shiming.privacy.use_cases.access_log import find_metadata
from shiming.privacy.use_cases.copies import Copy, Marking, show_copy
from shiming.privacy.use_cases.vault import list_metadata
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])
Describing = Annotated[Asking, asked(MayListEvidence)]
Reading = Annotated[Asking, asked(MayReadEvidence, MayReadIdentity)]
_CASE_QUERY = r"^[!-~]{1,64}$"
_BINARY = {"type": "string", "contentMediaType": "application/octet-stream"}


class EvidenceShown(BaseModel):
    """What is known of one piece without opening it."""

    id: str
    subject: str = Field(description="Pseudonym of the person.")
    operator: str
    case: str
    line: str | None = None
    kind: str
    purpose: str
    retention_class: str
    bytes_stored: int
    stored_at: datetime
    retain_until: datetime | None
    erased_at: datetime | None
    erased_why: str | None


class EvidencePage(Listing):
    """Evidence of one person or one case, oldest first."""

    items: list[EvidenceShown]


class ReadWanted(Body):
    """Why one piece is looked at; both are recorded and shown to the person."""

    purpose: PurposeName
    case: str = Field(
        pattern=CASE_REFERENCE_PATTERN, max_length=CASE_CHARACTERS_MAX, examples=["DSP-2026-0001"]
    )


class IdentityShown(BaseModel):
    """Type, number, name and address of the holder's document, in clear."""

    document_type: str
    number: str
    name: str
    address: str


def _read_responses() -> dict[int | str, dict[str, object]]:
    content: dict[str, object] = {media_type: {"schema": _BINARY} for media_type in EXTENSIONS}
    content["application/json"] = {"schema": IdentityShown.model_json_schema()}
    ok = {
        "description": "A copy. A picture is a JPEG marked with operator, purpose and date; an identity "
        "record is JSON; clips and sounds bear no mark (`X-Shiming-Marked: false`).",
        "content": content,
    }
    return {200: ok, **problem_responses(404, 410)}


@router.get("", response_model=EvidencePage)
def list_evidence(
    request: Request,
    asking: Describing,
    page: Annotated[PageAsked, paged("evidence")],
    subject: Annotated[str | None, Query(pattern=SUBJECT_PATTERN, description="Pseudonym.")] = None,
    case: Annotated[str | None, Query(pattern=_CASE_QUERY, description="Reference of the case.")] = None,
) -> dict[str, object]:
    """List what is kept of one person or in one case, without content."""
    asking.allow(MayListEvidence(own(asking)))
    if subject is None and case is None:
        raise BadInput(
            "EVIDENCE_OF_WHOM",
            Text(zh="请指定人员或案件。", en="Name one person or one case."),
            Text(zh="使用 subject 或 case 参数。", en="Use the parameter subject or case."),
        )
    after = place_of(page)
    with reading(platform_of(request).engine) as connection:
        found = list_metadata(connection, subject=subject, case_reference=case)
    shown = [
        _shown(ref)
        for ref in found
        if asking.caller.operator in {None, ref.operator}
        and (after is None or (ref.stored_at, ref.evidence_id) > after)
    ]
    return page.listing(shown[: page.size + 1], key=lambda each: (each.stored_at.isoformat(), each.id))


@router.get("/{evidence}", responses=problem_responses(404))
def show_evidence(request: Request, evidence: EvidenceId, asking: Describing) -> EvidenceShown:
    """Show what is known of one piece, without its content."""
    asking.allow(MayListEvidence(own(asking)))
    return _shown(_find(request, asking, evidence))


@router.post("/{evidence}/reads", response_class=Response, responses=_read_responses())
def read_evidence(request: Request, evidence: EvidenceId, wanted: ReadWanted, asking: Reading) -> Response:
    """Return a copy of one piece, after recording who looks, why, and in which case. One piece a request."""
    case = parse_case_reference(wanted.case)
    asking.allow(MayReadEvidence(case, wanted.purpose, own(asking)))
    ref = _find(request, asking, evidence)
    if ref.kind is EvidenceKind.IDENTITY_RECORD:
        asking.allow(MayReadIdentity(case, wanted.purpose, own(asking)))
    platform = platform_of(request)
    access = AccessRequest(asking.caller.reference, Purpose(wanted.purpose), case)
    marking = Marking(platform.operator_name(ref.operator), platform.today())
    now = platform.clock.now()
    found = transact(  # the answer leaves only after the look is on record
        platform.engine,
        lambda connection: show_copy(platform.privacy, connection, evidence, access, marking, now=now),
    )
    if not isinstance(found, Copy):
        raise _not_shown(found)
    return Response(found.content, media_type=found.media_type, headers=_headers(found))


def _find(request: Request, asking: Asking, evidence_id: str) -> EvidenceRef:
    with reading(platform_of(request).engine) as connection:
        ref = find_metadata(connection, evidence_id, operator=asking.caller.operator)
    if ref is None:
        raise _not_shown(EvidenceUnknown(evidence_id))
    return ref


def _not_shown(found: EvidenceErased | EvidenceUnknown) -> BadInput:
    if isinstance(found, EvidenceUnknown):
        return unknown("EVIDENCE_UNKNOWN", "没有这份材料。", "There is no such evidence.")
    return BadInput(
        "EVIDENCE_ERASED",
        Text(zh="材料已销毁，任何人都无法读取。", en="This was erased; nobody can read it any more."),
        details={"erased_at": found.erased_at.isoformat()},
    )


def _headers(copy: Copy) -> dict[str, str]:
    return {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{file_name(copy)}"',
        "x-content-type-options": "nosniff",
        "x-shiming-marked": str(copy.marked).lower(),
    }


def _shown(ref: EvidenceRef) -> EvidenceShown:
    return EvidenceShown(
        id=ref.evidence_id,
        subject=ref.subject,
        operator=ref.operator,
        case=ref.case_reference,
        line=ref.line_id,
        kind=ref.kind.value,
        purpose=ref.purpose.value,
        retention_class=ref.retention_class.value,
        bytes_stored=ref.bytes_stored,
        stored_at=ref.stored_at,
        retain_until=ref.retain_until,
        erased_at=ref.erased_at,
        erased_why=ref.erased_why,
    )
