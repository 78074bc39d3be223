"""What follows a registration and the end of a line, a moment later: by jobs, so that they stay fast.

A job may run twice; each step is done once.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy
from shiming.privacy.model import RetentionEvents
from shiming.privacy.use_cases.vault import attach_line, start_retention_clocks
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.notice_texts import PROXY_REGISTERED
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.orders import Representative, RepresentativeRole
from shiming.registrations.store.holder_clocks import proofs_of
from shiming.registrations.store.lines import find_line, list_by_person
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.holder_clocks import end_clocks, start_clocks
from shiming.registrations.use_cases.notices import queue_notice
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside

_LOOKED_AT = 50  # lines of one person at one operator: ten times any cap
_REACHABLE = frozenset({LineStatus.ACTIVE, LineStatus.ONE_WAY_STOPPED})  # messages come in


@inside("a job follows each registration")
def follow_registration(
    tools: RegistrationTools, connection: Connection, line_id: str, *, policy: Policy, now: datetime
) -> None:
    """Keep the representative's evidence with the line, tell the principal, start the clocks."""
    line = find_line(connection, line_id)
    if line is None or line.status is LineStatus.TERMINATED:
        return
    behalf = _representative(connection, line)
    if behalf is not None:
        attach_line(connection, case_reference=behalf.session_id, line_id=line_id)
        if behalf.role is RepresentativeRole.PROXY:
            _tell_principal(tools, connection, line, now)
    start_clocks(tools, connection, line, policy=policy, now=now)


@inside("a job follows the end of each line")
def follow_termination(
    tools: RegistrationTools, connection: Connection, line_id: str, *, policy: Policy, now: datetime
) -> None:
    """Start the retention clocks of all other cases of the line too, and end the clocks of its holder."""
    line = find_line(connection, line_id)
    if line is None or line.terminated_at is None:
        return
    behalf = _representative(connection, line)
    ended = RetentionEvents(service_ended_at=line.terminated_at)
    for case in (*((behalf.session_id,) if behalf else ()), *proofs_of(connection, line_id)):
        attach_line(connection, case_reference=case, line_id=line_id)
        start_retention_clocks(connection, case_reference=case, retention=policy.retention, events=ended)
    end_clocks(tools, connection, line_id, now=now)


def _representative(connection: Connection, line: Line) -> Representative | None:
    """Return who acted for a person; a handler's session is kept with its organisation."""
    order = find_order(connection, line.session_id)
    behalf = order.representative if order else None
    return behalf if behalf is not None and behalf.role is not RepresentativeRole.HANDLER else None


def _tell_principal(tools: RegistrationTools, connection: Connection, line: Line, now: datetime) -> None:
    """Tell the principal on a line that they had before; on the new one where there is no other."""
    held = list_by_person(connection, line.subject, operator=line.operator, after=None, limit=_LOOKED_AT)
    before = [each for each in held if each.line_id != line.line_id and each.status in _REACHABLE]
    notice = NewNotice(
        operator=line.operator,
        line_id=(before[0] if before else line).line_id,
        subject=line.subject,
        template=PROXY_REGISTERED.template,
        text=PROXY_REGISTERED.text,
        dedupe_key=f"{PROXY_REGISTERED.template}:{line.line_id}",
        about=line.line_id,
    )
    queue_notice(tools.privacy, connection, notice, now=now)
