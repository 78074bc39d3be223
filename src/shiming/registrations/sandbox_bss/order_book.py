"""What the pretended BSS remembers: orders and services, in a SQLite file of its own."""

import json
import sqlite3
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, external_id TEXT UNIQUE, state TEXT NOT NULL, body TEXT NOT NULL,
    due_s REAL NOT NULL);
CREATE INDEX IF NOT EXISTS orders_due ON orders (due_s) WHERE state IN ('acknowledged', 'inProgress');
CREATE TABLE IF NOT EXISTS services (id TEXT PRIMARY KEY, body TEXT NOT NULL);
"""
_BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """What became of an order; `order` as it is shown."""

    order: dict[str, Any]
    is_final: bool


class OrderInvalid(Exception):
    """The body is no service order with one item about one service."""


class OrderBook:
    """Safe to share between threads."""

    def __init__(self, file: Path | str) -> None:
        self._database = sqlite3.connect(
            str(file), check_same_thread=False, isolation_level=None, timeout=_BUSY_S
        )
        self._lock = threading.Lock()
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def place(self, body: Mapping[str, Any], *, due_s: float) -> tuple[dict[str, Any], bool]:
        """Take an order; the same externalId again is the same order. Return it and whether it is new."""
        external_id = _checked(body)
        order_id = f"SO{uuid.uuid4().hex[:12]}"
        with self._lock:
            self._database.execute(
                "INSERT INTO orders VALUES (?, ?, 'acknowledged', ?, ?) ON CONFLICT DO NOTHING",
                (order_id, external_id, json.dumps(dict(body)), due_s),
            )
            row = self._one("SELECT id, state, body FROM orders WHERE external_id = ?", external_id)
        return _shown(row), row[0] == order_id

    def find(self, order_id: str) -> dict[str, Any] | None:
        """Return an order."""
        with self._lock:
            row = self._one("SELECT id, state, body FROM orders WHERE id = ?", order_id)
        return _shown(row) if row else None

    def find_external(self, external_id: str) -> dict[str, Any] | None:
        """Return the order of an external reference."""
        with self._lock:
            row = self._one("SELECT id, state, body FROM orders WHERE external_id = ?", external_id)
        return _shown(row) if row else None

    def due(self, now_s: float, *, limit: int) -> list[dict[str, Any]]:
        """Return orders whose next step is due."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id, state, body FROM orders WHERE state IN ('acknowledged', 'inProgress') "
                "AND due_s <= ? ORDER BY due_s LIMIT ?",
                (now_s, limit),
            ).fetchall()
        return [_shown(row) for row in rows]

    def step(self, order_id: str, *, due_s: float, fails: bool) -> Step | None:
        """Take an order one step on: acknowledged, inProgress, completed or failed."""
        with self._lock:
            row = self._one("SELECT id, state, body FROM orders WHERE id = ?", order_id)
            if row is None or row[1] not in {"acknowledged", "inProgress"}:
                return None
            after = "inProgress" if row[1] == "acknowledged" else ("failed" if fails else "completed")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.execute(
                    "UPDATE orders SET state = ?, due_s = ? WHERE id = ?", (after, due_s, order_id)
                )
                if after == "completed":
                    self._apply(json.loads(row[2])["serviceOrderItem"][0])
                self._database.execute("COMMIT")
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
        return Step(_shown((row[0], after, row[2])), after != "inProgress")

    def services(self, *, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Return a page of services by id, and how many there are."""
        with self._lock:
            rows = self._database.execute(
                "SELECT body FROM services ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
            ).fetchall()
            total = self._one("SELECT count(*) FROM services")[0]
        return [json.loads(row[0]) for row in rows], int(total)

    def service(self, service_id: str) -> dict[str, Any] | None:
        """Return one service."""
        with self._lock:
            row = self._one("SELECT body FROM services WHERE id = ?", service_id)
        return json.loads(row[0]) if row else None

    def put_service(self, service: Mapping[str, Any]) -> None:
        """Write a service as it is: how a rehearsal plants a difference."""
        with self._lock:
            self._put(service)

    def remove_service(self, service_id: str) -> None:
        """Forget a service: how a rehearsal loses one."""
        with self._lock:
            self._database.execute("DELETE FROM services WHERE id = ?", (service_id,))

    def _apply(self, item: Mapping[str, Any]) -> None:
        service = dict(item["service"])
        if item["action"] == "delete":
            service["state"] = "terminated"
        self._put(service)

    def _put(self, service: Mapping[str, Any]) -> None:
        self._database.execute(
            "INSERT INTO services VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (service["id"], json.dumps(dict(service))),
        )

    def _one(self, query: str, *parameters: str) -> Any:
        return self._database.execute(query, parameters).fetchone()


def _checked(body: Mapping[str, Any]) -> str:
    match body:
        case {
            "externalId": str(external_id),
            "serviceOrderItem": [
                {"action": "add" | "modify" | "delete", "service": {"id": str(), "state": _}}
            ],
        } if external_id:
            return external_id
    raise OrderInvalid


def _shown(row: tuple[str, str, str]) -> dict[str, Any]:
    order_id, state, body = row
    order: dict[str, Any] = {**json.loads(body), "id": order_id, "state": state}
    order["href"] = f"/tmf-api/serviceOrdering/v4/serviceOrder/{order_id}"
    if state == "failed":
        order["errorMessage"] = [{"code": "NETWORK_ELEMENT_FAILED", "reason": "rehearsed"}]
    return order
