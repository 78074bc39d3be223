import json
import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from shiming.entrypoints import cli, job_commands, webhook_commands, worker_commands
from shiming.entrypoints.worker import EventDelivery, worker_tools
from shiming.infrastructure.clock import Clock, SystemClock
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.model import Handling, NewJob
from shiming.infrastructure.job_queue.worker import WorkerTools
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.vocabulary.errors import BadInput, ShimingError
from tests.infrastructure.webhook_builders import HERE, KEYS, an_event, happened, some_tools, work_off
from tests.infrastructure.webhook_receiver import a_receiver


@dataclass
class Platform:
    engine: Engine
    language: str = "en"
    clock: Clock = field(default_factory=SystemClock)
    keys: InMemoryKeys = KEYS
    destinations: Destinations = HERE

    @property
    def worker_tools(self) -> WorkerTools:
        delivery = EventDelivery(some_tools(self.engine))
        return worker_tools(self.engine, self.clock, delivery=delivery, features={}, schedules=())


def run(app: typer.Typer, platform: Platform, *words: str) -> str:
    found = CliRunner().invoke(app, words, obj=lambda: platform)
    if isinstance(found.exception, ShimingError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


def run_json(app: typer.Typer, platform: Platform, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(app, platform, *words, "--json"))
    return found


def a_dead_letter(engine: Engine) -> str:
    now = datetime.now(UTC)
    with unit_of_work(engine) as connection:
        queue.enqueue(connection, NewJob("x.do", {"ref": "EVD-1"}), now=now)
        (job,) = queue.claim(connection, {"x.do": Handling(lambda _: None)}, worker="w", limit=1, now=now)
        queue.fail(connection, job.lease, code="DOWN", error_type="OSError", now=now, again_at=None)
    return job.job_id


def test_a_person_sees_retries_and_discards_dead_letters(database: Engine) -> None:
    platform, job = Platform(database), a_dead_letter(database)
    listed = run_json(job_commands.app, platform, "list")
    assert [each["id"] for each in listed["jobs"]] == [job]  # type: ignore[attr-defined]
    assert listed["counts"] == [{"kind": "x.do", "state": "dead", "count": 1}]
    assert listed["workers"] == []
    shown = run(job_commands.app, platform, "list")
    assert "1 are dead letters" in shown
    assert "OSError" in run(job_commands.app, platform, "show", job)
    assert run_json(job_commands.app, platform, "retry", job) == {"retried": job}
    with pytest.raises(BadInput, match="JOB_NOT_DEAD"):
        run(job_commands.app, platform, "discard", job)
    waiting = run_json(job_commands.app, platform, "list", "--state", "waiting", "--kind", "x.do")
    assert len(waiting["jobs"]) == 1  # type: ignore[arg-type]
    another = a_dead_letter(database)
    assert "死信 1" in run(job_commands.app, Platform(database, "zh"), "list", "--state", "running")
    assert "已放弃" in run(job_commands.app, Platform(database, "zh"), "discard", another)
    with pytest.raises(BadInput, match="JOB_UNKNOWN"):
        run(job_commands.app, platform, "show", another)


def test_webhooks_are_added_changed_and_removed(database: Engine) -> None:
    platform, app = Platform(database), webhook_commands.app
    with a_receiver() as receiver:
        added = run_json(
            app, platform, "add", receiver.url, "--event", "line.*", "--event", "session.decided"
        )
        name = str(added["webhook"])
        assert str(added["secret"]).startswith("whsec_")
        assert run_json(app, platform, "rotate-secret", name)["secret"] != added["secret"]
        event = an_event()
        happened(database, event)
        work_off(database, some_tools(database))
        run(app, platform, "replay", name, "--event", event.event_id)
        work_off(database, some_tools(database))
        run(app, platform, "replay", name, "--since", "2026-04-01T00:00:00+08:00")
        work_off(database, some_tools(database))
        assert receiver.ids() == [event.event_id] * 3
    listed = run(app, platform, "list", "--json")
    assert json.loads(listed)["webhooks"][0]["types"] == ["line.*", "session.decided"]
    assert "secret" not in listed
    assert "line.*" in run(app, platform, "list")
    assert run_json(app, platform, "enable", name) == {"enabled": name}
    assert run_json(app, platform, "remove", name) == {"removed": name}
    for words in (
        ["replay", name, "--event", "x"],
        ["remove", name],
        ["enable", name],
        ["rotate-secret", name],
    ):
        with pytest.raises(BadInput, match="WEBHOOK_UNKNOWN"):
            run(app, platform, *words)
    with pytest.raises(BadInput, match="WEBHOOK_URL_REFUSED"):
        run(app, platform, "add", "https://10.0.0.1/")
    assert "whsec_" in run(app, platform, "add", "https://example.com/")


def test_a_replay_of_nothing_is_refused(database: Engine) -> None:
    name = str(run_json(webhook_commands.app, Platform(database), "add", "https://example.com/")["webhook"])
    for words in (
        [],
        ["--event", "x", "--since", "2026-04-01T00:00:00Z"],
        ["--until", "2026-04-01T00:00:00Z"],
    ):
        with pytest.raises(BadInput, match="REPLAY_OF_WHAT"):
            run(webhook_commands.app, Platform(database), "replay", name, *words)


def test_the_commands_are_listed_with_the_others() -> None:
    for name, words in (("worker", "SIGTERM"), ("jobs", "discard"), ("webhooks", "rotate-secret")):
        assert words in CliRunner().invoke(cli.app, [name, "--help"]).stdout


def test_a_worker_ends_at_a_signal(database: Engine) -> None:
    """In this process: the signal reaches the main thread, in which the command runs."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        said = run(worker_commands.app, Platform(database), "--json")
    finally:
        timer.cancel()
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
        logger = logging.getLogger("shiming")
        logger.handlers.clear()
        logger.propagate = True
    assert [json.loads(line) for line in said.splitlines()] == [
        {"worker": "started"},
        {"worker": "stopped", "given_back": 0},
    ]


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(
        "import threading, time\n"
        "from shiming.entrypoints.worker_commands import stop_at_signals\n"
        "stop = threading.Event()\n"
        "stop_at_signals(stop)\n"
        "print('ready', flush=True)\n"
        "stop.wait()\n"
        "print('told', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.readline() == "told\n"
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM
