"""The rules of a policy in plain words: one sentence a value, with the place where it is written."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from shiming.jurisdictions.citations import Cited, Record, Wording
from shiming.jurisdictions.model import Channel, EntryKind, Policy, ProductClass, Route, StopReason

LABELS = Path(__file__).with_name("labels.toml")
NAMED_BY_TERM: Mapping[str, type[StrEnum]] = {
    "channels": Channel,
    "routes": Route,
    "products": ProductClass,
    "entries": EntryKind,
    "stops": StopReason,
}


class Labels(Record):
    """The words of the program: sections, keys (a `*` for a name) and terms (`Enumeration.value`)."""

    sections: Mapping[str, Wording]
    keys: Mapping[str, Wording]
    terms: Mapping[str, Wording]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One value in words. `group` is the name within the section (a subject, a channel), or empty."""

    section: str
    group: str
    path: str
    text: str
    value: Any
    citation: str
    source: str
    confidence: str
    confidence_words: str
    since: date
    until: date | None
    note: str
    chosen_for: str

    def to_json(self) -> dict[str, Any]:
        """Return all parts."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return parts | {"since": self.since.isoformat(), "until": self.until and self.until.isoformat()}


@lru_cache(maxsize=1)
def labels() -> Labels:
    """Return the words of the program."""
    return Labels.model_validate(tomllib.loads(LABELS.read_text(encoding="utf-8")))


def cited_values(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Cited[Any]]]:
    """Yield every cited value of a policy or a part of it, with its path."""
    if isinstance(node, Cited):
        yield path, node
    elif isinstance(node, Record):
        for name, child in node:
            yield from cited_values(child, (*path, name))
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from cited_values(child, (*path, str(name)))


def explain(policy: Policy, language: str = "en") -> tuple[Explanation, ...]:
    """Return every value of the policy in words, in the order of the sections."""
    speaker = _Speaker(policy, language)
    found = sorted(cited_values(policy), key=lambda item: _place(item[0]))
    return tuple(speaker.explain(path, cited) for path, cited in found)


def sources_cited(policy: Policy, language: str = "en") -> tuple[tuple[str, str], ...]:
    """Return title and confidence of every source that a value of the policy is cited from."""
    cited = {value.citation.split(":", 1)[0] for _, value in cited_values(policy)}
    return tuple(
        (
            source.title.in_language(language),
            labels().terms[f"Confidence.{source.confidence}"].in_language(language),
        )
        for name, source in policy.sources.items()
        if name in cited
    )


def _place(path: tuple[str, ...]) -> tuple[int, int]:
    """Order by section, then by the program's own order of channels and routes."""
    names = [term.value for term in NAMED_BY_TERM.get(path[0], ())]
    return list(labels().sections).index(path[0]), names.index(path[1]) if names else 0


@dataclass(frozen=True, slots=True)
class _Speaker:
    policy: Policy
    language: str

    def explain(self, path: tuple[str, ...], cited: Cited[Any]) -> Explanation:
        key, group = self._key_and_group(path)
        colon = "：" if self.language.startswith("zh") else ": "
        return Explanation(
            section=self._word(labels().sections[path[0]]),
            group=group,
            path=".".join(path),
            text=f"{self._word(labels().keys[key])}{colon}{self._say(cited.value)}",
            value=_plain(cited.value),
            citation=cited.citation,
            source=self.policy.cite(cited.citation, self.language),
            confidence=cited.confidence.value,
            confidence_words=self._term(f"Confidence.{cited.confidence}"),
            since=cited.since,
            until=cited.until,
            note=self._word(cited.note) if cited.note else "",
            chosen_for=cited.chosen_for or "",
        )

    def _key_and_group(self, path: tuple[str, ...]) -> tuple[str, str]:
        key = ".".join(path)
        if key in labels().keys:
            return key, ""
        section, name, *rest = path
        kind = NAMED_BY_TERM.get(section)
        group = self._say(kind(name)) if kind else self._say(name)
        return ".".join((section, "*", *rest)), group

    def _say(self, value: Any) -> str:
        chinese = self.language.startswith("zh")
        if isinstance(value, bool):
            return self._term(f"bool.{str(value).lower()}")
        if isinstance(value, StrEnum):
            return self._term(f"{type(value).__name__}.{value.value}")
        if isinstance(value, tuple):
            said = ("、" if chinese else ", ").join(self._say(each) for each in value)
            return said or self._term("word.none")
        if isinstance(value, Mapping):
            pairs = [f"{self._say(name)} = {self._say(each)}" for name, each in value.items()]
            return ("；" if chinese else "; ").join(pairs) or self._term("word.none")
        if isinstance(value, str):
            return self._name(value)
        return str(value)

    def _name(self, value: str) -> str:
        if value in self.policy.names:
            return self._word(self.policy.names[value])
        parts = re.findall(r"(\d+)([YMWD])", value) if re.fullmatch(r"P(\d+[YMWD])+", value) else []
        gap = "" if self.language.startswith("zh") else " "
        return gap.join(f"{number}{gap}{self._term(f'duration.{unit}')}" for number, unit in parts) or value

    def _term(self, name: str) -> str:
        return self._word(labels().terms[name])

    def _word(self, wording: Wording) -> str:
        return wording.in_language(self.language)


def _plain(value: Any) -> Any:
    """Return a value as JSON says it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return value.value if isinstance(value, StrEnum) else value
