"""The leaves of a pack: every value with its citation and its days, and what may be wrong with them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from shiming.jurisdictions.citations import Cited, Source
from shiming.vocabulary.errors import BadInput, Text

_ADVICE = Text(zh="请用 shiming packs check 检查规则包。", en="Check the pack with: shiming packs check PACK")


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One value of one key with the days on which it is in force; `content` is its JSON."""

    path: tuple[str, ...]
    cited: Cited[Any]
    content: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return the path as people write it."""
        return ".".join(self.path)

    def in_force(self, on: date) -> bool:
        """Tell whether the value applies on that day; `until` is the first day without it."""
        return self.cited.since <= on and (self.cited.until is None or on < self.cited.until)


def is_leaf(node: Mapping[str, Any]) -> bool:
    """Tell a value from a section of values."""
    return "value" in node or "citation" in node


def dated_values(node: Any, path: tuple[str, ...]) -> Iterator[DatedValue]:
    """Yield every leaf of JSON content; raise BadInput for a bare value or a leaf that says too little."""
    if isinstance(node, Mapping) and not is_leaf(node):
        for key, child in node.items():
            yield from dated_values(child, (*path, key))
    elif isinstance(node, Mapping):
        yield _dated_value(node, path, ".".join(path))
    elif isinstance(node, list) and node and all(isinstance(each, Mapping) for each in node):
        for number, each in enumerate(node):
            yield _dated_value(each, path, f"{'.'.join(path)}[{number}]")
    else:
        raise refusal([f"{'.'.join(path)}: a value without citation"])


def _dated_value(leaf: Mapping[str, Any], path: tuple[str, ...], place: str) -> DatedValue:
    try:
        cited = Cited[Any].model_validate_json(json.dumps(leaf))
    except ValidationError as error:
        raise refusal(f"{place}.{problem}" for problem in problems_of(error)) from None
    return DatedValue(path, cited, leaf)


def citation_problems(values: Iterable[DatedValue], sources: Mapping[str, Source]) -> Iterator[str]:
    """Find citations of unknown places, and values that claim to be surer than what they cite."""
    for value in values:
        name, article = value.cited.citation.split(":", 1)
        if name not in sources or article not in sources[name].articles:
            yield f"{value.key}.citation: no source {value.cited.citation}"
            continue
        surest = sources[name].articles[article].confidence or sources[name].confidence
        if value.cited.confidence.rank < surest.rank:
            yield f"{value.key}.confidence: {value.cited.confidence} is surer than its source ({surest})"


def date_problems(values: Iterable[DatedValue]) -> Iterator[str]:
    """Find values that end before they begin, and two values of one key on one day."""
    ordered = sorted(values, key=lambda value: (value.path, value.cited.since))
    for value in ordered:
        if value.cited.until is not None and value.cited.until <= value.cited.since:
            yield f"{value.key}: until {value.cited.until} is not after since {value.cited.since}"
    for earlier, later in pairwise(ordered):
        if earlier.path == later.path and earlier.in_force(later.cited.since):
            yield f"{later.key}: two values are in force on {later.cited.since}"


def days_of_change(values: Iterable[DatedValue], effective: date) -> tuple[date, ...]:
    """Return the first day and every later day on which some value begins or ends, in order."""
    days = {day for value in values for day in (value.cited.since, value.cited.until) if day is not None}
    return (effective, *sorted(day for day in days if day > effective))


def tree_on(values: Iterable[DatedValue], on: date) -> dict[str, Any]:
    """Return the values in force on a day, in their sections."""
    root: dict[str, Any] = {}
    for value in values:
        if value.in_force(on):
            section = root
            for key in value.path[:-1]:
                section = section.setdefault(key, {})
            section[value.path[-1]] = value.content
    return root


def problems_of(error: ValidationError) -> list[str]:
    """Return each problem as `path: what is wrong`, without the input."""
    found = error.errors(include_url=False, include_input=False)
    return [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in found]


def refuse_any(problems: Iterable[str]) -> None:
    """Raise BadInput naming all problems, if there are any."""
    found = list(problems)
    if found:
        raise refusal(found)


def refusal(problems: Iterable[str]) -> BadInput:
    """Return the error that refuses a pack for these problems."""
    found = list(problems)
    text = Text(zh=f"规则包不可用：{found[0]}", en=f"The policy pack is refused: {found[0]}")
    return BadInput("PACK_INVALID", text, _ADVICE, {"problems": found})
