"""The people of an organisation: who represents it by law, who acts for it, who answers for its lines.

A proof that names somebody for an organisation is used up for that organisation: nothing is registered with
it for the person any more. What the organisation itself orders may still rest on it while it is fresh
(`register_organisation_lines`), and the same proof may name the same person in another role of it.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from shiming.privacy.model import IdentityRecord
from shiming.privacy.use_cases.vault import put_identity
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.organisations import NAME_CHARACTERS_MAX, Organisation
from shiming.registrations.model.registration import RegistrationPolicy, SessionNotUsable, SessionUsable
from shiming.registrations.permissions.organisations import MayManageOrganisation
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.store.representation import use_session
from shiming.registrations.use_cases.organisations import (
    Desk,
    OrganisationFile,
    OrganisationRefused,
    change_organisation,
    show_standing,
    start_clock_of_proof,
)
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal

LEGAL_REPRESENTATIVE, RESPONSIBLE_PERSON = "legal_representative", "responsible_person"


@asks(MayManageOrganisation)
def record_legal_representative(
    desk: Desk, connection: Connection, organisation: Organisation, name: str
) -> OrganisationFile:
    """Keep the name of the legal representative in the vault."""
    reference = _keep_name(desk, connection, organisation, LEGAL_REPRESENTATIVE, name)
    return change_organisation(
        desk, connection, organisation, LEGAL_REPRESENTATIVE, legal_representative_evidence=reference
    )


@asks(MayManageOrganisation)
def record_handler(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    session_id: str,
    *,
    registration: RegistrationPolicy,
) -> OrganisationFile | OrganisationRefused:
    """Take the person of a verified session as who acts for the organisation. Twice is once.

    A power of attorney names one person: another handler needs a new one.
    """
    if session_id == organisation.handler_session:
        return show_standing(desk, organisation)
    proof = _use_proof(desk, connection, organisation, session_id, registration)
    if isinstance(proof, SessionNotUsable):
        return OrganisationRefused(proof.refusals)
    columns: dict[str, Any] = {"handler_session": session_id, "handler_subject": proof.subject}
    if proof.subject != organisation.handler_subject:
        parts = ("evidence", "from", "until")
        columns |= {f"power_of_attorney_{part}": None for part in parts}
    if organisation.handler_session != organisation.responsible_session:
        start_clock_of_proof(desk, connection, organisation, organisation.handler_session)
    return change_organisation(desk, connection, organisation, "handler", **columns)


@asks(MayManageOrganisation)
def record_responsible_person(
    desk: Desk, connection: Connection, organisation: Organisation, name: str
) -> OrganisationFile:
    """Keep the name of the person who answers for the lines, in the vault."""
    reference = _keep_name(desk, connection, organisation, RESPONSIBLE_PERSON, name)
    return _answers(desk, connection, organisation, evidence=reference, session_id=None)


@asks(MayManageOrganisation)
def record_proven_responsible_person(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    session_id: str,
    *,
    registration: RegistrationPolicy,
) -> OrganisationFile | OrganisationRefused:
    """Take the person of a verified session as who answers for the lines. Twice is once."""
    if session_id == organisation.responsible_session:
        return show_standing(desk, organisation)
    proof = _use_proof(desk, connection, organisation, session_id, registration)
    if isinstance(proof, SessionNotUsable):
        return OrganisationRefused(proof.refusals)
    return _answers(desk, connection, organisation, evidence=None, session_id=session_id)


def _answers(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    *,
    evidence: str | None,
    session_id: str | None,
) -> OrganisationFile:
    if organisation.responsible_session != organisation.handler_session:
        start_clock_of_proof(desk, connection, organisation, organisation.responsible_session)
    columns = {"responsible_evidence": evidence, "responsible_session": session_id}
    return change_organisation(desk, connection, organisation, RESPONSIBLE_PERSON, **columns)


def _use_proof(
    desk: Desk,
    connection: Connection,
    organisation: Organisation,
    session_id: str,
    registration: RegistrationPolicy,
) -> SessionUsable | SessionNotUsable:
    reference = organisation.organisation_id
    session = find_proven_session(connection, session_id)
    if session is not None and session.consumed_by == reference:
        session = replace(session, consumed_by=None)  # by another role of the same organisation
    usable = decide_session_usable(
        session,
        operator=organisation.operator,
        policy=registration,
        sandbox=desk.tools.sandbox,
        now=desk.now,
    )
    if isinstance(usable, SessionUsable) and not use_session(connection, session_id, reference):
        return SessionNotUsable((Refusal(RefusalCode.SESSION_CONSUMED, registration.session_citation),))
    return usable


def _keep_name(desk: Desk, connection: Connection, organisation: Organisation, role: str, name: str) -> str:
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX:
        raise BadInput("PERSON_NAME", Text(zh="姓名不能为空或过长。", en="The name is empty or too long."))
    ref = put_identity(
        desk.tools.privacy,
        connection,
        subject=organisation.organisation_id,
        case_reference=organisation.organisation_id,
        identity=IdentityRecord(document_type=role, number="", name=name.strip(), address=""),
        retention=desk.policy.retention,
        now=desk.now,
        operator=organisation.operator,
    )
    return ref.evidence_id
