"""Scenarios about organisations, their lines and the people who use them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import HolderKind, Policy, ProductClass
from shiming.registrations.model.enterprise_lines import EnterpriseLineState
from shiming.registrations.model.organisations import Organisation, OrganisationState
from shiming.registrations.rules.actual_users import decide_actual_user
from shiming.registrations.rules.organisation_standing import (
    decide_organisation_standing,
    decide_power_of_attorney,
)

_NOON = time(12, tzinfo=UTC)


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Given(BaseModel):
    """What an organisation brought, and who is to use a line of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)

    date: date
    licence: bool = True
    legal_representative: bool = True
    handler_proven: bool = True
    power_of_attorney: bool = True
    authority_days_left: int = 30
    authority_for_days: int = 60
    responsible_person: bool = True
    state: OrganisationState = OrganisationState.COMPLETE
    product: ProductClass = ProductClass.VOICE
    actual_user_proven: bool | None = None  # none: the scenario is about the organisation only
    line: EnterpriseLineState = EnterpriseLineState.AWAITING
    lines_of_user: int = 0


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Say whether the organisation may open lines, and whether its line gets this user."""
    now = datetime.combine(given.date, _NOON)
    standing = decide_organisation_standing(_organisation(given, now), policy, now=now)
    refusals = (*standing.refusals, *_paper(given, policy, now))
    if given.actual_user_proven:
        refusals += decide_actual_user(given.line, lines_of_user=given.lines_of_user, policy=policy)
    if refusals:
        return refused(dict.fromkeys(refusals), state=standing.state.value)
    return accepted(state=standing.state.value, line=_line(given, policy))


def _organisation(given: Given, now: datetime) -> Organisation:
    until = now + timedelta(days=given.authority_days_left)
    return Organisation(
        organisation_id="ORG-0082-0C20-A1G7-7",
        operator="operator",
        code="code",
        name="name",
        state=given.state,
        created_at=now,
        licence_evidence="EVD-1" if given.licence else None,
        legal_representative_evidence="EVD-2" if given.legal_representative else None,
        handler_session="SES-1" if given.handler_proven else None,
        handler_subject="handler" if given.handler_proven else None,
        power_of_attorney_evidence="EVD-3" if given.power_of_attorney else None,
        power_of_attorney_until=until if given.power_of_attorney else None,
        responsible_evidence="EVD-4" if given.responsible_person else None,
    )


def _paper(given: Given, policy: Policy, now: datetime) -> tuple[Any, ...]:
    """Return what is wrong with the paper itself, as it is looked at when it is brought."""
    if not given.power_of_attorney:
        return ()
    until = now + timedelta(days=given.authority_days_left)
    begins = until - timedelta(days=given.authority_for_days)
    return decide_power_of_attorney(begins=begins, until=until, policy=policy, now=now)


def _line(given: Given, policy: Policy) -> str:
    """Say what becomes of a line: it stays inactive until the person who uses it is proven."""
    rules = policy.products.get(given.product)
    if rules is None or HolderKind.ORGANISATION not in rules.holders.value:
        return "not offered"
    if not rules.actual_user_required.value or given.actual_user_proven:
        return "registered"
    return "inactive"
