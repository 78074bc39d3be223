"""Lines: found by their number, with stops that are set and lifted, cards, and what the network was told."""

from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.desk.desk_page import Refused, desk_page, platform_of, rules_of, tried
from shiming.entrypoints.pages.desk.line_facts import TONES, facts_of_line
from shiming.entrypoints.pages.desk.words import word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.language import language_of
from shiming.jurisdictions.model import StopActor, StopReason
from shiming.registrations.api.line_platform import LineId, line_unknown
from shiming.registrations.model.stops import LineStanding
from shiming.registrations.permissions.registration import MayReadRegistration
from shiming.registrations.permissions.stops import MayStopForCompliance, MayStopForHolder
from shiming.registrations.use_cases import lines, stops
from shiming.vocabulary.errors import ShimingError, Text

router = page_router()
Reading = Annotated[Asking, asked(MayReadRegistration)]
Stopping = Annotated[Asking, asked(MayReadRegistration, MayStopForHolder, MayStopForCompliance)]
_NO_LINE = Text(zh="没有该号码的登记。", en="No line is registered under this.")
_COMPLIANCE, _HOLDER, _CLERK = StopActor.COMPLIANCE, StopActor.HOLDER, StopActor.CLERK


class FindForm(BaseModel):
    """A number, or the reference of a line."""

    model_config = ConfigDict(extra="ignore")
    number: Annotated[str, Field(max_length=40, repr=False)]


class StopForm(BaseModel):
    """Why a line is to be stopped, on whose behalf, and what it rests on."""

    model_config = ConfigDict(extra="ignore")
    reason: StopReason
    actor: Literal[StopActor.HOLDER, StopActor.CLERK, StopActor.COMPLIANCE]
    reference: Annotated[str, Field(max_length=64)]
    sure: bool


class LiftForm(BaseModel):
    """Which stop is to be lifted, on whose behalf."""

    model_config = ConfigDict(extra="ignore")
    reason: StopReason
    reference: Annotated[str, Field(max_length=64)]
    actor: Literal[StopActor.HOLDER, StopActor.CLERK, StopActor.COMPLIANCE]


@router.get("/desk/lines")
def ask_for_line(request: Request, asking: Reading) -> Response:
    """Ask which line."""
    asking.allow(MayReadRegistration(asking.caller.operator or ""))
    return desk_page(request, asking, "desk/lines.html")


@router.post("/desk/lines")
def find_line(
    request: Request, asking: Reading, wanted: Annotated[Filled[FindForm], form(FindForm)]
) -> Response:
    """Lead on to the line of a number; the number itself stands in no address."""
    asking.allow(MayReadRegistration(asking.caller.operator or ""))
    if wanted.value is None:
        return desk_page(request, asking, "desk/lines.html", wanted.again(), status=422)
    platform, text = platform_of(request), wanted.value.number
    try:
        with reading(platform.engine) as connection:
            if text.upper().startswith("REG-"):
                found = lines.find_line(connection, text.upper())
            else:
                found = lines.show_line(connection, platform.registration_policy.read_number(text))
    except ShimingError as problem:
        return _not_found(request, asking, wanted, problem.text, status=422)
    if found is None or not asking.may(MayReadRegistration(found.operator)):
        return _not_found(request, asking, wanted, _NO_LINE, status=404)
    return see_other(f"/desk/lines/{found.line_id}")


@router.get("/desk/lines/{line}")
def show_line(request: Request, line: LineId, asking: Reading) -> Response:
    """Show how a line stands."""
    return _shown(request, asking, _find(request, asking, line))


@router.post("/desk/lines/{line}/stops")
def stop(
    request: Request,
    line: LineId,
    asking: Stopping,
    wanted: Annotated[Filled[StopForm], form(StopForm)],
) -> Response:
    """Stop a line for a reason."""
    standing = _find(request, asking, line)
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _shown(request, asking, standing, context=wanted.again(), status=422)
    asking.allow(_right(chosen.actor)(standing.line.operator))
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: stops.set_stop(
                platform.registrations,
                connection,
                standing.line.line_id,
                reason=chosen.reason,
                actor=chosen.actor,
                reference=chosen.reference,
                account=asking.caller.reference,
                now=platform.clock.now(),
                policy=rules_of(platform),
            ),
        )
    )
    return _led_on(request, asking, standing, refused, "stopped", wanted.entered)


@router.post("/desk/lines/{line}/stops/lift")
def lift(
    request: Request,
    line: LineId,
    asking: Stopping,
    wanted: Annotated[Filled[LiftForm], form(LiftForm)],
) -> Response:
    """Lift a stop; what else stops the line stays."""
    standing = _find(request, asking, line)
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _shown(request, asking, standing, context=wanted.again(), status=422)
    asking.allow(_right(chosen.actor)(standing.line.operator))
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: stops.lift_stop(
                platform.registrations,
                connection,
                standing.line.line_id,
                reason=chosen.reason,
                actor=chosen.actor,
                reference=chosen.reference,
                account=asking.caller.reference,
                now=platform.clock.now(),
                policy=rules_of(platform),
            ),
        )
    )
    return _led_on(request, asking, standing, refused, "lifted", {})


def _right(actor: StopActor) -> type[MayStopForCompliance | MayStopForHolder]:
    """Return the permission that goes with an actor; the policy says which reasons are theirs."""
    return MayStopForCompliance if actor is _COMPLIANCE else MayStopForHolder


def _find(request: Request, asking: Asking, line_id: str) -> LineStanding:
    asking.allow(MayReadRegistration(asking.caller.operator or ""))
    with reading(platform_of(request).engine) as connection:
        found = stops.line_status(connection, line_id)
    if found is None or not asking.may(MayReadRegistration(found.line.operator)):
        raise line_unknown()
    return found


def _not_found(
    request: Request, asking: Asking, wanted: Filled[FindForm], text: Text, *, status: int
) -> Response:
    mistakes = {"number": text.in_language(language_of(request))}
    facts = {"mistakes": mistakes, "entered": wanted.entered}
    return desk_page(request, asking, "desk/lines.html", facts, status=status)


def _led_on(
    request: Request,
    asking: Asking,
    standing: LineStanding,
    refused: Refused | None,
    said: str,
    entered: Any,
) -> Response:
    if refused is None:
        return see_other(f"/desk/lines/{standing.line.line_id}", said=said)
    context = {"refused": refused, "entered": entered}
    return _shown(request, asking, standing, context=context, status=409)


def _shown(
    request: Request,
    asking: Asking,
    standing: LineStanding,
    *,
    context: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    operator = standing.line.operator
    gate, caller = asking.gatekeeper, asking.caller
    for_holder = gate.allow(caller, MayStopForHolder(operator))
    for_compliance = gate.allow(caller, MayStopForCompliance(operator))
    actors = [
        *((_HOLDER, _CLERK) if for_holder else ()),
        *((_COMPLIANCE,) if for_compliance else ()),
    ]
    facts = {
        "line": standing.line,
        "status": word(standing.line.status),
        "tone": TONES.get(standing.line.status, ""),
        "stops": [(stop, word(stop.reason), word(stop.level), word(stop.set_by)) for stop in standing.stops],
        "actors": [(actor.value, word(actor)) for actor in actors],
        "reasons": [(reason.value, word(reason)) for reason in StopReason],
        "refused": None,
        **facts_of_line(request, asking, standing.line),
        **(context or {}),
    }
    return desk_page(request, asking, "desk/line.html", facts, status=status)
