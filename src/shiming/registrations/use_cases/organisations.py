"""Record organisations, what they bring, and whether they may open lines."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.model import (
    EvidenceKind,
    NewEvidence,
    Purpose,
    RetentionClass,
    RetentionEvents,
    StagedEvidence,
)
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import attach_line, keep_staged, start_retention_clocks
from shiming.registrations.events import organisations as events
from shiming.registrations.model.organisations import (
    NAME_CHARACTERS_MAX,
    REFERENCE_KIND,
    Organisation,
    OrganisationStanding,
    OrganisationState,
    organisation_reference,
)
from shiming.registrations.permissions.organisations import (
    MayManageOrganisation,
    MayReadOrganisation,
    MaySuspendOrganisation,
)
from shiming.registrations.rules.organisation_standing import (
    decide_organisation_standing,
    decide_power_of_attorney,
)
from shiming.registrations.store import organisations as store
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

#: Reads a code of the public register as the jurisdiction writes it; raises BadInput.
ReadCode = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class OrganisationFile:
    """An organisation and how it stands."""

    organisation: Organisation
    standing: OrganisationStanding


@dataclass(frozen=True, slots=True)
class OrganisationRefused:
    """Nothing was recorded, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What every change of an organisation works with."""

    tools: RegistrationTools
    policy: Policy
    now: datetime
    today: date  # where the rules hold


@asks(MayManageOrganisation)
def record_organisation(
    desk: Desk, connection: Connection, *, operator: str, code: str, name: str, read_code: ReadCode
) -> OrganisationFile:
    """Record a new organisation; BadInput for a code that is none, or that is a customer already."""
    name = name.strip()
    if not name or len(name) > NAME_CHARACTERS_MAX:
        raise BadInput(
            "ORGANISATION_NAME",
            Text(zh="单位名称不能为空或过长。", en="The registered name is empty or too long."),
        )
    reference = organisation_reference(desk.tools.privacy.new_reference(REFERENCE_KIND))
    organisation = Organisation(reference, operator, read_code(code), name, OrganisationState.DRAFT, desk.now)
    if not store.add_organisation(connection, organisation):
        former = store.find_open_by_code(connection, organisation.code, operator)
        raise BadInput(
            "ORGANISATION_EXISTS",
            Text(zh="该单位已登记。", en="This organisation is recorded already."),
            Text(zh="请使用已有的登记。", en="Go on with the one that is there."),
            {"organisation": former.organisation_id if former else None},
        )
    _tell(desk, connection, organisation, events.ORGANISATION_RECORDED, {})
    return show_standing(desk, organisation)


@asks(MayManageOrganisation)
def record_licence(
    desk: Desk, connection: Connection, organisation: Organisation, staged: StagedEvidence
) -> OrganisationFile:
    """Keep the image of the licence."""
    ref = keep_staged(desk.tools.privacy, connection, staged)
    return change_organisation(desk, connection, organisation, "licence", licence_evidence=ref.evidence_id)


@asks(MayManageOrganisation)
def record_power_of_attorney(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    staged: StagedEvidence,
    *,
    begins: datetime,
    until: datetime,
) -> OrganisationFile | OrganisationRefused:
    """Keep the paper that entitles the handler, and from when to when it holds."""
    refusals = decide_power_of_attorney(begins=begins, until=until, policy=desk.policy, now=desk.now)
    if refusals:
        return OrganisationRefused(refusals)
    ref = keep_staged(desk.tools.privacy, connection, staged)
    return change_organisation(
        desk,
        connection,
        organisation,
        "power_of_attorney",
        power_of_attorney_evidence=ref.evidence_id,
        power_of_attorney_from=begins,
        power_of_attorney_until=until,
    )


@asks(MayManageOrganisation)
def close_organisation(desk: Desk, connection: Connection, organisation: Organisation) -> OrganisationFile:
    """Close it: it opens nothing more, and the retention clocks of what it brought start. Twice is once."""
    if organisation.state is OrganisationState.CLOSED:
        return show_standing(desk, organisation)
    start_retention_clocks(
        connection,
        case_reference=organisation.organisation_id,
        retention=desk.policy.retention,
        events=RetentionEvents(service_ended_at=desk.now),
    )
    for session_id in sorted({organisation.handler_session or "", organisation.responsible_session or ""}):
        start_clock_of_proof(desk, connection, organisation, session_id)
    return _set_state(desk, connection, organisation, OrganisationState.CLOSED, events.ORGANISATION_CLOSED)


@asks(MaySuspendOrganisation)
def suspend_organisation(
    desk: Desk, connection: Connection, organisation: Organisation, *, why: str
) -> OrganisationFile:
    """Let it open no more lines, for a reason that is a code such as `resale_report`. Twice is once."""
    if organisation.state in {OrganisationState.SUSPENDED, OrganisationState.CLOSED}:
        return show_standing(desk, organisation)
    return _set_state(
        desk, connection, organisation, OrganisationState.SUSPENDED, events.ORGANISATION_SUSPENDED, why=why
    )


@asks(MaySuspendOrganisation)
def resume_organisation(desk: Desk, connection: Connection, organisation: Organisation) -> OrganisationFile:
    """Lift a suspension; what is missing still has to be brought."""
    if organisation.state is not OrganisationState.SUSPENDED:
        return show_standing(desk, organisation)
    return _set_state(desk, connection, organisation, OrganisationState.DRAFT, events.ORGANISATION_RESUMED)


@asks(MayReadOrganisation)
def find_organisation(
    connection: Connection, organisation_id: str, *, for_update: bool = False
) -> Organisation | None:
    """Return an organisation by its reference."""
    return store.find_organisation(connection, organisation_id, for_update=for_update)


@asks(MayReadOrganisation)
def show_organisation(
    connection: Connection, organisation_id: str, *, policy: Policy, now: datetime
) -> OrganisationFile | None:
    """Return an organisation and how it stands."""
    found = store.find_organisation(connection, organisation_id)
    if found is None:
        return None
    return OrganisationFile(found, decide_organisation_standing(found, policy, now=now))


@asks(MayReadOrganisation)
def list_organisations(
    connection: Connection, operator: str | None, *, after: str | None, limit: int
) -> tuple[Organisation, ...]:
    """Return organisations of an operator, or of all."""
    return store.list_organisations(connection, operator, after=after, limit=limit)


@inside("the edges stage what is uploaded before they open a transaction")
def paper_of(organisation: Organisation, kind: EvidenceKind) -> NewEvidence:
    """Return what a paper of an organisation is to the vault."""
    reference = organisation.organisation_id
    return NewEvidence(
        reference, reference, kind, Purpose.REGISTRATION, RetentionClass.IDENTITY, organisation.operator
    )


@inside("shared by what is recorded of an organisation")
def change_organisation(
    desk: Desk, connection: Connection, organisation: Organisation, what: str, **columns: Any
) -> OrganisationFile:
    """Save a change, with the state that follows from it."""
    changed = replace(organisation, version=organisation.version + 1, **columns)
    file = show_standing(desk, changed)
    state = file.standing.state
    _save(connection, organisation, state=state.value, **columns)
    file = replace(file, organisation=replace(changed, state=state))
    _tell(desk, connection, file.organisation, events.ORGANISATION_CHANGED, {"what": what})
    return file


@inside("shared by what is recorded of an organisation")
def show_standing(desk: Desk, organisation: Organisation) -> OrganisationFile:
    """Return an organisation as it is, and how it stands now."""
    return OrganisationFile(
        organisation, decide_organisation_standing(organisation, desk.policy, now=desk.now)
    )


@inside("whoever replaces a person of an organisation, or closes it, starts the clock of that proof")
def start_clock_of_proof(
    desk: Desk, connection: Connection, organisation: Organisation, session_id: str | None
) -> None:
    """Start the retention clock of a proof that named somebody, unless a line rests on it by now."""
    session = find_proven_session(connection, session_id) if session_id else None
    if session is None or session.consumed_by != organisation.organisation_id:
        return
    attach_line(connection, case_reference=session.session_id, line_id=organisation.organisation_id)
    start_retention_clocks(
        connection,
        case_reference=session.session_id,
        retention=desk.policy.retention,
        events=RetentionEvents(service_ended_at=desk.now),
    )


def _set_state(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    state: OrganisationState,
    event: str,
    *,
    why: str | None = None,
) -> OrganisationFile:
    changed = replace(organisation, state=state, suspended_why=why, version=organisation.version + 1)
    file = show_standing(desk, changed)  # an organisation that is resumed may be complete
    _save(connection, organisation, state=file.standing.state.value, suspended_why=why)
    changed = replace(changed, state=file.standing.state)
    _tell(desk, connection, changed, event, {"why": why})
    return replace(file, organisation=changed)


def _save(connection: Connection, organisation: Organisation, **columns: Any) -> None:
    saved = store.change_organisation(
        connection, organisation.organisation_id, organisation.version, **columns
    )
    if not saved:
        raise BadInput(
            "VERSION_CHANGED",
            Text(zh="资源已被更改。", en="The resource has changed since you read it."),
            Text(zh="请重新读取后再试。", en="Read it again, then repeat the change."),
        )


def _tell(
    desk: Desk, connection: Connection, organisation: Organisation, event: str, facts: dict[str, Fact]
) -> None:
    reference, operator = organisation.organisation_id, organisation.operator
    told: dict[str, Fact] = {**facts, "state": organisation.state.value}
    leaf = {"organisation": reference, "operator": operator, "pack": desk.policy.content_hash, **told}
    record(connection, desk.tools.privacy.keys, kind=event, facts=leaf, now=desk.now, operator=operator)
    emit(connection, Event(event, reference, operator, desk.now, told))
