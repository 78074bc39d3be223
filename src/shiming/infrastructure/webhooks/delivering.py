"""One delivery: sign, send to the checked address, and say how it went.

2xx is done. 410 disables the webhook. Anything else, redirects included, is tried again with growing pauses;
`Retry-After` is heeded up to a limit. A receiver that does not answer at all, or says that it is overloaded,
rests: its other deliveries wait without costing attempts. The body of the answer is not read.
"""

import email.utils
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
from sqlalchemy.engine import Connection, Engine
from standardwebhooks.webhooks import Webhook as Signing

from shiming.infrastructure import cloud_events
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KekProvider
from shiming.infrastructure.job_queue.model import (
    DELIVERY,
    Handling,
    NewJob,
    NotDone,
    PutBack,
    RetryRule,
    Task,
)
from shiming.infrastructure.outbox import Event, find_event
from shiming.infrastructure.webhooks.destinations import DestinationRefused, Destinations
from shiming.infrastructure.webhooks.secrets import valid_secrets
from shiming.infrastructure.webhooks.subscriptions import (
    GONE,
    Webhook,
    find_webhook,
    list_webhooks,
    note_delivered,
    note_failure,
    set_enabled,
)

DELIVER = "webhook.deliver"
CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0  # a receiver stores the event and answers; it works on it afterwards
TOTAL_S_MAX = 20.0  # for one answer, however slowly it trickles
RETRY_AFTER_MAX = timedelta(hours=6)
#: A receiver that does not answer costs a thread for seconds: it rests, so that others get their events.
REST, REST_MAX = timedelta(seconds=5), timedelta(minutes=10)
_DOUBLINGS_MAX = 7
_OVERLOADED = frozenset({0, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})  # 0: no answer
NOTED_EVERY = timedelta(minutes=1)  # one write a delivery less while all is well
_DIGITS_MAX = 6  # of Retry-After in seconds: eleven days
#: 5 s, 20 s, 80 s ... 6 h: about three days in all, a long week-end of a receiver that is down.
RETRY = RetryRule(attempts_max=18, first_pause=timedelta(seconds=5), factor=4, pause_max=timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class DeliveryTools:
    """What a delivery needs; `source` is the URI of the installation in every event."""

    engine: Engine
    keys: KekProvider
    clock: Clock
    destinations: Destinations
    source: str
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S
    total_s_max: float = TOTAL_S_MAX
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)


def delivery_job(webhook: Webhook, event_id: str) -> NewJob:
    """Return the job that delivers one event to one receiver."""
    payload = {"webhook": webhook.webhook_id, "event": event_id}
    return NewJob(DELIVER, payload, unique_key=f"{DELIVER}:{webhook.webhook_id}:{event_id}")


def route_to_webhooks(connection: Connection, events: Sequence[Event]) -> list[NewJob]:
    """Return one delivery for each event and each enabled webhook that wants it."""
    receivers = list_webhooks(connection, enabled_only=True)
    return [
        delivery_job(webhook, event.event_id)
        for event in events
        for webhook in receivers
        if webhook.wants(event)
    ]


def delivering(tools: DeliveryTools) -> Handling:
    """Return how delivery jobs are done."""
    send = _sender(tools)

    def deliver(task: Task) -> NotDone | PutBack | None:
        webhook_id = str(task.job.payload["webhook"])
        with reading(tools.engine) as connection:
            webhook = find_webhook(connection, webhook_id)
            event = find_event(connection, str(task.job.payload["event"]))
            now = tools.clock.now()
            secrets = valid_secrets(connection, tools.keys, webhook_id, now=now)
        if webhook is None or webhook.disabled_at is not None or event is None:
            return None  # removed, disabled or purged since: nobody waits for it
        if webhook.resting_until is not None and webhook.resting_until > now:
            return PutBack(webhook.resting_until)
        if not secrets:
            return NotDone("WEBHOOK_SECRET_MISSING")  # nothing leaves unsigned
        body = cloud_events.encoded(event, source=tools.source)
        answer = send(webhook.url, body, signed_headers(secrets, event.event_id, body, now=now))
        return _noted(tools, webhook, answer)

    return Handling(deliver, RETRY, lane=DELIVERY)


def signed_headers(secrets: tuple[str, ...], event_id: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """Return the headers of Standard Webhooks; one signature for each secret that is valid."""
    at = now.astimezone(UTC)
    signatures = [Signing(secret).sign(event_id, at, body.decode()) for secret in secrets]
    return {
        "content-type": cloud_events.MEDIA_TYPE,
        "user-agent": "shiming",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int = 0
    failure: str | None = None
    again_in: timedelta | None = None


def _sender(tools: DeliveryTools) -> Callable[[str, bytes, dict[str, str]], _Answer]:
    timeout = httpx.Timeout(tools.read_timeout_s, connect=tools.connect_timeout_s)

    def send(url: str, body: bytes, headers: dict[str, str]) -> _Answer:
        try:
            to = tools.destinations.settle(url)
            with (
                httpx.Client(
                    timeout=timeout, verify=tools.tls, trust_env=False, follow_redirects=False
                ) as client,
                _closed_after(client, tools.total_s_max),
                client.stream(
                    "POST",
                    to.url_by_address,
                    content=body,
                    headers=headers | {"host": to.host_header},
                    extensions={"sni_hostname": to.host},
                ) as response,
            ):
                return _answer(response, tools.clock.now())
        except DestinationRefused:
            return _Answer(failure="DESTINATION_REFUSED")
        except httpx.TimeoutException:
            return _Answer(failure="TIMEOUT")
        except httpx.HTTPError:
            return _Answer(failure="CONNECTION")
        except OSError:
            return _Answer(failure="NAME_UNRESOLVED")

    return send


@contextmanager
def _closed_after(client: httpx.Client, seconds: float) -> Iterator[None]:
    """Close the client when an answer takes too long in all; the read under way then fails."""
    timer = threading.Timer(seconds, client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _answer(response: httpx.Response, now: datetime) -> _Answer:
    if response.is_success:
        return _Answer(response.status_code)
    wait = _retry_after(response.headers.get("retry-after", ""), now)
    return _Answer(response.status_code, f"STATUS_{response.status_code}", wait)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """Return the pause that the receiver asks for, at most `RETRY_AFTER_MAX`."""
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:_DIGITS_MAX])), RETRY_AFTER_MAX)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(max(at - now, timedelta(0)), RETRY_AFTER_MAX)


def _noted(tools: DeliveryTools, webhook: Webhook, answer: _Answer) -> NotDone | None:
    now = tools.clock.now()
    if answer.failure is None:
        noted = webhook.delivered_at
        if webhook.silences or noted is None or now - noted >= NOTED_EVERY:
            transact(tools.engine, lambda c: note_delivered(c, webhook.webhook_id, now=now))
        return None
    failure = answer.failure
    gone = answer.status == HTTPStatus.GONE
    rest = None if answer.status not in _OVERLOADED else now + (answer.again_in or _rest_after(webhook))

    def note(connection: Connection) -> None:
        note_failure(connection, webhook.webhook_id, failure, resting_until=rest, now=now)
        if gone:
            set_enabled(connection, webhook.webhook_id, why_not=GONE, now=now)

    transact(tools.engine, note)
    return None if gone else NotDone(failure, answer.again_in)


def _rest_after(webhook: Webhook) -> timedelta:
    return min(REST * (1 << min(webhook.silences, _DOUBLINGS_MAX)), REST_MAX)
