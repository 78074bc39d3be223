"""Scenarios about new terms of service."""

from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.rules.terms_upgrade import decide_announcement

Day = date


class Given(BaseModel):
    """The facts of a scenario."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", " ")
    )

    date: date
    notified_by: Day
    takes_effect: Day


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the dates."""
    decision = decide_announcement(
        policy.transfers,
        notify_by=_noon(given.notified_by),
        takes_effect_at=_noon(given.takes_effect),
        now=_noon(given.date),
    )
    return refused(decision.refusals) if isinstance(decision, TransferRefused) else accepted()


def _noon(day: Day) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
