"""An installation whose programs are killed again and again, while clients register lines through HTTP.

Two servers, a worker and a counter (`session_keeper`) run as processes of their own. Each is killed by
SIGKILL, whatever it is just doing, and started again. Clients repeat a request with the same idempotency key
until they get an answer. A receiver of webhooks, which stays alive, notes what it is told.

`calamity` runs it; what it returns is examined by `crash_findings`.
"""

import queue
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from standardwebhooks.webhooks import Webhook as Signing

from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.clients import NewClient, create_client, new_client_secret
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.job_queue.model import JobState
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.settings import Settings
from shiming.infrastructure.webhooks import secrets, subscriptions
from shiming.infrastructure.webhooks.tables import webhooks
from tests.entrypoints.crash_clients import REQUEST_S, Registering, Reply, Told, receiver
from tests.entrypoints.crash_programs import CALM, START_S, Nursery, Program, free_port
from tests.entrypoints.session_keeper import OPERATOR

CLIENTS = 4
PEOPLE = 12  # with the sessions of a run each of them comes to the cap
REPLIES_MIN = 90  # more than they may have lines
DRAIN_S = 90.0


@dataclass
class Aftermath:
    """What clients, clerks and the receiver know when it is over."""

    platform: Platform
    kept: dict[str, int]
    registered: list[Reply]
    refused: list[Reply]
    changed_answers: list[Reply]
    told: Told
    kills: dict[str, int]
    repeats: int


