"""What a worker does for the vault again and again; every function may be run at any time, also twice."""

from datetime import datetime

from sqlalchemy.engine import Engine

from shiming.privacy.use_cases.erasure import erasing, remove_objects, write_tombstones
from shiming.privacy.use_cases.retention import erase_due_batch
from shiming.privacy.use_cases.sweeping import sweep_orphans
from shiming.privacy.use_cases.tools import PrivacyTools


def erase_due(tools: PrivacyTools, engine: Engine, *, now: datetime) -> int:
    """Erase, batch by batch, what the policy no longer lets us keep; return how many pieces."""
    erased = 0
    while True:
        with erasing(tools, engine) as connection:
            batch = erase_due_batch(tools, connection, now=now)
        if not batch:
            return erased
        erased += len(batch)


def finish_erasures(tools: PrivacyTools, engine: Engine) -> int:
    """Write tombstones and remove objects that earlier erasures could not; return how many objects."""
    write_tombstones(tools, engine)
    removed = 0
    while count := remove_objects(tools, engine):
        removed += count
    return removed


def sweep_objects(tools: PrivacyTools, engine: Engine, *, now: datetime) -> int:
    """Remove objects that no row knows; return how many."""
    return sweep_orphans(tools, engine, now=now).orphans_removed
