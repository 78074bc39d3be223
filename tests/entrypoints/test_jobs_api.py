from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app
from shiming.infrastructure.clock import Clock, SystemClock
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys
from shiming.infrastructure.http.asking import Caller
from shiming.infrastructure.idempotency import idempotency_keys
from shiming.infrastructure.job_queue import presence, queue
from shiming.infrastructure.job_queue.model import Handling, NewJob
from shiming.infrastructure.job_queue.presence import last_sign_of_life
from shiming.infrastructure.outbox import emit
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.vocabulary.permissions import Permission
from tests.infrastructure.http_peers import TableGatekeeper, client, serving
from tests.infrastructure.webhook_builders import HERE, KEYS, an_event, happened, some_tools, work_off
from tests.infrastructure.webhook_receiver import a_receiver

ADMIN, OPERATOR_ADMIN, CLERK = "token-admin", "token-operator", "token-clerk"


class Gatekeeper(TableGatekeeper):
    """The installation's administrator may all; an operator's may manage that operator's webhooks."""

    def allow(self, caller: Caller, question: Permission) -> bool:
        if caller.kind == "client":
            return False
        return caller.operator is None or getattr(question, "operator", None) == caller.operator


@dataclass
class JobsPlatform:
    engine: Engine
    data_folder: Path
    clock: Clock = field(default_factory=SystemClock)
    keys: InMemoryKeys = KEYS
    destinations: Destinations = HERE
    gatekeeper: Gatekeeper = field(
        default_factory=lambda: Gatekeeper(
            {
                ADMIN: Caller("ACC-1", "p1", "staff"),
                OPERATOR_ADMIN: Caller("ACC-2", "p2", "staff", "cn-mobile"),
                CLERK: Caller("CLI-3", "p3", "client", "cn-mobile"),
            }
        )
    )


