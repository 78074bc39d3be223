"""Open lines for an organisation with one proof of its handler, under a contract that was confirmed.

The same rules as for a person (`rules.registration`); the holder of the lines is the organisation. Each line
has a receipt, a leaf in the ledger and an event of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import (
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
)
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.facts import read_facts
from shiming.registrations.store.holding import hand_back_session
from shiming.registrations.store.lines import list_by_session
from shiming.registrations.store.orders import add_order, find_order
from shiming.registrations.use_cases.drafting import parameters_of
from shiming.registrations.use_cases.registering import (
    LOOKS_MAX,
    record_refusal,
    too_busy,
    write_registration,
)
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks


@asks(MayRegisterLine)
def register_organisation_lines(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    wanted: Sequence[OrganisationLine],
    *,
    standing: OrganisationStanding,
    policy: RegistrationPolicy,
    now: datetime,
) -> tuple[Line | RegistrationRefused, ...]:
    """Open what can be opened, in the caller's transaction; one outcome for each that is wanted, in order.

    `order`: of the handler's session, or of the actual user's, with `organisation` set. The
    first line uses the session up; later ones get the next positions, at most `standing.lines_confirmed`. A
    line that this session opened before with the same identifier is returned as it is.
    """
    add_order(connection, order)  # the facts are read by it
    held = find_order(connection, order.session_id, for_update=True)  # its lines get positions one by one
    former = list(list_by_session(connection, order.session_id, order.operator))
    outcomes: list[Line | RegistrationRefused] = []
    for line in wanted:
        known = next((each for each in former if each.number == line.identifier), None)
        if known is not None:
            outcomes.append(known)
            continue
        facts = _Facts(held or order, line, standing, tuple(former))
        outcome = _open(tools, connection, facts, policy=policy, now=now)
        if isinstance(outcome, Line):
            former.append(outcome)
        outcomes.append(outcome)
    return tuple(outcomes)


@asks(MayRegisterLine)
def register_organisation_line(
    tools: RegistrationTools,
    connection: Connection,
    order: LineOrder,
    wanted: OrganisationLine,
    *,
    standing: OrganisationStanding,
    policy: RegistrationPolicy,
    now: datetime,
) -> Line | RegistrationRefused:
    """Open one line, as `register_organisation_lines` does."""
    (outcome,) = register_organisation_lines(
        tools, connection, order, [wanted], standing=standing, policy=policy, now=now
    )
    return outcome


@dataclass(frozen=True, slots=True)
class _Facts:
    order: LineOrder
    wanted: OrganisationLine
    standing: OrganisationStanding
    former: tuple[Line, ...]  # that the session opened before

    def added_to(self, facts: RegistrationFacts) -> RegistrationFacts:
        """Return the facts of a registration with what is particular to this line."""
        session = facts.session
        rests_on_it = {self.order.organisation, *(line.line_id for line in self.former)}
        if session is not None and session.consumed_by in rests_on_it:
            session = replace(session, consumed_by=None)  # by the lines that it may open, or their holder
        wanted = self.wanted
        order = replace(
            self.order,
            identifier=wanted.identifier,
            iccid=wanted.iccid or self.order.iccid,
            imsi=wanted.imsi or self.order.imsi,
            sim_form=wanted.sim_form or self.order.sim_form,
        )
        position = 1 + max((line.position for line in self.former), default=0)
        return replace(facts, session=session, order=order, standing=self.standing, position=position)


def _open(
    tools: RegistrationTools,
    connection: Connection,
    wanted: _Facts,
    *,
    policy: RegistrationPolicy,
    now: datetime,
) -> Line | RegistrationRefused:
    order = wanted.order
    command = RegisterLine(order.operator, wanted.wanted.identifier, order.session_id)
    parameters = parameters_of(command, policy, now, iccid=wanted.wanted.iccid)
    for _ in range(LOOKS_MAX):
        facts = wanted.added_to(read_facts(connection, parameters).facts)
        session = decide_registration(command, facts, policy, sandbox=tools.sandbox, now=now)
        if isinstance(session, RegistrationRefused):
            record_refusal(tools, connection, command, session, now=now)
            return session
        with connection.begin_nested() as savepoint:
            hand_back_session(connection, order.session_id, by=order.organisation)
            written = write_registration(tools, connection, command, session, facts, policy=policy, now=now)
            if written is not None:
                return written[0]
            savepoint.rollback()
    raise too_busy()
