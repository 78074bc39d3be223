"""Decide what an organisation may do now (what it brings: the pack's section `enterprise`)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.organisations import OrganisationRefusal
from shiming.registrations.model.organisations import (
    Organisation,
    OrganisationStanding,
    OrganisationState,
)
from shiming.vocabulary.refusals import Refusal


def decide_organisation_standing(
    organisation: Organisation, policy: Policy, *, now: datetime
) -> OrganisationStanding:
    """Say how an organisation stands; everything that is missing is named, with its citation."""
    missing = tuple(_missing(organisation, policy))
    expired = _expired(organisation, policy, now)
    return OrganisationStanding(
        organisation_id=organisation.organisation_id,
        operator=organisation.operator,
        state=state_of(organisation, missing),
        missing=missing,
        power_of_attorney_until=organisation.power_of_attorney_until,
        expired=expired,
        blocked=_blocked(organisation, policy),
        handler_session=organisation.handler_session,
        handler_subject=organisation.handler_subject,
        power_of_attorney_evidence=organisation.power_of_attorney_evidence,
    )


def state_of(organisation: Organisation, missing: tuple[Refusal, ...]) -> OrganisationState:
    """Return the state: what was decided by people stays, the rest follows from what is there."""
    if organisation.state in {OrganisationState.SUSPENDED, OrganisationState.CLOSED}:
        return organisation.state
    return OrganisationState.DRAFT if missing else OrganisationState.COMPLETE


def decide_power_of_attorney(
    *, begins: datetime, until: datetime, policy: Policy, now: datetime
) -> tuple[Refusal, ...]:
    """Say why a power of attorney cannot be taken; empty: it can."""
    days = policy.enterprise.power_of_attorney_days_max
    refusals = []
    if until <= now:
        citation = policy.enterprise.power_of_attorney_required.citation
        refusals.append(Refusal(OrganisationRefusal.POWER_OF_ATTORNEY_EXPIRED, citation))
    if until - begins > timedelta(days=days.value):
        refusals.append(Refusal(OrganisationRefusal.POWER_OF_ATTORNEY_TOO_LONG, days.citation))
    return tuple(refusals)


def _missing(organisation: Organisation, policy: Policy) -> Iterator[Refusal]:
    wanted = policy.enterprise
    #  (1) the licence  (2) who represents it by law  (3) who acts for it, proven and with authority
    #  (4) who answers for its lines
    if wanted.licence_required.value and organisation.licence_evidence is None:
        yield Refusal(OrganisationRefusal.LICENCE_MISSING, wanted.licence_required.citation)
    representative = wanted.legal_representative_required
    if representative.value and organisation.legal_representative_evidence is None:
        yield Refusal(OrganisationRefusal.LEGAL_REPRESENTATIVE_MISSING, representative.citation)
    power = wanted.power_of_attorney_required
    if organisation.handler_subject is None:
        yield Refusal(OrganisationRefusal.HANDLER_NOT_PROVEN, power.citation)
    if power.value and organisation.power_of_attorney_evidence is None:
        yield Refusal(OrganisationRefusal.POWER_OF_ATTORNEY_MISSING, power.citation)
    responsible = wanted.responsible_person_required
    if responsible.value and not (organisation.responsible_evidence or organisation.responsible_session):
        yield Refusal(OrganisationRefusal.RESPONSIBLE_PERSON_MISSING, responsible.citation)


def _expired(organisation: Organisation, policy: Policy, now: datetime) -> Refusal | None:
    until = organisation.power_of_attorney_until
    if until is None or now < until:
        return None
    citation = policy.enterprise.power_of_attorney_required.citation
    return Refusal(OrganisationRefusal.POWER_OF_ATTORNEY_EXPIRED, citation)


def _blocked(organisation: Organisation, policy: Policy) -> Refusal | None:
    citation = policy.enterprise.licence_required.citation
    match organisation.state:
        case OrganisationState.SUSPENDED:
            return Refusal(OrganisationRefusal.ORGANISATION_SUSPENDED, citation)
        case OrganisationState.CLOSED:
            return Refusal(OrganisationRefusal.ORGANISATION_CLOSED, citation)
        case _:
            return None
