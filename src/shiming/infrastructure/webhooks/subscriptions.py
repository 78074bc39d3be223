"""Who wants which events: add, list, enable and remove webhooks.

>>> [wants(("line.*",), name) for name in ("line.registered", "line.holder.changed", "session.decided")]
[True, True, False]
"""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.outbox import Event
from shiming.infrastructure.webhooks.tables import webhooks
from shiming.vocabulary.errors import BadInput, Text

WEBHOOKS_MAX = 100  # each event becomes one job a webhook; more receivers belong behind NATS
TYPES_MAX = 50
_PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?")
GONE = "GONE"
BY_HAND = "BY_HAND"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events. `types` are exact, or end in `.*`, or are `*`; `operator` empty: of all."""

    webhook_id: str
    url: str
    types: tuple[str, ...]
    operator: str
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_why: str | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None
    silences: int = 0
    resting_until: datetime | None = None

    def wants(self, event: Event) -> bool:
        """Whether this receiver subscribed to such an event."""
        return wants(self.types, event.type) and self.operator in {"", event.operator}

    def to_json(self) -> dict[str, Any]:
        """Return the webhook as commands and the API show it; its secret is not part of it."""
        instants = {
            name: (at := getattr(self, name)) and at.isoformat()
            for name in ("created_at", "disabled_at", "delivered_at", "failed_at", "resting_until")
        }
        return {
            "id": self.webhook_id,
            "url": self.url,
            "types": list(self.types),
            "operator": self.operator or None,
            "disabled_why": self.disabled_why,
            "failure": self.failure,
            **instants,
        }


def wants(types: Iterable[str], name: str) -> bool:
    """Whether a type of event is named by one of these patterns."""
    return any(
        pattern in {"*", name} or (pattern.endswith(".*") and name.startswith(pattern[:-1]))
        for pattern in types
    )


def add_webhook(
    connection: Connection, *, url: str, types: Iterable[str], operator: str, now: datetime
) -> Webhook:
    """Store a receiver whose URL was checked; raises BadInput for patterns of types that cannot match."""
    patterns = tuple(dict.fromkeys(types)) or ("*",)
    if len(patterns) > TYPES_MAX or not all(_PATTERN.fullmatch(pattern) for pattern in patterns):
        raise BadInput(
            "WEBHOOK_TYPES_INVALID",
            Text(zh="事件类型不正确。", en="These types of events are not valid."),
            Text(zh="例如 line.registered、line.* 或 *。", en="Such as line.registered, line.* or *."),
        )
    if connection.execute(sa.select(sa.func.count()).select_from(webhooks)).scalar_one() >= WEBHOOKS_MAX:
        raise BadInput(
            "WEBHOOKS_TOO_MANY",
            Text(zh=f"最多 {WEBHOOKS_MAX} 个订阅。", en=f"There are {WEBHOOKS_MAX} webhooks already."),
            Text(zh="请删除不用的订阅。", en="Remove one that is not used, or distribute by NATS."),
        )
    webhook = Webhook(f"whk_{uuid.uuid4().hex}", url, patterns, operator, created_at=now)
    connection.execute(
        webhooks.insert().values(
            webhook_id=webhook.webhook_id,
            url=url,
            types=json.dumps(patterns),
            operator=operator,
            created_at=now,
        )
    )
    return webhook


def list_webhooks(
    connection: Connection, *, operator: str = "", enabled_only: bool = False
) -> tuple[Webhook, ...]:
    """Return the webhooks in the order of their making; of one operator, or (empty) of all."""
    query = sa.select(webhooks).order_by(webhooks.c.created_at, webhooks.c.webhook_id)
    if operator:
        query = query.where(webhooks.c.operator == operator)
    if enabled_only:
        query = query.where(webhooks.c.disabled_at.is_(None))
    return tuple(_webhook(row) for row in connection.execute(query))


def find_webhook(connection: Connection, webhook_id: str) -> Webhook | None:
    """Return one webhook; None when there is none."""
    row = connection.execute(_of(sa.select(webhooks), webhook_id)).one_or_none()
    return None if row is None else _webhook(row)


def get_webhook(connection: Connection, webhook_id: str, *, operator: str = "") -> Webhook:
    """Return one webhook; raises BadInput WEBHOOK_UNKNOWN also for one of another operator."""
    found = find_webhook(connection, webhook_id)
    if found is None or operator not in {"", found.operator}:
        raise BadInput(
            "WEBHOOK_UNKNOWN",
            Text(zh="没有该订阅。", en="There is no such webhook."),
            Text(zh="请查看 shiming webhooks list。", en="See `shiming webhooks list`."),
        )
    return found


def remove_webhook(connection: Connection, webhook_id: str) -> None:
    """Remove a webhook and its secrets; deliveries that still wait for it come to nothing."""
    get_webhook(connection, webhook_id)
    connection.execute(webhooks.delete().where(webhooks.c.webhook_id == webhook_id))


def set_enabled(connection: Connection, webhook_id: str, *, why_not: str | None, now: datetime) -> None:
    """Enable a webhook (`why_not` None) or disable it; meanwhile it gets no events, also not later."""
    disabled_at = None if why_not is None else now
    connection.execute(
        _of(webhooks.update(), webhook_id).values(
            disabled_at=disabled_at, disabled_why=why_not, silences=0, resting_until=None
        )
    )


def note_delivered(connection: Connection, webhook_id: str, *, now: datetime) -> None:
    """Note that the receiver took an event, which ends a rest."""
    noted = {"delivered_at": now, "silences": 0, "resting_until": None}
    connection.execute(_of(webhooks.update(), webhook_id).values(**noted))


def note_failure(
    connection: Connection, webhook_id: str, failure: str, *, resting_until: datetime | None, now: datetime
) -> None:
    """Note that the receiver did not take an event; with `resting_until` it is not asked before that."""
    noted: dict[str, Any] = {"failed_at": now, "failure": failure[:40]}
    if resting_until is not None:
        noted |= {"silences": webhooks.c.silences + 1, "resting_until": resting_until}
    connection.execute(_of(webhooks.update(), webhook_id).values(**noted))


def _of(statement: Any, webhook_id: str) -> Any:
    return statement.where(webhooks.c.webhook_id == webhook_id)


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        types=tuple(json.loads(row.types)),
        operator=row.operator,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        disabled_why=row.disabled_why,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        failure=row.failure,
        silences=row.silences,
        resting_until=row.resting_until,
    )
