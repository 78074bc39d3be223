"""Events written in the transaction of what they tell, so that neither exists without the other.

An event says what happened, of what kind, about which reference; never who a person is. Delivery (CloudEvents
1.0 to webhooks and NATS) reads this table afterwards, at least once.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant, schema

Fact = str | int | bool | None

outbox = sa.Table(
    "outbox",
    schema,
    sa.Column("event_id", sa.String(36), primary_key=True),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("occurred_at", UtcInstant, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that others may want to know, e.g. type `line.registered` about the reference of the line."""

    type: str
    subject: str
    operator: str
    occurred_at: datetime
    facts: Mapping[str, Fact] = field(default_factory=dict)
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def facts_text(self) -> str:
        """Return the facts as they are stored."""
        return json.dumps(self.facts, sort_keys=True)


def emit(connection: Connection, event: Event) -> None:
    """Write an event in the caller's transaction."""
    connection.execute(
        outbox.insert().values(
            event_id=event.event_id,
            type=event.type,
            subject=event.subject,
            operator=event.operator,
            occurred_at=event.occurred_at,
            facts=event.facts_text(),
        )
    )
