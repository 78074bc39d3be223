"""What follows a registration, a change of holder and the end of a line, by jobs. Twice is once."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.use_cases.handing_over import start_clocks_of_line
from shiming.registrations.use_cases.holder_clocks import end_clocks, start_clocks
from shiming.registrations.use_cases.lines import find_line
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.permissions import inside


@inside("a job follows each change of holder")
def follow_holder_change(
    tools: TransferTools, connection: Connection, line_id: str, *, policy: Policy, now: datetime
) -> None:
    """End the clocks of the old holder (coming of age, documents that end) and start those of the new one."""
    line = find_line(connection, line_id)
    if line is None or line.status is LineStatus.TERMINATED:
        return
    end_clocks(tools.registrations, connection, line_id, now=now, besides=line.subject)
    start_clocks(tools.registrations, connection, line, policy=policy, now=now)


@inside("a job follows the end of each line")
def follow_termination(tools: TransferTools, connection: Connection, line_id: str, *, policy: Policy) -> None:
    """Start the retention clocks of every proof that was given for the line, not only of the first."""
    line = find_line(connection, line_id)
    if line is not None and line.terminated_at is not None:
        start_clocks_of_line(connection, line, tools.registration(policy), now=line.terminated_at)
