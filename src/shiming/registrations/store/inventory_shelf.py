"""A network's inventory, put aside while it is compared: a private file of SQLite that nobody else sees.

SQLite deletes it when it is closed (an unnamed database), and spills to the disk of the machine only what
does not fit into its cache, so that ten million services cost no more memory than ten thousand.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from shiming.registrations.ports.bss import NetworkService

_UNNAMED = ""
READ_AT_ONCE = 500


class InventoryShelf:
    """Services by their reference. For one thread."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(_UNNAMED, isolation_level=None)
        self._database.execute(
            "CREATE TABLE services (id TEXT PRIMARY KEY, body TEXT, seen INT) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, where: TracebackType | None
    ) -> None:
        self._database.close()

    def put(self, services: Iterable[NetworkService]) -> None:
        """Put services aside; one that comes again replaces the former."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR REPLACE INTO services VALUES (?, ?, 0)",
            ((service.service_id, _text(service)) for service in services),
        )
        self._database.execute("COMMIT")

    def take(self, service_ids: Sequence[str]) -> dict[str, NetworkService]:
        """Return those of these services that are here, and mark them as seen."""
        marks = ",".join("?" * len(service_ids))
        rows = self._database.execute(
            f"UPDATE services SET seen = 1 WHERE id IN ({marks}) RETURNING id, body",  # noqa: S608 - marks only
            list(service_ids),
        ).fetchall()
        return {service_id: _service(service_id, body) for service_id, body in rows}

    def count(self) -> int:
        """Return how many services are here."""
        return int(self._database.execute("SELECT count(*) FROM services").fetchone()[0])

    def unseen(self) -> Iterator[tuple[NetworkService, ...]]:
        """Yield pages of what nobody took."""
        after = ""
        while True:
            rows = self._database.execute(
                "SELECT id, body FROM services WHERE seen = 0 AND id > ? ORDER BY id LIMIT ?",
                (after, READ_AT_ONCE),
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield tuple(_service(service_id, body) for service_id, body in rows)


def _text(service: NetworkService) -> str:
    return json.dumps([service.status, service.content, sorted(service.resources)])


def _service(service_id: str, text: str) -> NetworkService:
    status, content, resources = json.loads(text)
    return NetworkService(service_id, status, content, frozenset((kind, value) for kind, value in resources))
