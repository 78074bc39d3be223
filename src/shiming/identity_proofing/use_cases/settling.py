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
        if session is not None and session.consumed_by is not None:
            attach_line(connection, case_reference=case, line_id=session.consumed_by)
        else:
            release_case(connection, case_reference=case, now=now)
    return len(waiting)
