"""How long a user name must wait after wrong passwords.

The first few tries are free, then the wait doubles with each failure. After a hundred failures in a row the
password is not accepted any more until somebody resets it (NIST SP 800-63B-4, section 3.2.2).
Passkeys and the operator's provider are not held up: a stranger who guesses cannot keep the owner out.

>>> from datetime import UTC
>>> at = datetime(2026, 1, 1, tzinfo=UTC)
>>> decide_lockout(failures=4, last_failed_at=at, now=at)
MayTry()
>>> decide_lockout(failures=6, last_failed_at=at, now=at).until.isoformat()
'2026-01-01T00:01:00+00:00'
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

DOUBLINGS_MAX = 20  # a larger power would overflow before the cap is applied


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """How patient the sign-in is."""

    free_failures: int = 4  # a person mistypes a long password this often without meaning harm
    first_wait: timedelta = timedelta(seconds=30)
    wait_max: timedelta = timedelta(hours=1)  # longer would let a stranger keep the owner out for a day
    failures_max: int = 100


@dataclass(frozen=True, slots=True)
class MayTry:
    """A password may be tried now."""


@dataclass(frozen=True, slots=True)
class Locked:
    """No password is accepted before `until`; None: not before a reset."""

    until: datetime | None


def decide_lockout(
    *, failures: int, last_failed_at: datetime | None, now: datetime, policy: LockoutPolicy | None = None
) -> MayTry | Locked:
    """Say whether a password may be tried now, after so many failures in a row."""
    policy = policy or LockoutPolicy()
    if failures >= policy.failures_max:
        return Locked(None)
    if failures <= policy.free_failures or last_failed_at is None:
        return MayTry()
    doublings = min(failures - policy.free_failures - 1, DOUBLINGS_MAX)
    until = last_failed_at + min(policy.first_wait * 2**doublings, policy.wait_max)
    return Locked(until) if now < until else MayTry()
