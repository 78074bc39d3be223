"""Secrets under a name: encrypted, bound to the name, following a change of keys; on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.sealed_secrets import (
    count_sealed_by_kek,
    find_secret,
    forget_secrets,
    put_secret,
    rewrap_sealed,
    sealed_secrets,
)
from shiming.vocabulary.errors import Unavailable

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OLD = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k1": b"k" * 32}})
BOTH = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k1": b"k" * 32, "k2": b"n" * 32}})


def test_a_secret_comes_back_and_is_not_stored_in_clear(database: Engine) -> None:
    with unit_of_work(database) as connection:
        put_secret(connection, OLD, "a", "one", now=NOW)
        put_secret(connection, OLD, "a", "a secret", now=NOW)
        put_secret(connection, OLD, "b", "another", now=NOW)
        assert find_secret(connection, OLD, "a") == "a secret"
        assert find_secret(connection, OLD, "c") is None
        rows = connection.execute(sa.select(sealed_secrets)).all()
        assert not any(b"secret" in row.ciphertext for row in rows)
        forget_secrets(connection, "a")
        assert find_secret(connection, OLD, "a") is None
        assert find_secret(connection, OLD, "b") == "another"


def test_a_secret_may_be_asked_for_only_while_it_is_young(database: Engine) -> None:
    with unit_of_work(database) as connection:
        put_secret(connection, OLD, "a", "one", now=NOW)
        assert find_secret(connection, OLD, "a", made_after=NOW - timedelta(seconds=1)) == "one"
        assert find_secret(connection, OLD, "a", made_after=NOW) is None


def test_a_secret_in_the_place_of_another_does_not_open(database: Engine) -> None:
    with unit_of_work(database) as connection:
        put_secret(connection, OLD, "a", "one", now=NOW)
        connection.execute(sealed_secrets.update().values(name="b"))
        with pytest.raises(Unavailable, match="SECRET_UNDECRYPTABLE"):
            find_secret(connection, OLD, "b")


def test_secrets_follow_a_change_of_keys(database: Engine) -> None:
    with unit_of_work(database) as connection:
        for name in "abc":
            put_secret(connection, OLD, name, f"secret {name}", now=NOW)
        assert count_sealed_by_kek(connection) == {"k1": 3}
        assert [rewrap_sealed(connection, BOTH, limit=2) for _ in range(3)] == [2, 1, 0]
        assert count_sealed_by_kek(connection) == {"k2": 3}
        assert [find_secret(connection, BOTH, name) for name in "abc"] == ["secret a", "secret b", "secret c"]
