"""Jobs of disclosures and of the access log; each may run twice, or be killed at any point."""

from datetime import datetime

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import RetentionPolicy
from shiming.privacy.use_cases.access_log import forget_accesses
from shiming.privacy.use_cases.disclosures import record_expired
from shiming.privacy.use_cases.tools import PrivacyTools


def expire_disclosures(tools: PrivacyTools, engine: Engine, *, now: datetime) -> int:
    """Write down and tell which disclosures have passed their deadline; return how many."""
    told = 0
    while batch := transact(engine, lambda connection: record_expired(tools, connection, now=now)):
        told += len(batch)
    return told


def forget_old_accesses(engine: Engine, retention: RetentionPolicy, *, now: datetime) -> int:
    """Remove looks whose retention has ended; return how many."""
    gone = 0
    while batch := transact(engine, lambda connection: forget_accesses(connection, retention, now)):
        gone += batch
    return gone
