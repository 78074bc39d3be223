"""Keys, tools, webhooks and events for tests of deliveries."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock, FixedClock, SystemClock
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.model import Handlers, Job
from shiming.infrastructure.job_queue.running import RunningTask, RunSeen, RunTools, run
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.outbox import Event, emit, relay
from shiming.infrastructure.webhooks.delivering import (
    DELIVER,
    DeliveryTools,
    delivering,
    route_to_webhooks,
)
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.infrastructure.webhooks.replaying import REPLAY, replaying
from shiming.infrastructure.webhooks.secrets import add_secret
from shiming.infrastructure.webhooks.subscriptions import Webhook, add_webhook, get_webhook

KEYS = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k1": b"k" * 32}})
HERE = Destinations(loopback=True)


def some_tools(engine: Engine, *, clock: Clock | None = None, **changed: object) -> DeliveryTools:
    tools = DeliveryTools(engine, KEYS, clock or SystemClock(), HERE, source="urn:shiming:test")
    return replace(tools, **changed)  # type: ignore[arg-type] # named by the tests


def a_webhook(
    engine: Engine, url: str, *, types: tuple[str, ...] = (), operator: str = ""
) -> tuple[Webhook, str]:
    now = datetime.now(UTC)
    with unit_of_work(engine) as connection:
        webhook = add_webhook(connection, url=url, types=types, operator=operator, now=now)
        return webhook, add_secret(connection, KEYS, webhook.webhook_id, now=now)


def happened(engine: Engine, *events: Event) -> None:
    """Write events and relay them to the webhooks that are there."""
    with unit_of_work(engine) as connection:
        for event in events:
            emit(connection, event)
    now = datetime.now(UTC)
    while transact(engine, lambda c: relay(c, route_to_webhooks, now=now)):
        pass


def an_event(
    name: str = "line.registered", *, operator: str = "cn-mobile", at: datetime | None = None
) -> Event:
    facts: dict[str, str | int | bool | None] = {"cap": 5, "note": "已登记"}
    return Event(name, "LIN-1", operator, at or datetime(2026, 5, 1, tzinfo=UTC), facts)


def work_off(engine: Engine, tools: DeliveryTools, *, ahead: timedelta = timedelta(0)) -> list[str]:
    """Run what is due (`ahead`: once, as if it were so much later), without threads; say how runs ended."""
    if ahead:
        tools = replace(tools, clock=FixedClock(datetime.now(UTC) + ahead))
    handlers: Handlers = {DELIVER: delivering(tools), REPLAY: replaying(engine, tools.clock, page=2)}
    ends: list[RunSeen] = []
    running = RunTools(engine, tools.clock, lambda: 0.5, ends.append)

    def claimed() -> tuple[Job, ...]:
        now = datetime.now(UTC) + ahead
        return transact(engine, lambda c: queue.claim(c, handlers, worker="w", limit=5, now=now))

    while found := claimed():
        for job in found:
            run(running, RunningTask(job, handlers[job.kind], threading.Event()))
        if ahead:
            break
    return [end.outcome for end in ends]


def read_webhook(engine: Engine, webhook_id: str) -> Webhook:
    with reading(engine) as connection:
        return get_webhook(connection, webhook_id)


def states(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(jobs.c.state)).scalars())


@contextmanager
def a_certificate(folder: Path, name: str) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """Give the TLS contexts of a server with a certificate for `name`, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    yield server, ssl.create_default_context(cafile=str(pem))


LOOPBACK = str(IPv4Address("127.0.0.1"))
