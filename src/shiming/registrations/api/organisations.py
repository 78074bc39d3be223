"""Organisations over HTTP: record one, add what it brings, see what is missing, suspend and close it.

POST /v1/organisations                                     code of the public register and name
GET  /v1/organisations
GET  /v1/organisations/{organisation}                      with everything that is missing
PUT  /v1/organisations/{organisation}/licence              image, multipart
PUT  /v1/organisations/{organisation}/legal-representative name, for the vault
PUT  /v1/organisations/{organisation}/handler              session in which the handler was proven
PUT  /v1/organisations/{organisation}/power-of-attorney    image, multipart, and from when to when
PUT  /v1/organisations/{organisation}/responsible-person   name, for the vault
POST /v1/organisations/{organisation}/suspension           and /resumption, /closing

Changes take If-Match. Names of people are never given back.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import IMAGE, FilePart, TextPart, Upload, UploadForm
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, StagedEvidence
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.api.organisation_schemas import (
    HandlerNamed,
    NewOrganisation,
    OrganisationListed,
    Organisations,
    OrganisationShown,
    PersonNamed,
    Suspension,
)
from shiming.registrations.model.organisations import Organisation, read_organisation_reference
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.organisations import (
    MayManageOrganisation,
    MayReadOrganisation,
    MaySuspendOrganisation,
)
from shiming.registrations.use_cases import organisations
from shiming.registrations.use_cases.organisations import (
    Desk,
    OrganisationFile,
    OrganisationRefused,
)
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant

router = APIRouter(prefix="/v1/organisations", tags=["organisations"])

_LIST = "organisations"
_INSTANT_CHARACTERS_MAX = 40
LICENCE = UploadForm((FilePart("image", IMAGE),))
POWER_OF_ATTORNEY = UploadForm(
    (FilePart("image", IMAGE),),
    (
        TextPart("begins", _INSTANT_CHARACTERS_MAX, {"type": "string", "format": "date-time"}, required=True),
        TextPart("until", _INSTANT_CHARACTERS_MAX, {"type": "string", "format": "date-time"}, required=True),
    ),
)


class EnterprisePlatform(Protocol):
    """What the routes about organisations need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    default_pack: str

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...

    def read_organisation_code(self, code: str) -> str:
        """Return a code of the public register in its one form; raise BadInput."""
        ...


OrganisationId = Annotated[
    str,
    Path(description="Reference of the organisation.", max_length=40, examples=["ORG-0082-0C20-A1G7-7"]),
]
Managing = Annotated[Asking, asked(MayManageOrganisation)]
Reading = Annotated[Asking, asked(MayReadOrganisation)]
Suspending = Annotated[Asking, asked(MaySuspendOrganisation)]
Version = Annotated[str, if_match()]
_CHANGED = problem_responses(404, 409, 412, 428)
#: A change, given what it works with, the open transaction and the organisation as it is now.
Change = Callable[[Desk, Connection, Organisation], OrganisationFile | OrganisationRefused]


def enterprise_platform(request: Request) -> EnterprisePlatform:
    """Return the wired program."""
    platform: EnterprisePlatform = request.app.state.platform
    return platform


def desk_of(platform: EnterprisePlatform) -> Desk:
    """Return what changes of organisations work with."""
    policy = platform.policy(platform.default_pack, platform.today())
    return Desk(platform.registrations, policy, platform.clock.now())


@router.post("", status_code=201, response_model=OrganisationShown, responses=problem_responses(409))
def record(
    request: Request,
    wanted: NewOrganisation,
    asking: Managing,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Record an organisation; its code is checked as the jurisdiction's register forms it."""
    operator = wanted.operator or asking.caller.operator or ""
    asking.allow(MayManageOrganisation(operator))
    platform = enterprise_platform(request)
    desk = desk_of(platform)

    def work(connection: Connection) -> Answer:
        file = organisations.record_organisation(
            desk,
            connection,
            operator=operator,
            code=wanted.code,
            name=wanted.name,
            read_code=platform.read_organisation_code,
        )
        body = OrganisationShown.of(file)
        return Answer.of(201, body, location=f"{router.prefix}/{body.id}", etag=_version(file))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.get("", response_model=Organisations)
def list_all(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged(_LIST)],
    operator: Annotated[str | None, Query(max_length=32)] = None,
) -> dict[str, Any]:
    """List organisations in the order of their references."""
    wanted = operator or asking.caller.operator
    asking.allow(MayReadOrganisation(wanted or ""))
    after = str(page.after[0]) if page.after else None
    with reading(enterprise_platform(request).engine) as connection:
        found = organisations.list_organisations(connection, wanted, after=after, limit=page.size + 1)
    return page.listing([OrganisationListed.of(each) for each in found], key=lambda row: (row.id,))


@router.get("/{organisation}", response_model=OrganisationShown, responses=problem_responses(404))
def read(request: Request, organisation: OrganisationId, asking: Reading) -> Response:
    """Return an organisation, and everything that is missing before it may open lines."""
    platform = enterprise_platform(request)
    found = find(platform, organisation, asking, MayReadOrganisation)
    desk = desk_of(platform)
    with reading(platform.engine) as connection:
        file = organisations.show_organisation(
            connection, found.organisation_id, policy=desk.policy, now=desk.now
        )
    if file is None:  # pragma: no cover - it was found a line above, and none is ever deleted
        raise unknown()
    return _shown(file)


