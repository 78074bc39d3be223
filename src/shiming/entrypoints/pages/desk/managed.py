"""What administrators manage - accounts, clients, devices - by one shape: a list, a page, acts on one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from shiming.accounts.asking import platform_of
from shiming.entrypoints.pages.desk.desk_page import Refused, desk_page, tried
from shiming.entrypoints.pages.desk.tables import Gathered, gather
from shiming.entrypoints.pages.forms import Filled
from shiming.entrypoints.pages.rendering import see_other
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.http.asking import Asking
from shiming.vocabulary.permissions import Permission


class SureForm(BaseModel):
    """That it is meant."""

    model_config = ConfigDict(extra="ignore")
    sure: bool


MEANT = Filled(SureForm(sure=True))  # for an act that is not asked twice


class OfOperator(Protocol):
    """What one operator, or the whole installation, has."""

    @property
    def reference(self) -> str: ...  # noqa: D102 - named by its type
    @property
    def operator(self) -> str | None: ...  # noqa: D102


Thing = TypeVar("Thing", bound=OfOperator)
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Managed(Generic[Thing]):
    """One kind of thing: where its pages are, what must be allowed, how it is found, what is shown of it."""

    path: str
    template: str  # of the page of one
    question: Callable[[str], Permission]
    find: Callable[[Connection, str], Thing]
    list_all: Callable[..., list[Thing]]
    facts: Callable[[Asking, Thing], Mapping[str, Any]]

    def rows(self, request: Request, asking: Asking) -> Gathered[Thing]:
        """Return those that the caller may manage."""
        operator, engine = asking.caller.operator, platform_of(request).engine
        asking.allow(self.question(operator or ""))

        def fetch(after: str | None, limit: int) -> list[Thing]:
            with reading(engine) as connection:
                return self.list_all(connection, operator=operator, after=after, limit=limit)

        return gather(fetch, lambda thing: thing.reference)

    def get(self, request: Request, asking: Asking, reference: str) -> Thing:
        """Return one that the caller may manage; another operator's is as unknown as none."""
        with reading(platform_of(request).engine) as connection:
            return self._get(asking, connection, reference)

    def page(
        self,
        request: Request,
        asking: Asking,
        thing: Thing,
        *,
        refused: Refused | None = None,
        wanted: Filled[Any] | None = None,
    ) -> Response:
        """Show one, with why something was refused, or with what did not fit into a form."""
        facts = {**self.facts(asking, thing), "refused": refused, **(wanted.again() if wanted else {})}
        status = 422 if wanted else 409 if refused else 200
        return desk_page(request, asking, self.template, facts, status=status)

    def act(
        self,
        request: Request,
        asking: Asking,
        reference: str,
        wanted: Filled[Any],
        work: Callable[[Connection, Thing], Done],
        *,
        then: str | Callable[[Thing, Done], Response],
    ) -> Response:
        """Change one in one transaction; what does not fit, or is refused, stands on its page.

        `then`: the word that its page says afterwards, or what makes the answer.
        """
        thing = self.get(request, asking, reference)
        if wanted.value is None:
            return self.page(request, asking, thing, wanted=wanted)
        done: list[Done] = []

        def change() -> None:
            with unit_of_work(platform_of(request).engine) as connection:
                done.append(work(connection, self._get(asking, connection, reference)))

        if refused := tried(change):
            return self.page(request, asking, thing, refused=refused)
        if isinstance(then, str):
            return see_other(f"{self.path}/{thing.reference}", said=then)
        return then(thing, done[0])

    def _get(self, asking: Asking, connection: Connection, reference: str) -> Thing:
        mine = asking.caller.operator
        asking.allow(self.question(mine or ""))
        thing = self.find(connection, reference)
        return thing if mine in {None, thing.operator} else self.find(connection, "unknown")
