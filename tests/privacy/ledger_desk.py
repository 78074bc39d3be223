"""A ledger on a real database, and an intruder who has the database but none of the keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.signed_notes import NoteSigner
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.model import LeafRef, LedgerBroken, LedgerSealed, LedgerVerified
from shiming.privacy.store.ledger import GUARDS, ledger_lanes, ledger_leaves
from shiming.privacy.store.ledger_tree import ledger_batches, ledger_runs, ledger_tiles
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.privacy.use_cases.verifying import verify_ledger

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

TABLES = (ledger_lanes, ledger_leaves, ledger_batches, ledger_runs, ledger_tiles)
Snapshot = dict[sa.Table, list[dict[str, Any]]]


def ledger_keys(secret: bytes = b"l" * 32) -> InMemoryKeys:
    return InMemoryKeys({KeyUse.LEDGER: {"l1": secret}})


def a_log(seed: bytes = bytes(32), name: str = "shiming/test") -> NoteSigner:
    return NoteSigner(name, Ed25519Signer.from_seed(seed))


@dataclass(frozen=True)
class Ledger:
    engine: Engine
    keys: InMemoryKeys = field(default_factory=ledger_keys)
    log: NoteSigner = field(default_factory=a_log)

    def append(self, count: int = 1, operator: str = "") -> LeafRef:
        for index in range(count):
            with unit_of_work(self.engine) as connection:
                leaf = self.append_in(connection, index, operator)
        return leaf

    def append_in(self, connection: Connection, index: int = 0, operator: str = "") -> LeafRef:
        return record(
            connection, self.keys, kind="test.leaf", facts={"index": index}, now=NOW, operator=operator
        )

    def seal(self, batch_leaves_max: int = 10_000) -> LedgerSealed:
        clock = FixedClock(NOW)
        return seal_ledger(self.engine, self.keys, self.log, clock, batch_leaves_max=batch_leaves_max)

    def verify(self) -> LedgerVerified | LedgerBroken:
        return verify_ledger(self.engine, self.keys, (self.log.key,))

    def findings(self) -> list[tuple[str, str]]:
        found = self.verify()
        return [(one.at, one.why.value) for one in found.findings] if isinstance(found, LedgerBroken) else []

    @contextmanager
    def intruder(self) -> Iterator[Connection]:
        """Write with the rights of the database's owner: the guards are out of the way meanwhile."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
                yield connection
                return
            guards = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).all()
            for name, _ in guards:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            yield connection
            for _, sql in guards:
                connection.exec_driver_sql(sql)

    def tamper(self, *statements: str) -> None:
        with self.intruder() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def snapshot(self) -> Snapshot:
        with reading(self.engine) as connection:
            return {table: [row._asdict() for row in connection.execute(table.select())] for table in TABLES}

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back as it was, as somebody who restores an old backup."""
        with self.intruder() as connection:
            for table, rows in snapshot.items():
                connection.execute(table.delete())
                if rows:
                    connection.execute(table.insert(), rows)

    def drop_guard(self, name: str) -> None:
        (table,) = (table for table, guard, _ in GUARDS if guard == name)
        with self.engine.begin() as connection:
            on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
