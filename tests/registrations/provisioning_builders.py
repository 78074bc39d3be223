"""A registry with lines, a network that follows it, and its jobs run in the test's own thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy.engine import Connection, Engine

from shiming.entrypoints.listeners import route_to_listeners
from shiming.entrypoints.provisioning_jobs import provisioning_jobs
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.model import Handlers, NewJob
from shiming.infrastructure.job_queue.queue import enqueue
from shiming.infrastructure.job_queue.running import RunningTask, RunSeen, RunTools, run
from shiming.infrastructure.outbox import Event, EventRange, emit, events_in, relay
from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.events.registration import LINE_REGISTERED
from shiming.registrations.events.stops import LINE_STATUS_CHANGED
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.provisioning import OrderState, ServiceOrder
from shiming.registrations.ports.bss import BssPort
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.provisioning import list_orders
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.bss_endpoints import SWEEP, add_bss, new_callback_secret
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk

OPERATOR = "cn-mobile"
URL, TOKEN = "https://bss.example/tmf-api", "token-of-the-bss"
POLICY: Policy = policy_on(read_pack("cn"), NOW.date())


@dataclass
class Network:
    """A desk with lines, and the tools of provisioning at an instant that the test moves."""

    desk: Desk
    tools: ProvisioningTools
    now: datetime = NOW

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def later(self, pause: timedelta) -> None:
        self.now += pause
        self.tools = replace(self.tools, clock=FixedClock(self.now))

    def connect(self, url: str = URL, operator: str = OPERATOR) -> str:
        """Name the operator's BSS; return the secret of its callbacks."""

        def work(connection: Connection) -> str:
            add_bss(self.tools, connection, operator=operator, url=url, token=TOKEN, now=self.now)
            return new_callback_secret(self.tools, connection, operator=operator, now=self.now)

        return transact(self.engine, work)

    def connect_again(self, url: str) -> None:
        """Move the operator's BSS to another address; the secret stays."""

        def work(connection: Connection) -> None:
            add_bss(self.tools, connection, operator=OPERATOR, url=url, token=TOKEN, now=self.now)

        transact(self.engine, work)

    def register(self, *line_ids: str, operator: str = OPERATOR, status: str = "pending") -> None:
        """Write lines as a registration leaves them, with their events."""
        with unit_of_work(self.engine) as connection:
            for line_id in line_ids:
                connection.execute(lines.insert().values(_line_row(line_id, operator, status)))
                emit(connection, Event(LINE_REGISTERED, line_id, operator, self.now))

    def set_status(self, line_id: str, status: LineStatus, *, told: bool = True) -> None:
        """Change a line's status as a stop does; `told`: with its event."""
        with unit_of_work(self.engine) as connection:
            ended = self.now if status is LineStatus.TERMINATED else None
            change = lines.update().where(lines.c.line_id == line_id)
            connection.execute(change.values(status=status.value, terminated_at=ended))
            if told:
                emit(connection, Event(LINE_STATUS_CHANGED, line_id, OPERATOR, self.now))

    def line(self, line_id: str) -> Line:
        with reading(self.engine) as connection:
            found = find_line(connection, line_id)
        assert found is not None
        return found

    def orders(self, line_id: str | None = None, *states: OrderState) -> tuple[ServiceOrder, ...]:
        with reading(self.engine) as connection:
            found = list_orders(connection, operator=None, line_id=line_id, states=states, limit=10_000)
        return tuple(sorted(found, key=lambda order: (order.service_id, order.sequence)))

    def events(self, kind: str) -> list[Event]:
        span = EventRange(self.now - timedelta(days=400), self.now + timedelta(days=400))
        with reading(self.engine) as connection:
            found = events_in(connection, span, after=None, limit=10_000)
        return [event for event in found if event.type == kind]

    def handlers(self) -> Handlers:
        platform: Any = SimpleNamespace(provisioning=self.tools)
        return provisioning_jobs(platform)

    def work_off(self, *, rounds: int = 1000) -> list[str]:
        """Relay events and run what is due until nothing is; return how the runs ended."""
        handlers, ends = self.handlers(), list[RunSeen]()
        running = RunTools(self.engine, self.tools.clock, lambda: 0.5, ends.append)
        for _ in range(rounds):
            relayed = transact(self.engine, lambda c: relay(c, route_to_listeners, now=self.now))
            taken = transact(
                self.engine, lambda c: queue.claim(c, handlers, worker="w", limit=5, now=self.now)
            )
            for job in taken:
                run(running, RunningTask(job, handlers[job.kind], threading.Event()))
            if not relayed and not taken:
                break
        return [end.outcome for end in ends]

    def sweep(self) -> None:
        with unit_of_work(self.engine) as connection:
            enqueue(connection, NewJob(SWEEP), now=self.now)
        self.work_off()


def _line_row(line_id: str, operator: str, status: str) -> dict[str, Any]:
    return {
        "line_id": line_id,
        "operator": operator,
        "number": f"+86138{sum(ord(c) * 31**i for i, c in enumerate(line_id)) % 10**8:08d}",
        "kind": "mobile",
        "product_class": "personal",
        "cap_scope": operator,
        "subject": f"p1.{line_id}",
        "session_id": f"SES-{line_id}",
        "status": status,
        "registered_at": NOW,
    }


def a_network(folder: Path, url: str, bss: BssPort) -> Network:
    desk = a_desk(folder, url=url)
    tools = ProvisioningTools(
        registrations=desk.tools,
        engine=desk.engine,
        clock=FixedClock(NOW),
        bss=bss,
        policy=lambda: POLICY,
        public_url="http://127.0.0.1:1",
    )
    return Network(desk, tools)


@contextmanager
def a_closed_network(folder: Path, url: str, bss: BssPort) -> Iterator[Network]:
    network = a_network(folder, url, bss)
    try:
        yield network
    finally:
        network.engine.dispose()


def follow(network: Network, bss: FakeBss) -> None:
    """Let jobs and network work until both rest; callbacks are all lost, so the polls find out."""
    for _ in range(40):
        network.work_off()
        bss.work()
        network.later(timedelta(minutes=6))
        if not network.orders(None, OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS):
            break
