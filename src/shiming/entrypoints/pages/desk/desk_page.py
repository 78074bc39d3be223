"""What every page of the desk shares: its frame, tables with their CSV, the platform, refusals as words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.engine import Engine

from shiming.accounts.asking import KnownCaller
from shiming.accounts.use_cases.gatekeeper import codes_of_principal
from shiming.entrypoints.pages.desk.areas import GROUPS, Area, open_areas
from shiming.entrypoints.pages.desk.tables import Gathered, Table, TableAsked
from shiming.entrypoints.pages.rendering import page
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.language import language_of
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import ShimingError, Text, Unavailable
from shiming.vocabulary.refusals import Refusal

Row = TypeVar("Row")
CSV_TYPE = "text/csv; charset=utf-8"
COUNTED_MAX = 100  # "100+" says enough of what waits


class DeskPlatform(Protocol):
    """What most pages of the desk need of the wired program."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    default_pack: str

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A table with the rows that it is about."""

    table: Table[Any]
    rows: Gathered[Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was not done: for each reason what it is, and what to do about it."""

    reasons: tuple[tuple[Text, Text], ...]


def platform_of(request: Request) -> DeskPlatform:
    """Return the wired program."""
    platform: DeskPlatform = request.app.state.platform
    return platform


def rules_of(platform: DeskPlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def desk_page(
    request: Request,
    asking: Asking,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> Response:
    """Return a page in the frame of the desk."""
    areas = open_areas(asking)
    grouped = [
        (words, tuple(area for area in areas if area.group == group)) for group, words in GROUPS.items()
    ]
    facts = {
        "desk_groups": [(words, own) for words, own in grouped if own],
        "desk_area": area_at(request.url.path, areas),
        "desk_question": ask_of(asking),
        **(context or {}),
    }
    return page(request, template, facts, status=status)


def table_page(
    request: Request,
    asking: Asking,
    template: str,
    shown: Shown,
    context: Mapping[str, Any] | None = None,
) -> Response:
    """Return a page with one table as `table`; with `as=csv` its rows as a file."""
    wanted, language = TableAsked.of(request.query_params), language_of(request)
    if request.query_params.get("as") == "csv" and shown.table.exported:
        return csv_file(shown.table.name, shown.table.csv(shown.rows, wanted, language))
    view = shown.table.view(shown.rows, wanted, language)
    return desk_page(request, asking, template, {"table": view, **(context or {})})


def csv_file(name: str, text: str) -> Response:
    """Return a CSV that is saved and not shown."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return Response(text, media_type=CSV_TYPE, headers=headers)


def area_at(path: str, areas: Iterable[Area]) -> str:
    """Return the path of the area that an address lies in; the longest that fits."""
    inside = [each.path for each in areas if path == each.path or path.startswith(f"{each.path}/")]
    return max(inside, key=len, default="/desk")


def ask_of(asking: Asking) -> frozenset[str]:
    """Return the codes that the caller holds; templates leave out what could only be refused."""
    caller = asking.caller
    if isinstance(caller, KnownCaller) and caller.principal is not None:
        return frozenset(codes_of_principal(caller.principal))
    return frozenset()


def tried(work: Callable[[], object]) -> Refused | None:
    """Do something; return why it was refused, by a rule or because it could not be used, None when done."""
    try:
        outcome = work()
    except Unavailable:
        raise  # nothing is wrong with what was asked
    except ShimingError as problem:
        return Refused(_reasons_in(problem) or ((problem.text, problem.advice),))
    refusals: tuple[Refusal, ...] = getattr(outcome, "refusals", ())
    if not refusals:
        return None
    return Refused(tuple((each.words.clerk, each.words.next_step) for each in refusals))


def _reasons_in(problem: ShimingError) -> tuple[tuple[Text, Text], ...]:
    """Return the reasons that a refusal carries on its way out, as the routes of the API put them."""
    reasons: list[dict[str, dict[str, str]]] = problem.details.get("reasons", [])
    return tuple((Text(**each["clerk"]), Text(**each["next_step"])) for each in reasons)
