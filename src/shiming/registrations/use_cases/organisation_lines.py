"""Open lines for an organisation with one proof of its handler, under a contract that was confirmed.

The same rules as for a person (`rules.registration`); the holder of the lines is the organisation. Many lines
are read, decided and written as one, with one leaf in the ledger for all of them and one event for each.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import RegistrationPolicy, RegistrationRefused
from shiming.registrations.permissions.registration import MayRegisterLine
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

    `order`: of the handler's session, as `store.orders.find_order` returns it, with `organisation` set. The
    first line uses the session up; later ones get the next positions, at most `standing.lines_confirmed`. A
    line that this session opened before with the same identifier is returned as it is.
    """
    raise NotImplementedError


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
