"""Scenarios about key voice services: who gets one, how many, and which numbers a line may show."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import HolderKind, Policy, ProductClass
from shiming.registrations.model.number_sets import AuthorisedNumber
from shiming.registrations.rules.key_services import decide_key_service, decide_shown_number

_NOON = time(12, tzinfo=UTC)


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Given(BaseModel):
    """Who asks for which service, and which number is to be shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)

    date: date
    service: ProductClass = ProductClass.PRIVATE_LINE
    holder: HolderKind = HolderKind.ORGANISATION
    handler_proven: bool = True
    numbers_held: int = 0  # of this category, by this organisation
    shows: str | None = None  # own, with authorisation, without authorisation
    shown_from_day: int = 0  # from the date of the scenario
    shown_until_day: int | None = None


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Say whether the service is opened and, where a number is named, whether its line may show it."""
    refusals = decide_key_service(
        given.service,
        given.holder,
        handler_proven=given.handler_proven,
        numbers_held=given.numbers_held,
        policy=policy,
    )
    if not refusals and given.shows is not None:
        own, covered = given.shows == "own", given.shows == "with authorisation"
        refusals = decide_shown_number(given.service, own=own, authorised=covered, policy=policy)
    if refusals:
        return refused(refusals)
    if given.shows is None:
        return accepted()
    return accepted(shown="yes" if _entry(given).holds_at(_now(given)) else "no")


def _now(given: Given) -> datetime:
    return datetime.combine(given.date, _NOON)


def _entry(given: Given) -> AuthorisedNumber:
    begins = _now(given) + timedelta(days=given.shown_from_day)
    until = given.shown_until_day
    return AuthorisedNumber(
        entry_id="NSE-1",
        line_id="REG-1",
        operator="operator",
        number="number",
        valid_from=begins,
        valid_until=None if until is None else _now(given) + timedelta(days=until),
        own=given.shows == "own",
        authorised_by=None,
        added_at=begins,
    )
