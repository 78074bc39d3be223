"""What the rules about documents, checks, attempts, retention and cards say about the facts given."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shiming.jurisdictions.model import AtCap, Channel, ClockStart, Policy, RetentionRule, Route
from shiming.jurisdictions.rules.accepted_documents import (
    DocumentAccepted,
    DocumentRefused,
    SubjectNotForeseen,
    decide_accepted_document,
)
from shiming.jurisdictions.rules.next_attempt import AttemptsLeft, EvidenceKind, decide_next_attempt
from shiming.jurisdictions.rules.required_checks import NotOffered, decide_required_checks
from shiming.jurisdictions.rules.retention_end import retention_end


class Given(BaseModel):
    """The facts of a scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: date = Field(alias="date")
    subject: str | None = None
    age: Annotated[int, Field(ge=0, le=150)] | None = None
    document: str | None = None
    channel: Channel | None = None
    route: Route = Route.STANDARD
    lines_held: Annotated[int, Field(ge=0)] | None = Field(alias="lines held", default=None)
    failed: Mapping[EvidenceKind, Annotated[int, Field(ge=0)]] = {}
    service_ended: date | None = Field(alias="service ended", default=None)
    decided: date | None = None
    accessed: date | None = None
    authority: str | None = None


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return everything that the rules say about the facts."""
    return {
        **_about_document(given, policy),
        **_about_checks(given, policy),
        **_about_line(given, policy),
        **_about_attempts(given, policy),
        **_about_retention(given, policy),
        **_about_authority(given, policy),
    }


def _about_document(given: Given, policy: Policy) -> dict[str, Any]:
    if given.subject is None or given.document is None:
        return {}
    outcome = decide_accepted_document(given.subject, given.document, policy, age_years=given.age)
    match outcome:
        case DocumentAccepted():
            return {
                "document": "accepted",
                "sides": list(outcome.sides),
                "fields recorded": list(outcome.fields),
                "copies marked with": list(outcome.watermark),
                "manual entry": "forbidden" if outcome.manual_entry_forbidden else "allowed",
                "guardian": "required" if outcome.guardian_required else "not required",
                "document cites": outcome.citation,
            }
        case DocumentRefused():
            return {"document": "refused", "refusal": {"code": outcome.code, "cites": outcome.citation}}
        case SubjectNotForeseen():
            return {"document": "refused", "refusal": {"code": "SUBJECT_NOT_FORESEEN"}}


def _about_checks(given: Given, policy: Policy) -> dict[str, Any]:
    if given.channel is None:
        return {}
    outcome = decide_required_checks(given.channel, given.route, policy)
    if isinstance(outcome, NotOffered):
        return {"refusal": {"code": "NOT_OFFERED"}}
    way = policy.routes[given.route]
    return {
        "required checks": [check.name.value for check in outcome.required],
        "advisory checks": [check.value for check in outcome.advisory],
        "level": outcome.level,
        "gestures": [gesture.value for gesture in way.gestures.value],
        "digits": way.digits.value.value,
        "checks cite": outcome.citation,
    }


def _about_line(given: Given, policy: Policy) -> dict[str, Any]:
    if given.lines_held is None:
        return {}
    cap = policy.caps["cards"]
    left = cap.lines_per_holder_max.value - given.lines_held
    general = {"cap": cap.lines_per_holder_max.value, "cap counts": cap.scope.value.value}
    if left > 0:
        return general | {"line": "allowed", "lines left": left}
    refused = cap.at_cap.value is AtCap.REFUSE
    cites = cap.lines_per_holder_max.citation
    return general | {
        "line": "refused" if refused else "reviewed",
        "lines left": 0,
        "refusal": {"code": "CAP_REACHED", "cites": cites},
    }


def _about_attempts(given: Given, policy: Policy) -> dict[str, Any]:
    concluded: dict[str, Any] = {}
    for evidence, failed in given.failed.items():
        outcome = decide_next_attempt(evidence, failed, policy)
        if isinstance(outcome, AttemptsLeft):
            routes = [route.value for route in outcome.routes]
            concluded[f"after {evidence}"] = {"attempts left": outcome.left, "routes offered": routes}
        else:
            concluded[f"after {evidence}"] = {"attempts left": 0, "next": outcome.then.value}
    return concluded


def _about_retention(given: Given, policy: Policy) -> dict[str, Any]:
    started = {
        ClockStart.SERVICE_END: given.service_ended,
        ClockStart.DECISION: given.decided,
        ClockStart.ACCESS: given.accessed,
    }
    rules = {name: rule for name, rule in policy.retention if isinstance(rule, RetentionRule)}
    ends = {
        evidence: retention_end(rule, start)
        for evidence, rule in rules.items()
        if (start := started[rule.clock.value]) is not None
    }
    return {"erased on": ends} if ends else {}


def _about_authority(given: Given, policy: Policy) -> dict[str, Any]:
    return (
        {"outcome": policy.authority.unreachable_outcome.value.value} if given.authority == "silent" else {}
    )
