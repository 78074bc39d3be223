"""Decide whether a number can be registered for the person of a proofing session."""

from datetime import datetime

from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.registration import (
    CapReached,
    NumberRefused,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.number_free import decide_number_free
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.vocabulary.refusals import Refusal


def decide_registration(
    command: RegisterLine,
    facts: RegistrationFacts,
    policy: RegistrationPolicy,
    *,
    sandbox: bool,
    now: datetime,
) -> SessionUsable | RegistrationRefused:
    """Say who may have the number, or every reason why nobody gets it."""
    #  (1) the session proves a person, freshly, for this operator, and is not used up
    session = decide_session_usable(
        facts.session, operator=command.operator, policy=policy, sandbox=sandbox, now=now
    )
    refusals = list(session.refusals) if isinstance(session, SessionNotUsable) else []
    #  (2) what the law wants recorded of the holder is in the vault
    if isinstance(session, SessionUsable) and policy.identity_record_required and not facts.identity_recorded:
        refusals.append(Refusal(RefusalCode.IDENTITY_NOT_RECORDED, policy.identity_citation))
    #  (3) the number is of the plan and free
    number = decide_number_free(command.number, facts.number_held_by, policy)
    if isinstance(number, NumberRefused):
        refusals.append(number.refusal)
    #  (4) the person is under the cap
    cap = decide_line_cap(facts.active, policy.line_cap)
    if isinstance(session, SessionUsable) and isinstance(cap, CapReached):
        refusals.append(Refusal(RefusalCode.CAP_REACHED, cap.citation))
    if refusals or isinstance(session, SessionNotUsable):
        return RegistrationRefused(tuple(refusals))
    return session