@router.put(
    "/{organisation}/licence", response_model=OrganisationShown, responses=_CHANGED,
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
    staged = _stage(request, organisation, asking, upload, EvidenceKind.DOCUMENT_FRONT)
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_licence(desk, at, found, staged),
    )


@router.put("/{organisation}/legal-representative", response_model=OrganisationShown, responses=_CHANGED)
def put_legal_representative(
    request: Request, organisation: OrganisationId, wanted: PersonNamed, asking: Managing, version: Version
) -> Response:
    """Keep the name of the legal representative in the vault."""
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_legal_representative(desk, at, found, wanted.name),
    )


@router.put("/{organisation}/handler", response_model=OrganisationShown, responses=_CHANGED)
def put_handler(
    request: Request, organisation: OrganisationId, wanted: HandlerNamed, asking: Managing, version: Version
) -> Response:
    """Take the person of a verified session as handler; another person needs a new power of attorney."""
    registration = enterprise_platform(request).registration_policy
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_handler(
            desk, at, found, wanted.session, registration=registration
        ),
    )


@router.put(
    "/{organisation}/power-of-attorney", response_model=OrganisationShown, responses=_CHANGED,
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
    staged = _stage(request, organisation, asking, upload, EvidenceKind.CONTRACT)
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_power_of_attorney(
            desk, at, found, staged, begins=begins, until=until
        ),
    )


@router.put("/{organisation}/responsible-person", response_model=OrganisationShown, responses=_CHANGED)
def put_responsible_person(
    request: Request, organisation: OrganisationId, wanted: PersonNamed, asking: Managing, version: Version
) -> Response:
    """Keep the name of the person who answers for the lines, in the vault."""
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.record_responsible_person(desk, at, found, wanted.name),
    )


@router.post("/{organisation}/suspension", response_model=OrganisationShown, responses=_CHANGED)
def suspend(
    request: Request, organisation: OrganisationId, wanted: Suspension, asking: Suspending, version: Version
) -> Response:
    """Let the organisation open no more lines; its lines go on."""
    return _change(
        request,
        organisation,
        asking,
        version,
        lambda desk, at, found: organisations.suspend_organisation(desk, at, found, why=wanted.why),
        question=MaySuspendOrganisation,
    )


@router.post("/{organisation}/resumption", response_model=OrganisationShown, responses=_CHANGED)
def resume(request: Request, organisation: OrganisationId, asking: Suspending, version: Version) -> Response:
    """Lift a suspension."""
    return _change(
        request,
        organisation,
        asking,
        version,
        organisations.resume_organisation,
        question=MaySuspendOrganisation,
    )


@router.post("/{organisation}/closing", response_model=OrganisationShown, responses=_CHANGED)
def close(request: Request, organisation: OrganisationId, asking: Managing, version: Version) -> Response:
    """Close the organisation: it opens nothing more, and the retention clocks start."""
    return _change(request, organisation, asking, version, organisations.close_organisation)


def find(
    platform: EnterprisePlatform,
    organisation: str,
    asking: Asking,
    question: type[MayReadOrganisation | MayManageOrganisation | MaySuspendOrganisation],
) -> Organisation:
    """Return an organisation that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    try:
        reference = read_organisation_reference(organisation)
    except BadInput:
        raise unknown() from None
    with reading(platform.engine) as connection:
        found = organisations.find_organisation(connection, reference)
    if found is None or not asking.may(question(found.operator)):
        raise unknown()
    return found


def unknown() -> BadInput:
    """Return the error for an organisation that is not there, or not the caller's to know of."""
    return BadInput(
        "ORGANISATION_UNKNOWN",
        Text(zh="没有这个单位。", en="There is no such organisation."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def refused(outcome: OrganisationRefused) -> Refused:
    """Return the problem for what was refused."""
    return Refused(
        "ORGANISATION_REFUSED",
        Text(zh="不能登记此项。", en="This cannot be recorded of the organisation."),
        Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons."),
        {"reasons": [refusal.to_json() for refusal in outcome.refusals]},
    )


def _stage(
    request: Request, organisation: str, asking: Asking, upload: Upload, kind: EvidenceKind
) -> StagedEvidence:
    """Encrypt the image before the transaction that decides about it; unused it is swept away."""
    platform = enterprise_platform(request)
    found = find(platform, organisation, asking, MayManageOrganisation)
    with upload.file("image").open("rb") as source:
        return stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            organisations.paper_of(found, kind),
            source=source,
            retention=platform.registration_policy.retention,
            now=platform.clock.now(),
        )


def _change(
    request: Request,
    organisation: str,
    asking: Asking,
    version: str,
    change: Change,
    *,
    question: type[MayManageOrganisation | MaySuspendOrganisation] = MayManageOrganisation,
) -> Response:
    platform = enterprise_platform(request)
    reference = find(platform, organisation, asking, question).organisation_id
    desk = desk_of(platform)

    def work(connection: Connection) -> OrganisationFile | OrganisationRefused:
        found = organisations.find_organisation(connection, reference, for_update=True)
        if found is None:  # pragma: no cover - none is ever deleted
            raise unknown()
        require_version(version, etag(found.version))
        return change(desk, connection, found)

    outcome = transact(platform.engine, work)
    if isinstance(outcome, OrganisationRefused):
        raise refused(outcome)
    return _shown(outcome)


def _shown(file: OrganisationFile) -> Response:
    body = OrganisationShown.of(file).model_dump_json()
    return Response(body, headers={"etag": _version(file)}, media_type="application/json")


def _version(file: OrganisationFile) -> str:
    return etag(file.organisation.version)
