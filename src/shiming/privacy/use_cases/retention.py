"""Erase what the policy no longer lets us keep."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.privacy.model import EvidenceErased
from shiming.privacy.store import evidence as store
from shiming.privacy.use_cases.erasure import ERASED_A_BATCH_MAX, destroy_key
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.permissions import inside

#: No session lives this long, so nobody can register from it or review it any more.
UNUSED_AFTER = timedelta(days=1)
CASES_A_BATCH_MAX = 200  # one transaction of bounded length


@inside("a session that nobody registered a line with in time gives its evidence up")
def release_case(connection: Connection, *, case_reference: str, now: datetime) -> int:
    """End the retention of a case that never became a line; return how many pieces are due then.

    What a line needs (`attach_line`) stays: its clock starts when its service ends.
    """
    return store.release_case(connection, case_reference, now)


@inside("a job settles them: attached to their line, or released")
def list_waiting_cases(connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Return a batch of cases whose evidence has waited a day for a line and ends at no date.

    Identity and document images are kept because of a line; without one there is no ground to keep them.
    """
    return store.list_waiting_cases(connection, now - UNUSED_AFTER, CASES_A_BATCH_MAX)


@inside("a job erases what is due")
def erase_due_batch(
    tools: PrivacyTools, connection: Connection, *, now: datetime
) -> tuple[EvidenceErased, ...]:
    """Erase a batch of what is due, inside `erasing`; call again until nothing comes back.

    A key is destroyed when everything that it encrypts is due. Two runs at once share the work.
    """
    erased: list[EvidenceErased] = []
    for key in store.list_due_keys(connection, now, ERASED_A_BATCH_MAX):
        destroyed = destroy_key(tools, connection, key, why="retention_ended", actor="system", now=now)
        erased += destroyed.pieces if destroyed else ()
    return tuple(erased)
