"""Numbers whose reservation or rest is over leave the table; they are free from that instant anyway."""

from datetime import datetime

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import transact
from shiming.registrations.use_cases.numbers import free_expired
from shiming.registrations.use_cases.tools import RegistrationTools


def free_numbers_once(tools: RegistrationTools, engine: Engine, *, now: datetime) -> int:
    """Remove a batch; return how many, 0 when none is left."""
    return transact(engine, lambda connection: free_expired(tools, connection, now=now))
