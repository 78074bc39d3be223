"""Scenarios that a lawyer can read, run over the rules of a pack.

    - scenario: An adult who holds five lines gets no sixth
      zh: 已持有五个号码的成年人不得再开办
      given: {date: 2026-03-01, lines held: 5}
      then: {line: refused, refusal: {code: CAP_REACHED, cites: "six_agencies2016:five_lines"}}

`given` are facts, `then` is what the rules have to conclude; a scenario states as much as it cares for.
A conclusion that the facts do not lead to counts as wrong, so that a scenario cannot pass by saying nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shiming.jurisdictions.dated_values import problems_of
from shiming.jurisdictions.model import AtCap, Channel, ClockStart, Policy, RetentionRule, Route
from shiming.jurisdictions.pack_reader import FILE_BYTES_MAX, Pack, policy_on
from shiming.jurisdictions.rules.accepted_documents import (
    DocumentAccepted,
    DocumentRefused,
    SubjectNotForeseen,
    decide_accepted_document,
)
from shiming.jurisdictions.rules.next_attempt import AttemptsLeft, EvidenceKind, decide_next_attempt
from shiming.jurisdictions.rules.required_checks import NotOffered, decide_required_checks
from shiming.jurisdictions.rules.retention_end import retention_end
from shiming.vocabulary.errors import BadInput, Text

NOTHING = "nothing"


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


class Scenario(BaseModel):
    """Facts and what has to follow from them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: Annotated[str, Field(min_length=1)]
    zh: str = ""
    given: Given
    then: Annotated[Mapping[str, Any], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario came to; an empty `differences` means that it passed."""

    file: str
    scenario: Scenario
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Tell whether the rules concluded what the scenario says."""
        return not self.differences


def run_scenarios(pack: Pack) -> tuple[ScenarioResult, ...]:
    """Run all scenarios in the pack's folder, in the order of files and lines."""
    folder = pack.folder / "scenarios" if pack.folder else None
    files = sorted(folder.glob("*.yaml")) if folder else []
    return tuple(
        ScenarioResult(file.name, scenario, differences(scenario, pack))
        for file in files
        for scenario in read_scenarios(file)
    )


def read_scenarios(file: Path) -> tuple[Scenario, ...]:
    """Return the scenarios of one file; raise BadInput when it is not a list of scenarios."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise _unreadable(file, f"larger than {FILE_BYTES_MAX} bytes")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _unreadable(file, str(error)) from None
    if not isinstance(content, list) or not content:
        raise _unreadable(file, "not a list of scenarios")
    try:
        return tuple(Scenario.model_validate(each) for each in content)
    except ValidationError as error:
        raise _unreadable(file, problems_of(error)[0]) from None


def differences(scenario: Scenario, pack: Pack) -> tuple[str, ...]:
    """Return what the rules conclude otherwise than the scenario says."""
    try:
        concluded = conclude(scenario.given, policy_on(pack, scenario.given.on))
    except BadInput as error:
        concluded = {"refusal": {"code": error.code}}
    return tuple(_compare("", scenario.then, concluded))


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
    rules: dict[str, RetentionRule] = dict(policy.retention)
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


def _compare(path: str, expected: Any, concluded: Any) -> Iterator[str]:
    """Compare what is stated; a list has to be equal, a mapping has to hold at least what is stated."""
    if isinstance(expected, Mapping) and isinstance(concluded, Mapping):
        for key, value in expected.items():
            yield from _compare(f"{path}{key}: ", value, concluded.get(key, NOTHING))
    elif expected != concluded:
        yield f"{path}expected {_say(expected)}, the rules say {_say(concluded)}"


def _say(value: Any) -> str:
    return ", ".join(str(each) for each in value) or NOTHING if isinstance(value, list) else str(value)


def _unreadable(file: Path, problem: str) -> BadInput:
    return BadInput(
        "SCENARIO_INVALID",
        Text(zh=f"无法读取情形文件 {file.name}：{problem}", en=f"Scenario file {file.name}: {problem}"),
        Text(zh="请对照内置规则包的情形。", en="Compare with the scenarios of the built-in pack."),
        {"file": file.name},
    )
