"""What two sets of rules say differently: two packs on one day, or one pack on two days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shiming.jurisdictions.explanations import Explanation, explain
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.errors import Text

_NOTHING = Text(zh="规则相同。", en="The rules are the same.")


class Change(StrEnum):
    """What became of a value from the first set of rules to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    FOUNDED_OTHERWISE = "founded_otherwise"  # the same value with another citation, confidence, date or note


_WORDS = {
    Change.ADDED: Text(zh="新增", en="added"),
    Change.REMOVED: Text(zh="删去", en="removed"),
    Change.CHANGED: Text(zh="改变", en="changed"),
    Change.FOUNDED_OTHERWISE: Text(zh="值相同，依据不同", en="the same value, founded otherwise"),
}


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """One value on both sides; None where a side has none."""

    path: str
    change: Change
    before: Explanation | None
    after: Explanation | None

    def to_json(self) -> dict[str, Any]:
        """Return both sides with citations and dates."""
        return {
            "path": self.path,
            "change": self.change.value,
            "before": self.before and _side(self.before),
            "after": self.after and _side(self.after),
        }


def differences_between(before: Policy, after: Policy, language: str = "en") -> tuple[ValueDifference, ...]:
    """Return everything that differs, in the order of the sections; nothing for the same rules."""
    first = {each.path: each for each in explain(before, language)}
    second = {each.path: each for each in explain(after, language)}
    paths = [*first, *(path for path in second if path not in first)]
    sections = list(dict.fromkeys(path.split(".", 1)[0] for path in paths))
    ordered = sorted(paths, key=lambda path: sections.index(path.split(".", 1)[0]))
    found = (_difference(path, first, second) for path in ordered)
    return tuple(each for each in found if each is not None)


def in_words(found: Sequence[ValueDifference], before: Policy, after: Policy, language: str) -> Iterator[str]:
    """Yield the differences as lines for people: what a value was, what it is, and where that is written."""
    yield f"- {before.pack_id} {before.pack_version} {before.on}   {before.content_hash}"
    yield f"+ {after.pack_id} {after.pack_version} {after.on}   {after.content_hash}"
    if not found:
        yield _NOTHING.in_language(language)
    section = ""
    for each in found:
        said = each.after or each.before
        if said is not None and said.section != section:
            section = said.section
            yield f"\n{section}"
        yield f"  {each.path} · {_WORDS[each.change].in_language(language)}"
        for mark, side in (("-", each.before), ("+", each.after)):
            if side is not None:
                yield f"    {mark} {side.text}"
                yield f"        {side.source} ({side.confidence_words}; {_days(side)})"


def _days(side: Explanation) -> str:
    return f"{side.since} – {side.until}" if side.until else str(side.since)


def _difference(
    path: str, first: Mapping[str, Explanation], second: Mapping[str, Explanation]
) -> ValueDifference | None:
    before, after = first.get(path), second.get(path)
    if before is None or after is None:
        return ValueDifference(path, Change.ADDED if before is None else Change.REMOVED, before, after)
    if before.value != after.value:
        return ValueDifference(path, Change.CHANGED, before, after)
    if _side(before) != _side(after):
        return ValueDifference(path, Change.FOUNDED_OTHERWISE, before, after)
    return None


def _side(said: Explanation) -> dict[str, Any]:
    """Return what counts as the same or not; words of other sections may differ between packs."""
    return {
        "value": said.value,
        "citation": said.citation,
        "source": said.source,
        "confidence": said.confidence,
        "since": said.since.isoformat(),
        "until": said.until and said.until.isoformat(),
        "note": said.note,
        "chosen_for": said.chosen_for,
    }
