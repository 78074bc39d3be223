"""Status and stops of lines over HTTP.

GET  /v1/lines/{line}/status      status, open stops, what CAMARA and TM Forum call it; with ETag
GET  /v1/lines/{line}/stops       every stop that the line has or had
POST /v1/lines/{line}/stops       stop it for a reason
POST /v1/lines/{line}/stops/lift  lift the stops of a reason; with If-Match

A line of another operator is not found, for those who belong to one.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.jurisdictions.model import StopActor
from shiming.registrations.api.line_platform import (
    LineId,
    as_listing,
    line_platform,
    line_unknown,
    refused,
    rules_of,
)
from shiming.registrations.api.stop_schemas import (
    Lifting,
    NewStop,
    StatusShown,
    StopAnswer,
    Stops,
    status_shown,
    stop_shown,
    version_of,
)
from shiming.registrations.model.stops import LineStanding, StopRefused
from shiming.registrations.permissions.registration import MayReadRegistration
from shiming.registrations.permissions.stops import MayStopForCompliance, MayStopForHolder
from shiming.registrations.use_cases import stops
from shiming.vocabulary.errors import Text

router = APIRouter(prefix="/v1/lines", tags=["lines"])

Reading = Annotated[Asking, asked(MayReadRegistration)]
Stopping = Annotated[Asking, asked(MayReadRegistration, MayStopForHolder, MayStopForCompliance)]
_PROBLEMS = problem_responses(404, 409)


@router.get("/{line}/status", response_model=StatusShown, responses=problem_responses(404))
def status(request: Request, line: LineId, asking: Reading) -> Response:
    """Return how a line stands: its status, its open stops, and both in the words of CAMARA and TM Forum."""
    standing = _find(request, line, asking)
    body = status_shown(standing).model_dump_json()
    return Response(body, headers={"etag": etag(version_of(standing))}, media_type="application/json")


@router.get("/{line}/stops", response_model=Stops, responses=problem_responses(404))
def history(request: Request, line: LineId, asking: Reading) -> dict[str, Any]:
    """List every stop that a line has or had, oldest first, with what its holder is told."""
    standing = _find(request, line, asking)
    return as_listing([stop_shown(stop).model_dump() for stop in standing.stops])


@router.post("/{line}/stops", status_code=201, response_model=StopAnswer, responses=_PROBLEMS)
def stop(
    request: Request,
    line: LineId,
    wanted: NewStop,
    asking: Stopping,
    key: Annotated[str | None, idempotency_key()],
) -> Response:
    """Stop a line for a reason; refused with STOP_REFUSED and every reason in `details.reasons`."""
    platform = line_platform(request)
    standing = _find(request, line, asking)
    _require_right(asking, wanted.actor, standing.line.operator)
    policy, now = rules_of(platform), platform.clock.now()

    def work(connection: Connection) -> Answer:
        outcome = stops.set_stop(
            platform.registrations,
            connection,
            line,
            reason=wanted.reason,
            actor=wanted.actor,
            reference=wanted.reference,
            at=wanted.at,
            account=asking.caller.reference,
            now=now,
            policy=policy,
        )
        if isinstance(outcome, StopRefused):
            raise _refused(outcome)
        answer = StopAnswer(
            line=line,
            before=outcome.before,
            after=outcome.after,
            repeated=outcome.repeated,
            stops=[stop_shown(outcome.stop)],
        )
        return Answer.of(201, answer, location=f"{router.prefix}/{line}/stops")

    wanted_hash = hash_of(request, wanted)
    return idempotent(platform.engine, asking.caller.reference, key, wanted_hash, work, now=now)


@router.post("/{line}/stops/lift", responses=problem_responses(404, 409, 412, 428))
def lift(
    request: Request,
    line: LineId,
    wanted: Lifting,
    asking: Stopping,
    version: Annotated[str, if_match()],
) -> StopAnswer:
    """Lift the stops of a reason; what else stops the line stays. Refused with STOP_REFUSED."""
    platform = line_platform(request)
    standing = _find(request, line, asking)
    _require_right(asking, wanted.actor, standing.line.operator)
    policy, now = rules_of(platform), platform.clock.now()

    def work(connection: Connection) -> StopAnswer:
        present = stops.line_status(connection, line)
        if present is not None:
            require_version(version, etag(version_of(present)))
        outcome = stops.lift_stop(
            platform.registrations,
            connection,
            line,
            reason=wanted.reason,
            actor=wanted.actor,
            reference=wanted.reference,
            account=asking.caller.reference,
            now=now,
            policy=policy,
        )
        if isinstance(outcome, StopRefused):
            raise _refused(outcome)
        lifted = [stop_shown(stop) for stop in outcome.stops]
        return StopAnswer(line=line, before=outcome.before, after=outcome.after, repeated=False, stops=lifted)

    return transact(platform.engine, work)


def _find(request: Request, line_id: str, asking: Asking) -> LineStanding:
    asking.allow(MayReadRegistration(asking.caller.operator or ""))
    with reading(line_platform(request).engine) as connection:
        found = stops.line_status(connection, line_id)
    if found is None or not asking.may(MayReadRegistration(found.line.operator)):
        raise line_unknown()
    return found


def _require_right(asking: Asking, actor: StopActor, operator: str) -> None:
    """Ask for the permission that goes with an actor; the policy then says which reasons are theirs."""
    if actor is StopActor.COMPLIANCE:
        asking.allow(MayStopForCompliance(operator))
    else:
        asking.allow(MayStopForHolder(operator))


def _refused(outcome: StopRefused) -> Exception:
    text = Text(zh="该号码的停机状态不能这样更改。", en="The stops of this line cannot be changed so.")
    return refused("STOP_REFUSED", text, outcome.refusals)