class Site:
    """The installation and everybody around it."""

    def __init__(
        self, folder: Path, url: str | None, chance: random.Random, nursery: Nursery, *, people: int
    ) -> None:
        self.chance, self._people = chance, str(people)
        self.data = folder / "data"
        self.data.mkdir(mode=0o700, parents=True)
        self.ports = [free_port(), free_port()]
        self._environment = {
            **CALM,
            "SHIMING_DATA": str(self.data),
            "SHIMING_SANDBOX": "1",  # webhooks may go to this machine
            "SHIMING_DATABASE_URL": url or "",
        }
        self._logs = folder
        self._nursery = nursery
        self.programs = [
            *(
                self._program(f"server {port}", "shiming", "serve", "--port", str(port))
                for port in self.ports
            ),
            self._program("worker", "shiming", "worker"),
            self._program("keeper", "tests.entrypoints.session_keeper"),
        ]
        self.worker, self.keeper = self.programs[-2:]
        self.told = Told()
        self.kept: dict[str, int] = {}
        self.sessions: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.over = threading.Event()

    def _program(self, name: str, *arguments: str) -> Program:
        return Program(self._nursery, name, list(arguments), self._environment, self._logs / f"{name}.log")

    def prepare(self, receiver: str) -> tuple[Platform, list[tuple[str, str]]]:
        """Make the installation as an operator does; return its clients."""
        init = self._program("init", "shiming", "db", "init")
        init.start()
        init.wait()
        platform = Platform(Settings.from_environment(self._environment))
        wanted = NewClient("crash proof", frozenset({"registrations.create", "registrations.read"}), OPERATOR)
        now, clients = platform.clock.now(), []
        with unit_of_work(platform.engine) as connection:
            for _ in range(CLIENTS):
                client = create_client(platform.accounts, connection, wanted, by=Actor())
                secret = new_client_secret(platform.accounts, connection, client, by=Actor())
                clients.append((client.reference, secret))
            hook = subscriptions.add_webhook(
                connection, url=receiver, types=("line.*",), operator="", now=now
            )
            self._signing = Signing(secrets.add_secret(connection, platform.keys, hook.webhook_id, now=now))
        return platform, clients

    def verify(self, body: bytes, headers: dict[str, str]) -> None:
        """Check the signature of an event; raises where it is not ours."""
        self._signing.verify(body, headers)

    def begin(self) -> None:
        for program in self.programs[:-1]:
            program.start()
        self.keeper.start("0", self._people)
        threading.Thread(target=self._watch_keeper, daemon=True).start()

    def kill(self, program: Program) -> None:
        """Kill a program at a random moment of its work, and start it again."""
        self._wait_until_at_work(program)
        time.sleep(self.chance.uniform(0.05, 0.8))
        program.kill()
        program.start(*([str(len(self.kept)), self._people] if program is self.keeper else []))

    def _wait_until_at_work(self, program: Program) -> None:
        deadline = time.monotonic() + START_S
        lines = len(self.kept)
        while time.monotonic() < deadline:
            if program is self.keeper:
                if len(self.kept) > lines:
                    return
            elif program.name.startswith("server"):
                if self.is_up(int(program.name.split()[1])):
                    return
            elif program.log.read_bytes().count(b"at work") > program.kills:
                return
            time.sleep(0.05)
        raise TimeoutError(program.name, program.log.read_text()[-3000:])

    def is_up(self, port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _watch_keeper(self) -> None:
        """Read what the counter says it has kept; a line that the kill cut short was not said."""
        path, offset = self.keeper.log, 0
        while not self.over.is_set():
            text = path.read_bytes()[offset:] if path.exists() else b""
            whole = text.rfind(b"\n") + 1
            offset += whole
            for line in text[:whole].decode().splitlines():
                words = line.split()
                if len(words) == 3 and words[0].startswith("SES-"):
                    self.kept[words[0]] = int(words[1])
                    self.sessions.put((words[0], words[2]))
            time.sleep(0.02)

    def stop(self) -> None:
        self.over.set()
        for program in self.programs:
            program.stop()


@contextmanager
def calamity(
    nursery: Nursery, folder: Path, url: str | None, *, kills: int, seed: int, people: int = PEOPLE
) -> Iterator[Aftermath]:
    """Kill programs so many times while clients register; then let clients and jobs come to their end."""
    chance = random.Random(seed)  # noqa: S311 - chooses victims, not keys
    site = Site(folder, url, chance, nursery, people=people)
    with receiver(site.told, site.verify) as address:
        platform, accounts = site.prepare(address)
        clients = [
            Registering(site.ports, site.sessions, account, 100_000 * (n + 1))
            for n, account in enumerate(accounts)
        ]
        try:
            site.begin()
            for client in clients:
                client.start()
            for victim in _victims(site, kills):
                site.kill(victim)
                _require_alive(clients)
            _wait_for_replies(clients)
            for client in clients:
                client.enough.set()
            for client in clients:
                client.join(START_S)
                assert not client.is_alive()
            _require_alive(clients)
            replies = [reply for client in clients for reply in client.replies]
            changed = _asked_again(clients[0], replies)
            _drain(site, platform, {reply.line for reply in replies if reply.registered})
            site.stop()
            yield Aftermath(
                platform,
                dict(site.kept),
                [reply for reply in replies if reply.registered],
                [reply for reply in replies if not reply.registered],
                changed,
                site.told,
                {program.name: program.kills for program in site.programs},
                sum(client.repeats for client in clients),
            )
        finally:
            for client in clients:
                client.enough.set()
            site.stop()
            platform.engine.dispose()


def _victims(site: Site, kills: int) -> list[Program]:
    """Every program dies as often as the others, servers in turn, in an order drawn by lot."""
    victims = [site.programs[number % len(site.programs)] for number in range(kills)]
    site.chance.shuffle(victims)
    return victims


def _wait_for_replies(clients: list[Registering]) -> None:
    deadline = time.monotonic() + START_S
    while sum(len(client.replies) for client in clients) < REPLIES_MIN and time.monotonic() < deadline:
        _require_alive(clients)
        time.sleep(0.05)


def _require_alive(clients: list[Registering]) -> None:
    for client in clients:
        if client.failure:
            raise client.failure


def _asked_again(client: Registering, replies: list[Reply]) -> list[Reply]:
    """Send some answered requests again; return those that are answered differently now."""
    sample = [reply for reply in replies if reply.registered][-20:]
    changed = []
    with httpx.Client(timeout=REQUEST_S) as http:
        for reply in sample:
            again = client.register(http, reply.session, reply.number, reply.key)
            if (again.status, again.body) != (reply.status, reply.body):
                changed.append(again)
    return changed


def _drain(site: Site, platform: Platform, lines: set[str]) -> None:
    """Let the worker tell the receiver of every line; pauses and leases of the dead run out at once."""
    worker = site.worker
    worker.stop()
    site.keeper.stop()
    _let_time_pass(platform, JobState.WAITING, JobState.RUNNING)
    worker.start()
    deadline = time.monotonic() + DRAIN_S
    while not lines <= site.told.subjects and time.monotonic() < deadline:
        time.sleep(0.3)
        _let_time_pass(platform, JobState.WAITING)


def _let_time_pass(platform: Platform, *states: JobState) -> None:
    waiting = jobs.c.state.in_(states)
    with unit_of_work(platform.engine) as connection:
        connection.execute(jobs.update().where(waiting).values(due_at=platform.clock.now()))
        connection.execute(webhooks.update().values(resting_until=None))
