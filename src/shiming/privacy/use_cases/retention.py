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
RELEASED_A_BATCH_MAX = 500  # one transaction of bounded length


@inside("a session that nobody registered a line with in time gives its evidence up")
def release_case(connection: Connection, *, case_reference: str, now: datetime) -> int:
    """End the retention of a case that never became a line; return how many pieces are due then.

    What a line needs (`attach_line`) stays: its clock starts when its service ends.
    """
    return store.release_case(connection, case_reference, now)


@inside("a job lets go of what no line came of")
def release_unused_cases(connection: Connection, *, now: datetime) -> int:
    """End the retention of evidence that waited a day for its line; return how many pieces, a batch a call.

    Identity and document images are kept because of a line; without one there is no ground to keep them.
    """
    return store.release_unused(connection, now - UNUSED_AFTER, now, RELEASED_A_BATCH_MAX)


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
