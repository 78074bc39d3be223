"""The rules: read them with citations, dates and marks; compare two packs; run the scenarios now."""

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Path, Query, Request
from fastapi.responses import Response

from shiming.accounts.permissions import MayReadOwnAccount
from shiming.entrypoints.pages.desk.desk_page import Shown, desk_page, table_page
from shiming.entrypoints.pages.desk.tables import Choice, Column, Gathered, Table
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.language import language_of
from shiming.jurisdictions.explanations import explain, sources_cited
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_differences import Change, differences_between
from shiming.jurisdictions.pack_reader import Pack, builtin_packs, policy_on
from shiming.jurisdictions.scenarios import ScenarioResult, day_of, run_scenarios
from shiming.vocabulary.errors import BadInput, ShimingError, Text, Unavailable

router = page_router()
Reading = Annotated[Asking, asked(MayReadOwnAccount)]
PackName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
_DAY_CHARACTERS = 10
Section = Annotated[str, Query(max_length=4)]
Entry = TypeVar("Entry")
On = Annotated[str, Query(max_length=_DAY_CHARACTERS)]

#: A run takes a core for half a second: one at a time in a process, and others wait this long at most.
_RUN_LOCK = threading.Lock()
RUN_WAIT_S_MAX = 10.0
_CHANGES = {
    Change.ADDED.value: Text(zh="新增", en="added"),
    Change.REMOVED.value: Text(zh="删去", en="removed"),
    Change.CHANGED.value: Text(zh="改变", en="changed"),
    Change.FOUNDED_OTHERWISE.value: Text(zh="值相同，依据不同", en="same value, founded otherwise"),
}
_CONCLUDED_MAX = 160  # signs of a cell; the file has the whole
_OUTCOMES = {"passed": Text(zh="符合", en="as stated"), "failed": Text(zh="不符", en="otherwise")}


def _concluded(result: ScenarioResult) -> str:
    """Return what the rules say: of what is stated, or where they say otherwise."""
    if not result.passed:
        return "; ".join(result.differences)
    stated = "; ".join(f"{name}: {_plain(value)}" for name, value in result.scenario.then.items())
    return stated if len(stated) <= _CONCLUDED_MAX else f"{stated[: _CONCLUDED_MAX - 1]}…"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


SCENARIOS: Table[ScenarioResult] = Table(
    "scenarios",
    Text(zh="情形", en="Scenarios"),
    (
        Column(
            "scenario",
            Text(zh="情形", en="Scenario"),
            lambda result: Text(
                zh=result.scenario.zh or result.scenario.scenario, en=result.scenario.scenario
            ),
        ),
        Column("about", Text(zh="主题", en="About"), lambda result: result.scenario.about, look="code"),
        Column("day", Text(zh="规则日期", en="Rules of"), lambda result: day_of(result.scenario)),
        Column(
            "outcome",
            Text(zh="结果", en="Outcome"),
            lambda result: _OUTCOMES["passed" if result.passed else "failed"],
            look="state",
            tone=lambda result: "good" if result.passed else "bad",
        ),
        Column("concluded", Text(zh="规则的结论", en="The rules say"), _concluded),
        Column("file", Text(zh="文件", en="File"), lambda result: result.file, look="code"),
    ),
    filters=(
        Choice(
            "outcome",
            Text(zh="结果", en="Outcome"),
            _OUTCOMES,
            lambda result: "passed" if result.passed else "failed",
        ),
    ),
    search=Text(zh="情形、主题", en="Scenario or topic"),
)


@router.get("/desk/packs")
def list_packs(request: Request, asking: Reading) -> Response:
    """List the packs."""
    asking.allow(MayReadOwnAccount())
    platform = request.app.state.platform
    facts = {"packs": [platform.pack(name) for name in _names(request)], "own": platform.pack("").id}
    return desk_page(request, asking, "desk/packs.html", facts)


@router.get("/desk/packs/{pack}")
def show_pack(
    request: Request,
    pack: PackName,
    asking: Reading,
    on: On = "",
    q: Annotated[str, Query(max_length=80)] = "",
    section: Section = "",
) -> Response:
    """Show the rules of a day, a section at a time: where each is written, its dates and its mark."""
    asking.allow(MayReadOwnAccount())
    language, found = language_of(request), _pack(request, pack)
    policy, wrong = _policy(request, found, on)
    sought = q.strip().casefold()
    rules = [
        each
        for each in explain(policy, language)
        if not sought or sought in f"{each.text} {each.path} {each.source} {each.section}".casefold()
    ]
    sections = _by_section((each.section, each) for each in rules)
    facts = {
        "pack": found,
        "policy": policy,
        "sections": _named(sections),
        "section": _chosen(sections, section),
        "count": len(rules),
        "sources": sources_cited(policy, language),
        "sought": q.strip(),
        "wrong_day": wrong,
    }
    return desk_page(request, asking, "desk/pack.html", facts)


