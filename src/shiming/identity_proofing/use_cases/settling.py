"""What becomes of evidence after its session: it belongs to the line that was registered, or it goes.

A registration does not write to the rows of its evidence, which would cost it a quarter of its time; the
session connects them, and this job writes the line down a day later.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.identity_proofing import store
from shiming.privacy.use_cases.retention import list_waiting_cases, release_case
from shiming.privacy.use_cases.vault import attach_line
from shiming.vocabulary.permissions import inside


@inside("a schedule of the worker runs it")
def settle_waiting_evidence(connection: Connection, now: datetime) -> int:
    """Attach evidence that waited a day to its line, or end its retention; return how many cases, a batch.

    Call again until it returns 0. Kept because of a line, identity and document images have no ground
    without one.
    """
    waiting = list_waiting_cases(connection, now=now)
    for case in waiting:
        session = store.find_decided_session(connection, case)
        line = None if session is None else _line_of(connection, session)
        if line is not None:
            attach_line(connection, case_reference=case, line_id=line)
        else:
            release_case(connection, case_reference=case, now=now)
    return len(waiting)


def _line_of(connection: Connection, session: store.DecidedSession) -> str | None:
    """Return the line that a session became; who acted for another person served that one's session."""
    if session.consumed_by is None:
        return None
    served = store.find_decided_session(connection, session.consumed_by)
    return session.consumed_by if served is None else served.consumed_by
