"""Who acts for the holder of an order, over HTTP.

PUT  /v1/orders/{session}/authority-document  image: letter of authority, or proof of the guardianship
POST /v1/orders/{session}/representative      name the proxy or guardian by the session they were proven in
GET  /v1/orders/{session}/representative
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, idempotency_key
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import IMAGE, FilePart, Upload, UploadForm
from shiming.registrations.api.holder_platform import (
    REFERENCE_MAX,
    SESSION_PATTERN,
    Body,
    OrderSession,
    answer_once,
    platform_of,
    policy_of,
    refused,
)
from shiming.registrations.model.orders import LineOrder, Relation, Representative, RepresentativeRole
from shiming.registrations.model.representation import RepresentationRefused
from shiming.registrations.permissions.representation import MayRepresent
from shiming.registrations.use_cases import representation
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/orders", tags=["orders"])
AUTHORITY_DOCUMENT = UploadForm((FilePart("document", IMAGE),))
Representing = Annotated[Asking, asked(MayRepresent)]


class RepresentativeWanted(Body):
    """Who acts; a guardian with the relation, both with the document that entitles them."""

    role: Literal["proxy", "guardian"]
    session: str = Field(pattern=SESSION_PATTERN, description="Session in which they were proven.")
    authority_document: str | None = Field(
        default=None, max_length=REFERENCE_MAX, examples=["EVD-0082-0C20-A1G7-D"]
    )
    relation: Relation | None = None


class RepresentativeShown(BaseModel):
    """Who acts for the holder of an order."""

    order: str
    role: str
    session: str
    authority_document: str | None
    relation: str | None


class AuthorityDocumentKept(BaseModel):
    """Where the document is kept; name it with the representative."""

    order: str
    authority_document: str


@router.put(
    "/{session}/authority-document",
    status_code=201,
    responses=problem_responses(404, 409),
    openapi_extra=AUTHORITY_DOCUMENT.openapi_extra(),
)
def keep_authority_document(
    request: Request,
    session: OrderSession,
    asking: Representing,
    upload: Annotated[Upload, AUTHORITY_DOCUMENT.received()],
) -> AuthorityDocumentKept:
    """Keep a picture of the document that entitles the representative; copies of it are marked."""
    _order(request, session, asking)
    platform = platform_of(request)
    with upload.file("document").open("rb") as source:
        ref = representation.keep_authority_document(
            platform.registrations,
            platform.engine,
            session,
            source,
            policy=policy_of(platform),
            now=platform.clock.now(),
        )
    return AuthorityDocumentKept(order=session, authority_document=ref.evidence_id)


@router.post(
    "/{session}/representative",
    status_code=201,
    response_model=RepresentativeShown,
    responses=problem_responses(404, 409),
)
def name_representative(
    request: Request,
    session: OrderSession,
    wanted: RepresentativeWanted,
    asking: Representing,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Name who acts; refused with REPRESENTATIVE_REFUSED and every reason in `details.reasons`."""
    _order(request, session, asking)
    platform = platform_of(request)
    policy, now = policy_of(platform), platform.clock.now()
    named = Representative(
        RepresentativeRole(wanted.role),
        wanted.session,
        authority_evidence=wanted.authority_document,
        relation=wanted.relation,
    )

    def work(connection: Connection) -> Answer | Refused:
        outcome = representation.name_representative(
            platform.registrations, connection, session, named, policy=policy, now=now
        )
        if isinstance(outcome, RepresentationRefused):
            text = Text(zh="不能由此人代办。", en="This person cannot act for the holder.")
            return refused("REPRESENTATIVE_REFUSED", text, outcome.refusals)
        return Answer.of(201, _shown(session, outcome.representative))

    return answer_once(request, asking, key, wanted, work, now=now)


@router.get("/{session}/representative", responses=problem_responses(404))
def show_representative(request: Request, session: OrderSession, asking: Representing) -> RepresentativeShown:
    """Return who acts for the holder of an order; their pseudonym stays out."""
    order = _order(request, session, asking)
    if order.representative is None:
        raise BadInput(
            "REPRESENTATIVE_NOT_NAMED",
            Text(zh="该办理单没有代办人。", en="Nobody acts for the holder of this order."),
            Text(zh="请先登记代办人。", en="Name a representative first."),
        )
    return _shown(session, order.representative)


def _order(request: Request, session: str, asking: Asking) -> LineOrder:
    """Return an order that the caller may know of."""
    asking.allow(MayRepresent(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        order = representation.find_order_of(connection, session)
    if not asking.may(MayRepresent(order.operator)):
        raise representation.order_unknown()
    return order


def _shown(session: str, behalf: Representative) -> RepresentativeShown:
    return RepresentativeShown(
        order=session,
        role=behalf.role.value,
        session=behalf.session_id,
        authority_document=behalf.authority_evidence,
        relation=behalf.relation and behalf.relation.value,
    )
