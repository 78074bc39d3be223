"""PostgreSQL 15 and later, through psycopg 3 and a small pool.

More connections than about four a core make it slower, not faster (docs/explanation/scale.md).
"""

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

POOL_SIZE = 8
CONNECT_TIMEOUT_S = 5
IDLE_IN_TRANSACTION_MS = 60_000  # a transaction is one request; one that sleeps this long has lost its client


def open_postgresql(url: URL, wait_s: float) -> Engine:
    """Open a pool of connections; none is made before the first is needed."""
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=wait_s,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "shiming",
            "options": f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC",
        },
    )
