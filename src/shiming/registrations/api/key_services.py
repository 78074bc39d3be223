"""Key voice services over HTTP: open one by the order of its handler's session, keep its number set.

POST /v1/key-services                              the session whose order is registered
POST /v1/key-services/{line}/authorisations        paper of whoever a number belongs to, multipart
GET  /v1/key-services/{line}/numbers               everything that is and was in the set
POST /v1/key-services/{line}/numbers               a number, from when to when, by which right
POST /v1/key-services/{line}/withdrawals           a number is shown no more
GET  /v1/key-services/{line}/authorised-numbers    what may be shown at an instant, and how long that holds
"""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import IMAGE, FilePart, Upload, UploadForm
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.api.organisation_platform import EnterprisePlatform, desk_of, enterprise_platform
from shiming.registrations.model.lines import Line
from shiming.registrations.model.number_sets import AuthorisedNumber, KeyServiceRefused, ValidityPeriod
from shiming.registrations.permissions.key_services import MayManageKeyService, MayReadNumberSet
from shiming.registrations.use_cases import key_services
from shiming.vocabulary.errors import Text
from shiming.vocabulary.instants import parse_instant

router = APIRouter(prefix="/v1/key-services", tags=["key voice services"])

_LIST = "number set"
PAPER = UploadForm((FilePart("image", IMAGE),))
LineId = Annotated[
    str, Path(description="Reference of the line.", max_length=40, examples=["REG-0082-0C20-A1G7-D"])
]
Managing = Annotated[Asking, asked(MayManageKeyService)]
Reading = Annotated[Asking, asked(MayReadNumberSet)]
Key = Annotated[str | None, idempotency_key()]
Number = Annotated[str, Field(max_length=40, examples=["+8613800138000"], repr=False)]
_GONE_ON = problem_responses(404, 409)


class NewKeyService(BaseModel):
    """The session of the handler, whose order says what is wanted."""

    model_config = ConfigDict(extra="forbid")
    operator: Annotated[str | None, Field(max_length=32, examples=["cn-mobile"])] = None
    session: Annotated[str, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D"])]


class KeyServiceShown(BaseModel):
    """A line of a key voice service."""

    id: str
    product_class: str
    operator: str
    organisation: str
    status: str


class NewNumber(BaseModel):
    """A number that the line may show, from when to when, and by which right if it is not its own."""

    model_config = ConfigDict(extra="forbid")
    number: Number
    valid_from: datetime
    valid_until: datetime | None = None
    authorised_by: Annotated[str | None, Field(max_length=64, examples=["EVD-0082-0C20-A1G7-D"])] = None


class NumberWithdrawn(BaseModel):
    """A number that is shown no more, from when on (now, if it is not said)."""

    model_config = ConfigDict(extra="forbid")
    number: Number
    at: datetime | None = None


class NumberShown(BaseModel):
    """A number in the set of a line."""

    id: str
    number: str
    valid_from: datetime
    valid_until: datetime | None
    own: bool
    authorised_by: str | None
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, entry: AuthorisedNumber) -> Self:
        """Return what is shown of it."""
        return cls(
            id=entry.entry_id,
            number=entry.number,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            own=entry.own,
            authorised_by=entry.authorised_by,
            withdrawn_at=entry.withdrawn_at,
        )


class NumbersShown(Listing):
    """A page of a number set."""

    items: list[NumberShown]


class AuthorisedNumbers(BaseModel):
    """What a line may show at an instant; the answer may be remembered for `ttl_seconds`."""

    line: str
    at: datetime
    numbers: list[str]
    ttl_seconds: int


class AuthorisationKept(BaseModel):
    """The reference of a paper in the vault."""

    evidence: str


@router.post("", status_code=201, response_model=KeyServiceShown, responses=_GONE_ON)
def open_key_service(request: Request, wanted: NewKeyService, asking: Managing) -> Response:
    """Register the key voice service that the order of a handler's session asks for; twice is once."""
    operator = wanted.operator or asking.caller.operator or ""
    asking.allow(MayManageKeyService(operator))
    platform = enterprise_platform(request)
    desk, registration = desk_of(platform), platform.registration_policy
    done = transact(
        platform.engine,
        lambda connection: key_services.open_key_service(
            desk, connection, wanted.session, operator=operator, registration=registration
        ),
    )
    if isinstance(done, KeyServiceRefused):
        raise _refused(done)
    body = KeyServiceShown(
        id=done.line_id,
        product_class=done.product_class,
        operator=done.operator,
        organisation=done.subject,
        status=done.status.value,
    )
    return Response(body.model_dump_json(), 201, media_type="application/json")


