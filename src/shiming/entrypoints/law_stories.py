"""`shiming demo law`: the rules about lines as stories, generated from the scenarios of the packs.

A scenario with `story: KIND` stands for that kind of holder or line. Every story is concluded by the same
pure rules that decide at the counter; one whose outcome differs from the scenario makes the command fail.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import Pack, builtin_packs, policy_on, read_pack
from shiming.jurisdictions.scenarios import PROOF, ScenarioResult, day_of, run_scenarios
from shiming.vocabulary.refusals import Refusal

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {"accepted": "[green]✓[/]", "refused": "[red]✗[/]", "stopped": "[red]✗[/]"}
_SAID = {
    "accepted": ("同意", "accepted"),
    "refused": ("拒绝", "refused"),
    "review": ("加强核查", "goes to review"),
    "unusable": ("无法处理", "cannot be used"),
    "stopped": ("停止呼出", "the line is stopped"),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario with its conclusion."""

    pack: Pack
    result: ScenarioResult

    @property
    def outcome(self) -> str:
        """How it ends: accepted, refused, review, or another word of the topic."""
        return str(self.result.concluded.get("outcome", "accepted"))

    @property
    def policy(self) -> Policy:
        """The rules of its day."""
        return policy_on(self.pack, day_of(self.result.scenario))

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Why it was refused."""
        found = self.result.concluded.get("reasons", ())
        return tuple(each for each in found if isinstance(each, Refusal))

    def cites(self) -> tuple[str, ...]:
        """Every provision that the conclusion rests on, as `source:article`."""
        cites = self.result.concluded.get("cites", ())
        return tuple(dict.fromkeys([cites] if isinstance(cites, str) else cites))

    def to_json(self) -> dict[str, Any]:
        """Return facts, outcome, codes and citations."""
        scenario = self.result.scenario
        return {
            "story": scenario.story,
            "pack": self.pack.id,
            "about": scenario.about,
            "scenario": {"en": scenario.scenario, "zh": scenario.zh},
            "facts": scenario.given,
            "outcome": self.outcome,
            "refusals": [refusal.to_json() for refusal in self.reasons],
            "cites": {each: self.policy.cite(each) for each in self.cites()},
            "as_it_should_be": self.result.passed,
            "differences": list(self.result.differences),
        }


def law(
    context: typer.Context,
    pack: Annotated[str | None, typer.Option(help="One pack; all built-in packs if none.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Walk every scenario about lines.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Walk one story per kind of holder and line: facts, outcome, code, citation.

    Exit code 1: an outcome differs from the scenario. Example: shiming demo law --pack cn
    """
    platform = context.obj()
    packs = [read_pack(name) for name in ([pack] if pack else builtin_packs())]
    stories = [story for each in packs for story in stories_of(each, platform.scenario_topics, every=every)]
    wrong = [story for story in stories if not story.result.passed]
    if as_json:
        told = {"stories": [story.to_json() for story in stories], "differing": len(wrong)}
        typer.echo(json.dumps(told, ensure_ascii=False, default=str))
    else:
        _tell(stories, platform.language)
    raise typer.Exit(1 if wrong or not stories else 0)


def stories_of(pack: Pack, topics: Mapping[str, Any], *, every: bool) -> Iterator[Story]:
    """Yield the stories of a pack, in the order of files and lines."""
    for result in run_scenarios(pack, topics):
        if result.scenario.story or (every and result.scenario.about != PROOF):
            yield Story(pack, result)


def _tell(stories: Sequence[Story], language: str) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for number, story in enumerate(stories, start=1):
        _tell_one(console, number, story, language)
    wrong = sum(not story.result.passed for story in stories)
    refused = sum(bool(story.reasons) for story in stories)
    counts = f"{len(stories)} ({len(stories) - refused} ✓, {refused} ✗)"
    console.print(
        f"{counts} {'个情形' if _is_chinese(language) else 'stories'}, "
        f"{'与规定不符' if _is_chinese(language) else 'differing'}: {wrong}"
    )


def _tell_one(console: "Console", number: int, story: Story, language: str) -> None:
    scenario, chinese = story.result.scenario, _is_chinese(language)
    title = scenario.zh if chinese and scenario.zh else scenario.scenario
    kind = f" · {scenario.story}" if scenario.story else ""
    console.print(
        f"[bold]{number}. {title}[/]  [dim]{story.pack.id} · {scenario.about}{kind}[/]", soft_wrap=True
    )
    console.print(f"   {_said(scenario.given)}", soft_wrap=True, markup=False)
    said = _SAID.get(story.outcome, (story.outcome, story.outcome))[0 if chinese else 1]
    console.print(f"   {_MARKS.get(story.outcome, '[yellow]?[/]')} {said}")
    for refusal in story.reasons:
        clerk = refusal.words.clerk.in_language(language)
        console.print(f"     [bold red]{refusal.code}[/] {clerk}", soft_wrap=True)
        console.print(f"       {story.policy.cite(refusal.citation, language)}", soft_wrap=True, markup=False)
        console.print(
            f"       → {refusal.words.next_step.in_language(language)}", soft_wrap=True, markup=False
        )
    if not story.reasons:
        for citation in story.cites():
            console.print(f"       {story.policy.cite(citation, language)}", soft_wrap=True, markup=False)
    for difference in story.result.differences:
        console.print(f"     [bold yellow]≠ {difference}[/]", soft_wrap=True)


def _said(facts: Mapping[str, Any]) -> str:
    return " · ".join(f"{name}: {_plain(value)}" for name, value in facts.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_plain(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(_plain(each) for each in value) or "-"
    if value is None:
        return "-"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _is_chinese(language: str) -> bool:
    return language.startswith("zh")
