"""Events in the form of CloudEvents 1.0, structured mode (`application/cloudevents+json`).

The id is that of the event wherever and however often it is sent, so a receiver knows a repeat by it. The
operator is an extension attribute. `data` holds references, codes and counts; who a person is stands nowhere.

>>> from datetime import UTC, datetime
>>> event = Event("line.registered", "LIN-1", "cn-mobile", datetime(2026, 5, 1, tzinfo=UTC), {"cap": 5})
>>> cloud_event(event, source="urn:shiming:test")["type"]
'shiming.line.registered'
"""

import json
from typing import Any

from shiming.infrastructure.outbox import Event
from shiming.vocabulary.instants import format_instant

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
SPECVERSION = "1.0"
TYPE_PREFIX = "shiming."


def full_type(event: Event) -> str:
    """Return the type as others see it, which is also the subject on NATS."""
    return TYPE_PREFIX + event.type


def cloud_event(event: Event, *, source: str) -> dict[str, Any]:
    """Return the event with all attributes; `source` is a URI that names the installation."""
    optional = {"subject": event.subject, "operator": event.operator}  # empty attributes are not allowed
    return {
        "specversion": SPECVERSION,
        "id": event.event_id,
        "source": source,
        "type": full_type(event),
        "time": format_instant(event.occurred_at),
        "datacontenttype": "application/json",
        "data": dict(event.facts),
        **{name: value for name, value in optional.items() if value},
    }


def encoded(event: Event, *, source: str) -> bytes:
    """Return the bytes to send: always the same for the same event, so signatures of repeats compare."""
    return json.dumps(
        cloud_event(event, source=source), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