@router.post(
    "/{line}/authorisations", status_code=201, responses=_GONE_ON, openapi_extra=PAPER.openapi_extra()
)
def keep_authorisation(
    request: Request, line: LineId, asking: Managing, upload: Annotated[Upload, PAPER.received()]
) -> AuthorisationKept:
    """Keep the paper by which somebody lets the line show their number."""
    platform = enterprise_platform(request)
    found = _find(platform, line, asking, MayManageKeyService)
    desk = desk_of(platform)
    with upload.file("image").open("rb") as source:
        staged = stage_evidence(
            platform.registrations.privacy,
            platform.engine,
            key_services.authorisation_of(found),
            source=source,
            retention=desk.policy.retention,
            now=desk.now,
        )
    ref = transact(
        platform.engine, lambda connection: key_services.keep_authorisation(desk, connection, staged)
    )
    return AuthorisationKept(evidence=ref.evidence_id)


@router.get("/{line}/numbers", response_model=NumbersShown, responses=problem_responses(404))
def list_numbers(
    request: Request, line: LineId, asking: Reading, page: Annotated[PageAsked, paged(_LIST)]
) -> dict[str, Any]:
    """List everything that is and was in the number set of a line."""
    platform = enterprise_platform(request)
    found = _find(platform, line, asking, MayReadNumberSet)
    after = str(page.after[0]) if page.after else None
    with reading(platform.engine) as connection:
        listed = key_services.list_number_set(connection, found.line_id, after=after, limit=page.size + 1)
    return page.listing([NumberShown.of(entry) for entry in listed], key=lambda row: (row.id,))


@router.post("/{line}/numbers", status_code=201, response_model=NumberShown, responses=_GONE_ON)
def authorise_number(
    request: Request, line: LineId, wanted: NewNumber, asking: Managing, key: Key
) -> Response:
    """Let a line show a number for some time: one of its organisation, or one by recorded authorisation."""
    platform = enterprise_platform(request)
    found = _find(platform, line, asking, MayManageKeyService)
    desk = desk_of(platform)
    validity = ValidityPeriod(*map(_aware, (wanted.valid_from, wanted.valid_until)))  # type: ignore[arg-type]
    number = platform.registration_policy.read_number(wanted.number)

    def work(connection: Connection) -> Answer:
        done = key_services.authorise_number(
            desk, connection, found, number, validity, authorised_by=wanted.authorised_by
        )
        if isinstance(done, KeyServiceRefused):
            raise _refused(done)
        return Answer.of(201, NumberShown.of(done.entry))

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=desk.now)


@router.post("/{line}/withdrawals", responses=_GONE_ON)
def withdraw_number(
    request: Request, line: LineId, wanted: NumberWithdrawn, asking: Managing
) -> list[NumberShown]:
    """Let a line show a number no more, from now or from an instant on."""
    platform = enterprise_platform(request)
    found = _find(platform, line, asking, MayManageKeyService)
    desk, number = desk_of(platform), platform.registration_policy.read_number(wanted.number)
    done = transact(
        platform.engine,
        lambda connection: key_services.withdraw_number(
            desk, connection, found, number, at=_aware(wanted.at)
        ),
    )
    if isinstance(done, KeyServiceRefused):
        raise _refused(done)
    return [NumberShown.of(entry) for entry in done]


@router.get("/{line}/authorised-numbers", responses=problem_responses(404))
def authorised_numbers(
    request: Request,
    line: LineId,
    asking: Reading,
    at: Annotated[str | None, Query(max_length=40, description="RFC 3339; now, if it is not said.")] = None,
) -> AuthorisedNumbers:
    """Return which numbers a line may show at an instant, and for how long the answer holds."""
    platform = enterprise_platform(request)
    found = _find(platform, line, asking, MayReadNumberSet)
    instant = platform.clock.now() if at is None else parse_instant(at)
    with reading(platform.engine) as connection:
        known = key_services.authorised_numbers(connection, found.line_id, instant)
    return AuthorisedNumbers(
        line=known.line_id, at=known.at, numbers=sorted(known.numbers), ttl_seconds=known.ttl_seconds
    )


def _find(
    platform: EnterprisePlatform,
    line: str,
    asking: Asking,
    question: type[MayManageKeyService | MayReadNumberSet],
) -> Line:
    asking.allow(question(asking.caller.operator or ""))
    with reading(platform.engine) as connection:
        found = key_services.find_key_service(connection, line)
    if found is None or not asking.may(question(found.operator)):
        raise key_services.key_service_unknown()
    return found


def _refused(outcome: KeyServiceRefused) -> Refused:
    return Refused(
        "KEY_SERVICE_REFUSED",
        Text(zh="不能办理该重点业务。", en="This cannot be done for the key voice service."),
        Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons."),
        {"reasons": [refusal.to_json() for refusal in outcome.refusals]},
    )


def _aware(instant: datetime | None) -> datetime | None:
    return None if instant is None else parse_instant(instant.isoformat())  # BadInput without a zone