@router.get("/desk/packs/{pack}/scenarios")
def run_pack(request: Request, pack: PackName, asking: Reading) -> Response:
    """Run the scenarios of a pack now, and show what each came to."""
    asking.allow(MayReadOwnAccount())
    found = _pack(request, pack)
    if not _RUN_LOCK.acquire(timeout=RUN_WAIT_S_MAX):
        raise _busy()
    try:
        begun = time.monotonic()
        results = run_scenarios(found, request.app.state.platform.scenario_topics)
        seconds = time.monotonic() - begun
    finally:
        _RUN_LOCK.release()
    facts = {
        "pack": found,
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "ms": round(seconds * 1000),
    }
    return table_page(request, asking, "desk/scenarios.html", Shown(SCENARIOS, Gathered(results)), facts)


@router.get("/desk/packs/-/differences")
def compare_packs(
    request: Request,
    asking: Reading,
    before: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str, Query(max_length=40)] = "",
    on: On = "",
    later: On = "",
    section: Section = "",
) -> Response:
    """Show what two packs say differently, or one on two days."""
    asking.allow(MayReadOwnAccount())
    names = _names(request)
    first = before if before in names else names[0]
    second = after if after in names else names[-1]
    old, wrong_on = _policy(request, _pack(request, first), on)
    new, wrong_later = _policy(request, _pack(request, second), later or on)
    found = differences_between(old, new, language_of(request))
    sections = _by_section(
        (said.section, (each, _CHANGES[each.change.value]))
        for each in found
        if (said := each.after or each.before) is not None
    )
    facts = {
        "names": names,
        "first": first,
        "second": second,
        "old": old,
        "new": new,
        "sections": _named(sections),
        "section": _chosen(sections, section),
        "count": len(found),
        "wrong_day": wrong_on or wrong_later,
    }
    return desk_page(request, asking, "desk/rule_differences.html", facts)


def _by_section(entries: Iterable[tuple[str, Entry]]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for section, entry in entries:
        found.setdefault(section, []).append(entry)
    return found


def _named(sections: Mapping[str, list[Entry]]) -> list[tuple[str, int]]:
    """Return the sections with how much each holds, in their order."""
    return [(name, len(entries)) for name, entries in sections.items()]


def _chosen(sections: Mapping[str, list[Entry]], place: str) -> tuple[int, str, list[Entry]] | None:
    """Return the section at a place, counted from 1; the first for a place that is none.

    A page shows one section: all rules of a pack are more than a telephone should have to load.
    """
    if not sections:
        return None
    number = int(place) if place.isascii() and place.isdigit() else 1
    number = number if 1 <= number <= len(sections) else 1
    name = list(sections)[number - 1]
    return number, name, sections[name]


def _names(request: Request) -> tuple[str, ...]:
    """Return the packs that there are: the installation's own first."""
    own = request.app.state.platform.pack("").id
    return tuple(dict.fromkeys((own, *builtin_packs())))


def _pack(request: Request, name: str) -> Pack:
    """Return one of the packs that there are; never a folder that an address names."""
    if name not in _names(request):
        raise BadInput("ROUTE_UNKNOWN", Text(zh="没有这个规则包。", en="There is no such policy pack."))
    found: Pack = request.app.state.platform.pack(name)
    return found


def _policy(request: Request, pack: Pack, on: str) -> tuple[Policy, Text | None]:
    """Return the rules of a day; for a day that is none, or too early, those of today and why."""
    today = max(request.app.state.platform.today(), pack.effective)
    try:
        return policy_on(pack, date.fromisoformat(on) if on else today), None
    except ValueError:
        return policy_on(pack, today), Text(zh="日期格式为年-月-日。", en="Write the day as YYYY-MM-DD.")
    except ShimingError as problem:
        return policy_on(pack, today), problem.text


def _busy() -> Unavailable:
    return Unavailable(
        "SCENARIOS_BUSY",
        Text(zh="情形正在运行。", en="Scenarios are being run for somebody else."),
        Text(zh="请稍后重试。", en="Try again in a moment."),
    )
