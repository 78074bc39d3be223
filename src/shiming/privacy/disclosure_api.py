"""Disclosures over HTTP: one person asks, two others approve, it is carried out once.

POST /v1/disclosures                           ask for evidence of one person to be disclosed
GET  /v1/disclosures                           requests, newest first
GET  /v1/disclosures/{disclosure}              one, with its ETag
POST /v1/disclosures/{disclosure}/approvals    agree (If-Match)
POST /v1/disclosures/{disclosure}/refusal      end it (If-Match)
POST /v1/disclosures/{disclosure}/execution    the marked copies as a ZIP file, once (If-Match)
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import Refusal, problem_responses
from shiming.privacy.api_platform import (
    SUBJECT_PATTERN,
    DisclosureId,
    actor_of,
    described,
    own,
    place_of,
    platform_of,
    unknown,
)
from shiming.privacy.copy_files import MEDIA_TYPE, packed
from shiming.privacy.disclosure_schemas import (
    DisclosurePage,
    DisclosureShown,
    DisclosureWanted,
    RefusalWanted,
    shown,
)
from shiming.privacy.permissions import (
    MayApproveDisclosure,
    MayExecuteDisclosure,
    MayReadDisclosure,
    MayRequestDisclosure,
)
from shiming.privacy.rules.disclosure import Disclosure, DisclosureObstacle
from shiming.privacy.use_cases import disclosures as use_cases
from shiming.privacy.use_cases.disclosure_execution import Disclosed, execute_disclosure
from shiming.privacy.use_cases.disclosures import DisclosureUnknown, Outcome

router = APIRouter(prefix="/v1/disclosures", tags=["disclosures"])
Reading = Annotated[Asking, asked(MayReadDisclosure, MayApproveDisclosure)]
Approving = Annotated[Asking, asked(MayApproveDisclosure)]
Key = Annotated[str | None, idempotency_key()]
Version = Annotated[str, if_match()]
_STEP = problem_responses(404, 409, 412, 428)
_ZIP = {"type": "string", "contentMediaType": MEDIA_TYPE}


@router.post("", status_code=201, response_model=DisclosureShown, responses=problem_responses(409))
def request_disclosure(
    request: Request,
    wanted: DisclosureWanted,
    asking: Annotated[Asking, asked(MayRequestDisclosure)],
    key: Key,
) -> Response:
    """Ask for evidence of one person to be disclosed outside the operator."""
    operator = wanted.operator if wanted.operator is not None else own(asking)
    asking.allow(MayRequestDisclosure(operator))
    platform = platform_of(request)
    now, policy = platform.clock.now(), platform.policy("", platform.today()).disclosures

    def work(connection: Connection) -> Answer:
        by, asked_for = actor_of(asking), wanted.request(operator)
        found = use_cases.request_disclosure(
            platform.privacy, connection, asked_for, by=by, policy=policy, now=now
        )
        disclosure = _or_refusal(found)
        location = f"{router.prefix}/{disclosure.disclosure_id}"
        return Answer.of(201, shown(disclosure, now), location=location, etag=etag(disclosure.version))

    client, wanted_hash = asking.caller.reference, hash_of(request, wanted)
    return idempotent(platform.engine, client, key, wanted_hash, work, now=now)


@router.get("", response_model=DisclosurePage)
def list_disclosures(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged("disclosures")],
    subject: Annotated[str | None, Query(pattern=SUBJECT_PATTERN, description="Pseudonym.")] = None,
) -> dict[str, object]:
    """List disclosures, newest first."""
    _allow_reading(asking)
    platform, after = platform_of(request), place_of(page)
    with reading(platform.engine) as connection:
        found = use_cases.list_disclosures(
            connection, operator=asking.caller.operator, subject=subject, limit=page.size + 1, after=after
        )
    now = platform.clock.now()
    items = [shown(disclosure, now) for disclosure in found]
    return page.listing(items, key=lambda each: (each.requested_at.isoformat(), each.id))


@router.get("/{disclosure}", responses=problem_responses(404))
def show_disclosure(
    request: Request, response: Response, disclosure: DisclosureId, asking: Reading
) -> DisclosureShown:
    """Show one disclosure."""
    _allow_reading(asking)
    platform = platform_of(request)
    with reading(platform.engine) as connection:
        found = use_cases.find_disclosure(connection, disclosure, operator=asking.caller.operator)
    if found is None:
        raise _unknown()
    response.headers["etag"] = etag(found.version)
    return shown(found, platform.clock.now())


@router.post("/{disclosure}/approvals", response_model=DisclosureShown, responses=_STEP)
def approve_disclosure(
    request: Request, disclosure: DisclosureId, asking: Approving, version: Version, key: Key
) -> Response:
    """Agree to a disclosure that another person asked for."""
    asking.allow(MayApproveDisclosure(own(asking)))
    platform = platform_of(request)

    def step(connection: Connection) -> Outcome:
        return use_cases.approve_disclosure(
            platform.privacy,
            connection,
            disclosure,
            by=actor_of(asking),
            now=platform.clock.now(),
            operator=asking.caller.operator,
            expecting=_expecting(version),
        )

    return _take(request, asking, key, hash_of(request, version.encode()), step)


@router.post("/{disclosure}/refusal", response_model=DisclosureShown, responses=_STEP)
def refuse_disclosure(
    request: Request,
    disclosure: DisclosureId,
    wanted: RefusalWanted,
    asking: Approving,
    version: Version,
) -> Response:
    """End a disclosure for good; one person is enough."""
    asking.allow(MayApproveDisclosure(own(asking)))
    platform = platform_of(request)

    def step(connection: Connection) -> Outcome:
        return use_cases.refuse_disclosure(
            platform.privacy,
            connection,
            disclosure,
            by=actor_of(asking),
            why=wanted.why,
            now=platform.clock.now(),
            operator=asking.caller.operator,
            expecting=_expecting(version),
        )

    return _take(request, asking, None, hash_of(request, wanted), step)


@router.post(
    "/{disclosure}/execution",
    response_class=Response,
    responses={200: described("Marked copies and a manifest.", MEDIA_TYPE, _ZIP), **_STEP},
)
def carry_out_disclosure(
    request: Request,
    disclosure: DisclosureId,
    asking: Annotated[Asking, asked(MayExecuteDisclosure)],
    version: Version,
) -> Response:
    """Return the copies, once. When the answer is lost, the disclosure is asked for anew."""
    asking.allow(MayExecuteDisclosure(own(asking)))
    platform, by = platform_of(request), actor_of(asking)
    now, on, operator = platform.clock.now(), platform.today(), asking.caller.operator

    def work(connection: Connection) -> Disclosed | DisclosureObstacle | DisclosureUnknown:
        known = use_cases.find_disclosure(connection, disclosure, operator=operator)
        name = platform.operator_name(known.request.operator) if known else ""
        return execute_disclosure(
            platform.privacy,
            connection,
            disclosure,
            by=by,
            operator_name=name,
            on=on,
            now=now,
            operator=operator,
            expecting=_expecting(version),
        )

    found = transact(platform.engine, work)  # the copies leave only after all of it is on record
    if not isinstance(found, Disclosed):
        raise _refused(found)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{disclosure}.zip"',
        "etag": etag(found.disclosure.version),
    }
    return Response(packed(found), media_type=MEDIA_TYPE, headers=headers)


def _allow_reading(asking: Asking) -> None:
    """Let in who may read disclosures, and who approves them: nobody approves what they cannot see."""
    if not asking.may(MayReadDisclosure(own(asking))):
        asking.allow(MayApproveDisclosure(own(asking)))


def _take(
    request: Request,
    asking: Asking,
    key: str | None,
    wanted_hash: str,
    step: Callable[[Connection], Outcome],
) -> Response:
    platform = platform_of(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        found = _or_refusal(step(connection))
        return Answer.of(200, shown(found, now), etag=etag(found.version))

    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=now)


def _expecting(version: str) -> Callable[[Disclosure], None]:
    return lambda disclosure: require_version(version, etag(disclosure.version))


def _or_refusal(found: Outcome) -> Disclosure:
    if isinstance(found, Disclosure):
        return found
    raise _refused(found)


def _refused(found: DisclosureObstacle | DisclosureUnknown) -> Exception:
    if isinstance(found, DisclosureUnknown):
        return _unknown()
    return Refusal(found.value, found.text, found.advice)


def _unknown() -> Exception:
    return unknown("DISCLOSURE_UNKNOWN", "没有这项对外提供申请。", "There is no such disclosure.")
