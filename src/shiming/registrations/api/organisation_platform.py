"""What the routes about organisations share: the wired platform, finding one, changing one."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Protocol

from fastapi import Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import EvidenceKind, StagedEvidence
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.api.organisation_schemas import (
    OrganisationShown,
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

PREFIX = "/v1/organisations"
TAG = "organisations"


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
CHANGED = problem_responses(404, 409, 412, 428)
#: A change, given what it works with, the open transaction and the organisation as it is now.
Change = Callable[[Desk, Connection, Organisation], OrganisationFile | OrganisationRefused]


def enterprise_platform(request: Request) -> EnterprisePlatform:
    """Return the wired program."""
    platform: EnterprisePlatform = request.app.state.platform
    return platform


def desk_of(platform: EnterprisePlatform) -> Desk:
    """Return what changes of organisations work with."""
    policy = platform.policy(platform.default_pack, platform.today())
    return Desk(platform.registrations, policy, platform.clock.now(), platform.today())


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


def stage(
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


def change(
    request: Request,
    organisation: str,
    asking: Asking,
    version: str,
    work_on: Change,
    *,
    question: type[MayManageOrganisation | MaySuspendOrganisation] = MayManageOrganisation,
) -> Response:
    """Change the organisation that the caller has seen in this version; answer with how it stands then."""
    platform = enterprise_platform(request)
    reference = find(platform, organisation, asking, question).organisation_id
    desk = desk_of(platform)

    def work(connection: Connection) -> OrganisationFile | OrganisationRefused:
        found = organisations.find_organisation(connection, reference, for_update=True)
        if found is None:  # pragma: no cover - none is ever deleted
            raise unknown()
        require_version(version, etag(found.version))
        return work_on(desk, connection, found)

    outcome = transact(platform.engine, work)
    if isinstance(outcome, OrganisationRefused):
        raise refused(outcome)
    return shown(outcome)


def shown(file: OrganisationFile) -> Response:
    """Return the answer that shows an organisation."""
    body = OrganisationShown.of(file).model_dump_json()
    return Response(body, headers={"etag": version_of(file)}, media_type="application/json")


def version_of(file: OrganisationFile) -> str:
    """Return the tag of its version."""
    return etag(file.organisation.version)
