"""Terms of service over HTTP: publish and read versions, and record that a customer accepted those in force.

POST /v1/terms
GET  /v1/terms/{operator}                        versions, the one that takes effect last first
GET  /v1/terms/{operator}/current                in force today
GET  /v1/terms/{operator}/{version}
GET  /v1/terms/{operator}/{version}/changes      since another version
POST /v1/orders/{session}/terms-acceptance
"""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.contract_platform import (
    SessionId,
    contract_platform,
    contract_policy,
    operator_of_order,
    refused,
)
from shiming.registrations.api.terms_schemas import (
    Acceptance,
    AcceptanceShown,
    TermsChanges,
    TermsList,
    TermsShown,
    change_shown,
    listed,
    shown,
)
from shiming.registrations.model.terms import AcceptTerms, PublishedTerms, TermsRefused
from shiming.registrations.model.terms_document import OperatorCode, TermsDocument, VersionName
from shiming.registrations.permissions.terms import MayPublishTerms, MayRecordAcceptance
from shiming.registrations.use_cases import terms
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(tags=["terms"])

_LIST = "terms"
_WHY = "whoever becomes a customer reads the terms before there is any account"
Operator = Annotated[OperatorCode, Path(description="Code of the operator.")]
Version = Annotated[VersionName, Path(description="Name of the version.")]
Key = Annotated[str | None, idempotency_key()]


@router.post("/v1/terms", status_code=201, response_model=TermsShown, responses=problem_responses(409))
def publish(
    request: Request,
    wanted: TermsDocument,
    asking: Annotated[Asking, asked(MayPublishTerms)],
    key: Key,
) -> Response:
    """Publish a version; it never changes and is never deleted. Refused with TERMS_REFUSED."""
    asking.allow(MayPublishTerms(wanted.operator))
    platform = contract_platform(request)
    policy, now = contract_policy(platform), platform.clock.now()

    def work(connection: Connection) -> Answer:
        outcome = terms.publish_terms(
            platform.registrations,
            connection,
            wanted.terms(),
            policy=policy,
            today=platform.today(),
            now=now,
        )
        if isinstance(outcome, TermsRefused):
            raise _refused(outcome)
        where = f"/v1/terms/{wanted.operator}/{wanted.version}"
        return Answer.of(201, shown(outcome.published), location=where)

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, wanted), work, now=now)


@router.get("/v1/terms/{operator}", response_model=TermsList, dependencies=[open_to_all(_WHY)])
def list_versions(
    request: Request, operator: Operator, page: Annotated[PageAsked, paged(_LIST)]
) -> dict[str, Any]:
    """List the versions of an operator, superseded and coming ones too."""
    with reading(contract_platform(request).engine) as connection:
        found = terms.list_terms(connection, operator, before=_before(page), limit=page.size + 1)
    rows = [listed(each).model_dump(mode="json") for each in found]
    return page.listing(rows, key=lambda row: (row["effective_from"],))


@router.get(
    "/v1/terms/{operator}/current",
    responses=problem_responses(404),
    dependencies=[open_to_all(_WHY)],
)
def read_current(request: Request, operator: Operator) -> TermsShown:
    """Return the version that is in force today, to be shown to the customer."""
    platform = contract_platform(request)
    with reading(platform.engine) as connection:
        return _shown(terms.find_terms_in_force(connection, operator, platform.today()))


@router.get(
    "/v1/terms/{operator}/{version}",
    responses=problem_responses(404),
    dependencies=[open_to_all(_WHY)],
)
def read(request: Request, operator: Operator, version: Version) -> TermsShown:
    """Return a version as it was published."""
    with reading(contract_platform(request).engine) as connection:
        return _shown(terms.find_terms(connection, operator, version))


@router.get(
    "/v1/terms/{operator}/{version}/changes",
    responses=problem_responses(404),
    dependencies=[open_to_all(_WHY)],
)
def read_changes(
    request: Request,
    operator: Operator,
    version: Version,
    since: Annotated[VersionName, Query(description="The earlier version.")],
) -> TermsChanges:
    """Return which clauses differ between two versions."""
    with reading(contract_platform(request).engine) as connection:
        found = terms.compare_terms(connection, operator, since, version)
    if found is None:
        raise _unknown()
    changes = [change_shown(each) for each in found]
    return TermsChanges(operator=operator, before=since, after=version, changes=changes)


@router.post(
    "/v1/orders/{session}/terms-acceptance",
    status_code=201,
    response_model=AcceptanceShown,
    responses=problem_responses(404, 409),
)
def accept(
    request: Request,
    session: SessionId,
    wanted: Acceptance,
    asking: Annotated[Asking, asked(MayRecordAcceptance)],
    key: Key,
) -> Response:
    """Record that the customer accepted the terms in force, by version and hash."""
    platform = contract_platform(request)
    operator = operator_of_order(platform, asking, session)
    policy, now = contract_policy(platform), platform.clock.now()
    command = AcceptTerms(session, wanted.version, wanted.content_hash, wanted.language, wanted.channel)

    def work(connection: Connection) -> Answer:
        outcome = terms.accept_terms(
            platform.registrations,
            connection,
            command,
            operator=operator,
            policy=policy,
            today=platform.today(),
            now=now,
        )
        if isinstance(outcome, TermsRefused):
            raise _refused(outcome)
        accepted = outcome.acceptance
        body = AcceptanceShown(
            session=session,
            version=accepted.version,
            content_hash=accepted.content_hash,
            language=accepted.language,
            channel=accepted.channel,
            accepted_at=accepted.accepted_at,
        )
        return Answer.of(201, body)

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, wanted), work, now=now)


def _shown(found: PublishedTerms | None) -> TermsShown:
    if found is None:
        raise _unknown()
    return shown(found)


def _before(page: PageAsked) -> date | None:
    match page.after:
        case None:
            return None
        case (str(day),):
            try:
                return date.fromisoformat(day)
            except ValueError:
                pass
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))


def _refused(outcome: TermsRefused) -> Exception:
    text = Text(zh="服务协议不能这样发布或接受。", en="The terms cannot be published or accepted so.")
    return refused("TERMS_REFUSED", text, outcome.refusals)


def _unknown() -> BadInput:
    return BadInput(
        "TERMS_UNKNOWN",
        Text(zh="没有这个服务协议版本。", en="There is no such version of the terms."),
        Text(zh="可用版本见列表。", en="The list of versions has those that exist."),
    )
