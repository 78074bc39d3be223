"""The callbacks of the pretended BSS: signed (Standard Webhooks), sometimes lost, sometimes repeated."""

import asyncio
import json
import logging
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from shiming.registrations.sandbox_bss.faults import Fault, Faults

ATTEMPTS_MAX, PAUSE_S = 4, 0.3
_TIMEOUT_S = 10.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """Where callbacks go and what signs them."""

    url: str
    secret: str = field(repr=False)


def event_of(order: dict[str, Any]) -> dict[str, Any]:
    """Return the TMF641 event of an order's present state."""
    return {
        "eventId": str(uuid.uuid4()),
        "eventTime": datetime.now(UTC).isoformat(),
        "eventType": "ServiceOrderStateChangeEvent",
        "@type": "ServiceOrderStateChangeEvent",
        "event": {"serviceOrder": order},
    }


def signed(target: CallbackTarget, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return the body of a callback and its headers."""
    body, now = json.dumps(event, ensure_ascii=False), datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": event["eventId"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(target.secret).sign(event["eventId"], now, body),
    }
    return body.encode(), headers


async def call_back(target: CallbackTarget, faults: Faults, order: dict[str, Any]) -> None:
    """Tell the target of an order's state, as the faults want it."""
    key = f"{order['externalId']}:{order['state']}"
    if faults.strikes(Fault.LOST_CALLBACK, key):
        return
    events = [event_of(order)]
    if faults.strikes(Fault.DUPLICATE_CALLBACK, key):
        late = event_of({**order, "state": "inProgress"})
        events += [events[0], late]
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
        for event in events:
            await _send(client, target, event)


async def _send(client: httpx.AsyncClient, target: CallbackTarget, event: dict[str, Any]) -> None:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        body, headers = signed(target, event)
        try:
            answer = await client.post(target.url, content=body, headers=headers)
            if not answer.is_server_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(PAUSE_S * attempt)
    _LOG.warning("SANDBOX BSS: a callback was not taken")