@pytest.fixture
def address(database: Engine, tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with serving(create_app(JobsPlatform(database, folder))) as served:
        yield served


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


def two_dead_letters(engine: Engine) -> None:
    now = datetime.now(UTC) - timedelta(minutes=1)
    with unit_of_work(engine) as connection:
        queue.enqueue_all(connection, [NewJob("x.do", {"ref": "EVD-1"}) for _ in range(2)], now=now)
        handlers = {"x.do": Handling(lambda _: None)}
        for job in queue.claim(connection, handlers, worker="w", limit=9, now=now):
            queue.fail(connection, job.lease, code="DOWN", error_type="OSError", now=now, again_at=None)
        queue.enqueue(connection, NewJob("x.do"), now=now)
        presence.show_presence(connection, "worker-1", in_hand=1, now=datetime.now(UTC))
        emit(connection, an_event())


def test_dead_letters_are_listed_retried_and_discarded(address: str, database: Engine) -> None:
    two_dead_letters(database)
    with client(address, ADMIN) as admin:
        first = admin.get("/v1/jobs", params={"limit": 1}).json()
        second = admin.get("/v1/jobs", params={"limit": 1, "cursor": first["next"]}).json()
        assert second["next"] is None
        one, two = first["items"][0], second["items"][0]
        assert (one["error_code"], one["error_type"], one["references"]) == (
            "DOWN",
            "OSError",
            {"ref": "EVD-1"},
        )
        assert admin.get(f"/v1/jobs/{one['id']}").json() == one
        assert admin.post(f"/v1/jobs/{one['id']}/retry").json()["state"] == "waiting"
        assert problem(admin.post(f"/v1/jobs/{one['id']}/retry")) == "JOB_NOT_DEAD"
        assert admin.delete(f"/v1/jobs/{two['id']}").status_code == 204
        assert problem(admin.delete(f"/v1/jobs/{two['id']}")) == "JOB_UNKNOWN"
        overview = admin.get("/v1/jobs/overview").json()
        assert overview["counts"] == [{"kind": "x.do", "state": "waiting", "count": 2}]
        assert overview["events_unrelayed"] == 1
        assert [(each["id"], each["alive"], each["in_hand"]) for each in overview["workers"]] == [
            ("worker-1", True, 1)
        ]
    with reading(database) as connection:
        seen = last_sign_of_life(connection)
    assert seen
    assert datetime.now(UTC) - seen < timedelta(minutes=1)


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/overview", "/v1/jobs/" + "0" * 36])
def test_jobs_are_for_the_installations_administrator(address: str, path: str) -> None:
    for token in (OPERATOR_ADMIN, CLERK):
        with client(address, token) as other:
            assert other.get(path).status_code == 403
    with client(address, None) as nobody:
        assert nobody.get(path).status_code == 401
        assert nobody.get("/v1/webhooks").status_code == 401


def test_a_webhook_lives_over_http(address: str, database: Engine) -> None:
    with a_receiver() as receiver, client(address, OPERATOR_ADMIN) as mine, client(address, ADMIN) as admin:
        wanted = {"url": receiver.url, "types": ["line.*"]}
        answers = [
            mine.post("/v1/webhooks", json=wanted, headers={"idempotency-key": "k1"}) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        hook = answers[0].json()
        assert hook["operator"] == "cn-mobile"
        path = answers[0].headers["location"]
        secret = mine.post(f"{path}/secret").json()["secret"]
        assert secret.startswith("whsec_")
        event = an_event()
        happened(database, event)
        work_off(database, some_tools(database))
        assert mine.get(path).json()["delivered_at"]
        assert mine.post(f"{path}/disable").json()["disabled_why"] == "BY_HAND"
        assert mine.post(f"{path}/enable").json()["disabled_why"] is None
        assert mine.post(f"{path}/replay", json={"event": event.event_id}).status_code == 202
        assert mine.post(f"{path}/replay", json={"since": "2026-04-01T00:00:00Z"}).status_code == 202
        assert problem(mine.post(f"{path}/replay", json={})) == "REPLAY_OF_WHAT"
        assert problem(mine.post(f"{path}/replay", json={"event": "none"})) == "EVENT_UNKNOWN"
        work_off(database, some_tools(database))
        assert set(receiver.ids()) == {event.event_id}
        assert len(receiver.got) >= 2
        assert [each["id"] for each in admin.get("/v1/webhooks").json()["items"]] == [hook["id"]]
        assert mine.delete(path).status_code == 204
        assert problem(mine.get(path)) == "WEBHOOK_UNKNOWN"
    with reading(database) as connection:
        kept = "".join(connection.execute(sa.select(idempotency_keys.c.response)).scalars())
    assert hook["id"] in kept
    assert "whsec_" not in kept


def test_webhooks_of_others_are_unknown_and_all_events_are_not_for_an_operator(address: str) -> None:
    wanted = {"url": "https://example.com/hook", "types": ["*"]}
    with client(address, OPERATOR_ADMIN) as mine, client(address, ADMIN) as admin:
        other = admin.post("/v1/webhooks", json=wanted | {"operator": "cn-other"}).json()
        assert problem(mine.get(f"/v1/webhooks/{other['id']}")) == "WEBHOOK_UNKNOWN"
        assert problem(mine.delete(f"/v1/webhooks/{other['id']}")) == "WEBHOOK_UNKNOWN"
        assert mine.get("/v1/webhooks").json()["items"] == []
        assert mine.post("/v1/webhooks", json=wanted | {"operator": "cn-other"}).status_code == 403
        assert mine.get("/v1/webhooks", params={"operator": "cn-other"}).status_code == 403
        listed = admin.get("/v1/webhooks", params={"operator": "cn-other", "limit": 1}).json()
        assert listed["next"] is None
        for url in ("http://example.com/", "https://user@example.com/"):
            assert problem(mine.post("/v1/webhooks", json=wanted | {"url": url})) == "WEBHOOK_URL_REFUSED"
