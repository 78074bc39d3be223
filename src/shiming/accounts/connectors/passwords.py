"""Password hashes by Argon2id (RFC 9106), with the parameters in each hash."""

import threading

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from shiming.accounts.rules.password_policy import normalised

#: OWASP's first choice for Argon2id where memory counts: 19 MiB, two passes, one lane: some 40 ms on the
#: machine of the tests, a delay nobody notices at a counter.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
AT_ONCE_MAX = 2  # hashes at the same time, so that a burst takes 38 MiB and two cores at most


class Argon2Passwords:
    """Hashes and compares passwords; safe to share between threads."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=LANES, type=argon2.Type.ID
        )
        self._turn = threading.BoundedSemaphore(AT_ONCE_MAX)
        self._nobody = ""  # made with the first comparison: most commands never sign anybody in

    def hash(self, password: str) -> str:
        """Return a hash that carries its own parameters and salt."""
        with self._turn:
            return self._hasher.hash(normalised(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Say whether a password is the stored one; takes as long when there is none stored."""
        self._nobody = self._nobody or self.hash("what nobody has chosen")
        with self._turn:
            try:
                same = self._hasher.verify(stored or self._nobody, normalised(password))
            except (VerificationError, InvalidHashError):
                return False
        return same and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Say whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
