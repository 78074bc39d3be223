"""Scenarios that a lawyer can read, run over the rules of a pack.

    - scenario: An adult who holds five lines gets no sixth
      zh: 已持有五个号码的成年人不得再开办
      about: registration
      given: {date: 2026-03-01, cards held: 5}
      then: {outcome: refused, codes: [CAP_REACHED], cites: ["six_agencies2016:five_lines"]}

`given` are facts, `then` is what the rules have to conclude; a scenario states as much as it cares for.
A conclusion that the facts do not lead to counts as wrong, so that a scenario cannot pass by saying nothing.

`about` names the topic whose rules are asked; without it, those of this package. Topics of features above are
handed in by whoever runs the scenarios.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shiming.jurisdictions import proof_conclusions
from shiming.jurisdictions.dated_values import problems_of
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import FILE_BYTES_MAX, Pack, policy_on
from shiming.vocabulary.errors import BadInput, Text

NOTHING = "nothing"
PROOF = "proof"


@dataclass(frozen=True, slots=True)
class Topic:
    """The facts that scenarios about something may state, and the rules that conclude from them."""

    given: type[BaseModel]
    conclude: Callable[[Any, Policy], Mapping[str, Any]]


Topics = Mapping[str, Topic]
OWN_TOPICS: Topics = {PROOF: Topic(proof_conclusions.Given, proof_conclusions.conclude)}


class _Dated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")
    on: date = Field(alias="date")


class Scenario(BaseModel):
    """Facts and what has to follow from them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: Annotated[str, Field(min_length=1)]
    zh: str = ""
    about: str = PROOF
    story: str = ""  # the kind of holder or line that it stands for in `shiming demo law`
    given: Annotated[Mapping[str, Any], Field(min_length=1)]
    then: Annotated[Mapping[str, Any], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario came to; an empty `differences` means that it passed."""

    file: str
    scenario: Scenario
    differences: tuple[str, ...]
    concluded: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Tell whether the rules concluded what the scenario says."""
        return not self.differences


def run_scenarios(pack: Pack, topics: Topics = OWN_TOPICS) -> tuple[ScenarioResult, ...]:
    """Run all scenarios in the pack's folder, in the order of files and lines."""
    folder = pack.folder / "scenarios" if pack.folder else None
    files = sorted(folder.glob("*.yaml")) if folder else []
    return tuple(
        _result(file.name, scenario, pack, topics)
        for file in files
        for scenario in read_scenarios(file, topics)
    )


def read_scenarios(file: Path, topics: Topics = OWN_TOPICS) -> tuple[Scenario, ...]:
    """Return the scenarios of one file; raise BadInput when it is not a list of scenarios on known topics."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise _unreadable(file, f"larger than {FILE_BYTES_MAX} bytes")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _unreadable(file, str(error)) from None
    if not isinstance(content, list) or not content:
        raise _unreadable(file, "not a list of scenarios")
    try:
        read = tuple(Scenario.model_validate(each) for each in content)
        for scenario in read:
            if scenario.about not in topics:
                raise _unreadable(file, f"nothing is known about {scenario.about!r}")
            _Dated.model_validate(scenario.given)
            _facts(scenario, topics)
    except ValidationError as error:
        raise _unreadable(file, problems_of(error)[0]) from None
    return read


def differences(scenario: Scenario, pack: Pack, topics: Topics = OWN_TOPICS) -> tuple[str, ...]:
    """Return what the rules conclude otherwise than the scenario says."""
    return _result("", scenario, pack, topics).differences


def _result(file: str, scenario: Scenario, pack: Pack, topics: Topics) -> ScenarioResult:
    concluded: Mapping[str, Any]
    try:
        policy = policy_on(pack, day_of(scenario))
        concluded = topics[scenario.about].conclude(_facts(scenario, topics), policy)
    except BadInput as error:
        concluded = {"outcome": "unusable", "codes": [error.code], "refusal": {"code": error.code}}
    return ScenarioResult(file, scenario, tuple(_compare("", scenario.then, concluded)), concluded)


def day_of(scenario: Scenario) -> date:
    """Return the day whose rules a scenario is about."""
    return _Dated.model_validate(scenario.given).on


def _facts(scenario: Scenario, topics: Topics) -> BaseModel:
    """Read the facts; as JSON, so that strict models take the words of YAML."""
    return topics[scenario.about].given.model_validate_json(json.dumps(scenario.given, default=str))


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
