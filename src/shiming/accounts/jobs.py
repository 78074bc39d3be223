"""What the worker does for accounts."""

from sqlalchemy.engine import Engine

from shiming.accounts.use_cases.sessions import forget_expired
from shiming.accounts.use_cases.tools import AccountTools
from shiming.infrastructure.database import transact

BATCHES_MAX = 100  # half a million rows of each kind; what is left waits for the next hour


def forget_sign_ins(tools: AccountTools, engine: Engine) -> int:
    """Delete expired one-time secrets, old failures and old sessions; return how many rows went."""
    gone = 0
    for _ in range(BATCHES_MAX):
        batch = transact(engine, lambda connection: forget_expired(tools, connection))
        gone += batch
        if batch == 0:
            break
    return gone
