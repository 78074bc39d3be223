"""Hold the object store and the evidence rows against each other.

An object without a row is what a transaction that failed, or a process that was killed, left behind: after a
day it is removed. A row without its object is a loss: it is reported, and nothing is changed. Objects of
other features, such as the pieces that an undecided session holds, have other names and are theirs to remove.
"""

from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.privacy.model import ObjectsSwept
from shiming.privacy.permissions import MayListEvidence
from shiming.privacy.store import evidence as store
from shiming.privacy.use_cases.tools import EVIDENCE, PrivacyTools
from shiming.vocabulary.permissions import asks, inside

ORPHAN_AGE = timedelta(hours=24)  # no upload and no transaction lasts as long
LOOKED_UP_AT_ONCE = 500
REMOVED_A_RUN_MAX = 10_000  # a store held against the wrong database loses no more than this before a look
REPORTED_MAX = 1000


@inside("a job removes what no row knows")
def sweep_orphans(tools: PrivacyTools, engine: Engine, *, now: datetime) -> ObjectsSwept:
    """Remove objects older than a day that no row knows, and uploads that nobody finished."""
    before, removed = now - ORPHAN_AGE, 0
    unfinished = tools.objects.discard_unfinished(older_than=before)
    stored = tools.objects.list_ids(older_than=before)
    ids = (object_id for object_id in stored if object_id.startswith(f"{EVIDENCE}-"))
    while removed < REMOVED_A_RUN_MAX and (batch := list(islice(ids, LOOKED_UP_AT_ONCE))):
        with reading(engine) as connection:
            known = store.filter_known(connection, batch)
        for orphan in sorted(set(batch) - known):
            tools.objects.remove(orphan)
            removed += 1
    return ObjectsSwept(orphans_removed=removed, unfinished_removed=unfinished)


@asks(MayListEvidence)
def list_missing_objects(tools: PrivacyTools, engine: Engine) -> tuple[str, ...]:
    """Return evidence that is not erased and whose object is gone, the first thousand of them."""
    with reading(engine) as connection:
        missing = (
            evidence_id
            for evidence_id in store.iterate_kept_ids(connection)
            if not tools.objects.exists(evidence_id)
        )
        return tuple(islice(missing, REPORTED_MAX))
