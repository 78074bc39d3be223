"""The whole way of a line into the network: worker, API and sandbox BSS as processes, faults and kills."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.infrastructure.job_queue.worker import run_worker
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderState
from shiming.registrations.sandbox_bss.callbacks import CallbackTarget, event_of, signed
from shiming.registrations.sandbox_bss.faults import Faults
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.registrations.store.tables import lines
from shiming.vocabulary.errors import BadInput
from tests.infrastructure.http_peers import CLERK, OTHER
from tests.registrations.bss_processes import EVERYWHERE, ROOT, TOKEN, a_sandbox, an_api, until
from tests.registrations.builders import a_desk
from tests.registrations.provisioning_builders import OPERATOR, Network, a_closed_network
from tests.registrations.provisioning_worker import a_worker, live_tools

LINES, KILLS = 12, 2
FAULTS = "slow=0.1,server_error=0.15,lost_callback=0.3,duplicate_callback=0.4"


def statuses(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(lines.c.status)).scalars())


def all_active(engine: Engine) -> bool:
    return set(statuses(engine)) == {LineStatus.ACTIVE.value}


def told(engine: Engine, kind: str) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.execute(sa.select(outbox.c.subject).where(outbox.c.type == kind)).scalars())


def orders_of_the_bss(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "bss.db") as database:
        found = [row[0] for row in database.execute("SELECT external_id FROM orders ORDER BY external_id")]
    database.close()
    return found


@contextmanager
def a_live_network(folder: Path, url: str) -> Iterator[Network]:
    desk = a_desk(folder, url=url)
    network = Network(desk, live_tools(desk), datetime.now(UTC))
    try:
        yield network
    finally:
        desk.engine.dispose()


@contextmanager
def a_running_worker(network: Network) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(a_worker(network.tools), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def test_every_line_becomes_active_once_whatever_goes_wrong(tmp_path: Path, database_url: str) -> None:
    with a_live_network(tmp_path, database_url) as network, an_api(network.desk, network.tools) as address:
        secret = network.connect("http://127.0.0.1:1/tmf-api")
        options = ("--faults", FAULTS, "--seed", "5", "--step-s", "0.05", "--slow-s", "0.3")
        callback = f"{address}/v1/bss/{OPERATOR}/callbacks"
        with a_sandbox(tmp_path / "bss", *options, callback=callback, secret=secret) as sandbox:
            network.connect_again(sandbox.endpoint.url)
            names = [f"REG-{number}" for number in range(LINES)]
            network.register(*names)
            with a_running_worker(network):
                until(lambda: all_active(network.engine), "all lines active")
                until(lambda: not network.orders(None, *OPEN), "no order open")
            sandbox.set_faults("")  # it is asked by the test itself now
            services = sandbox.services()
        assert len(orders_of_the_bss(tmp_path / "bss")) == LINES
        assert len(network.events("service_order.completed")) == LINES
        assert told(network.engine, "line.status_changed") == sorted(names)
        assert network.events("service_order.failed") == []
        assert isinstance(verify_ledger(network.engine, network.desk.vault.keys), LedgerVerified)
        assert {service["id"] for service in services} == set(names)


OPEN = tuple(state for state in OrderState if not state.is_final)


@pytest.mark.parametrize(
    "database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)], indirect=True
)
def test_a_worker_killed_between_order_and_note_orders_nothing_twice(
    tmp_path: Path, database_url: str
) -> None:
    chance = random.Random(11)  # noqa: S311 - when to kill
    with a_live_network(tmp_path, database_url) as network:
        network.connect("http://127.0.0.1:1/tmf-api")
        with a_sandbox(
            tmp_path / "bss", "--step-s", "0.05", "--faults", "slow=0.5", "--slow-s", "0.2"
        ) as sandbox:
            network.connect_again(sandbox.endpoint.url)
            network.register(*(f"REG-{number}" for number in range(LINES)))
            for _ in range(KILLS):
                worker, before = a_worker_process(tmp_path, database_url), taken(tmp_path)
                until(lambda seen=before: taken(tmp_path) > seen or taken(tmp_path) == LINES, "an order")
                time.sleep(chance.uniform(0, 0.3))
                worker.send_signal(signal.SIGKILL)
                worker.wait(30)
            last = a_worker_process(tmp_path, database_url)
            until(lambda: all_active(network.engine), "all lines active")
            last.send_signal(signal.SIGTERM)
            last.wait(30)
        ours = sorted(order.order_id for order in network.orders())
        assert orders_of_the_bss(tmp_path / "bss") == ours
        assert len(ours) == LINES
        assert len(network.events("service_order.completed")) == LINES


def a_worker_process(folder: Path, url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.registrations.provisioning_worker", str(folder), url]
    return subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - ourselves


def taken(folder: Path) -> int:
    return len(orders_of_the_bss(folder / "bss"))


def test_the_sandbox_keeps_its_orders_over_a_restart(tmp_path: Path) -> None:
    order = {
        "externalId": "PRV-1",
        "serviceOrderItem": [{"action": "add", "service": {"id": "REG-1", "state": "active"}}],
    }
    path = "/tmf-api/serviceOrdering/v4/serviceOrder"
    with a_sandbox(tmp_path, "--step-s", "60") as sandbox:
        assert sandbox.ask("POST", path, order).status_code == 201
        assert sandbox.ask("POST", path, {"externalId": "PRV-2"}).json()["code"] == "ORDER_INVALID"
        assert httpx.get(sandbox.address + path, trust_env=False).status_code == 401
    with a_sandbox(tmp_path) as sandbox:
        (found,) = sandbox.ask("GET", f"{path}?externalId=PRV-1").json()
    assert found["state"] == "acknowledged"


@pytest.mark.parametrize("text", ["slow", "slow=x", "slow=2", "earthquake=0.1"])
def test_faults_that_cannot_be_meant_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="FAULTS_INVALID"):
        Faults.parse(text, seed=0)


# -- callbacks -----------------------------------------------------------------------------------


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[tuple[Network, httpx.Client, str]]:
    """A network with one acknowledged order, the API, and the secret of callbacks."""
    with a_closed_network(tmp_path, database_url, FakeBss()) as network:
        secret = network.connect()
        network.register("REG-1")
        network.work_off()
        with an_api(network.desk, network.tools) as address, httpx.Client(base_url=address) as http:
            yield network, http, secret


def a_callback(secret: str, order_id: str | None, state: str, **more: Any) -> tuple[bytes, dict[str, str]]:
    order = {"id": "SO1", "externalId": order_id, "state": state, **more}
    return signed(CallbackTarget("unused", secret), event_of(order))


def call(
    http: httpx.Client, body: bytes, headers: dict[str, str], operator: str = OPERATOR
) -> httpx.Response:
    return http.post(f"/v1/bss/{operator}/callbacks", content=body, headers=headers)


def test_a_callback_makes_the_line_active_and_a_repeat_or_a_late_one_changes_nothing(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    (order,) = network.orders("REG-1")
    for state in ("completed", "completed", "inProgress", "failed"):
        answer = call(http, *a_callback(secret, order.order_id, state))
        assert (answer.status_code, answer.json()) == (200, {"order": order.order_id, "state": "completed"})
    assert network.line("REG-1").status is LineStatus.ACTIVE
    assert len(network.events("service_order.completed")) == 1


def test_a_callback_is_found_by_the_name_that_the_bss_gave_the_order(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    (order,) = network.orders("REG-1")
    body, headers = a_callback(secret, None, "failed", errorMessage=[{"code": "HLR_FULL"}])
    body = body.replace(b'"SO1"', json.dumps(order.bss_order).encode())
    headers = signed_again(secret, body)
    assert call(http, body, headers).json()["state"] == "failed"
    assert network.orders("REG-1")[0].reason == "HLR_FULL"


def signed_again(secret: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    from standardwebhooks.webhooks import Webhook  # noqa: PLC0415 - the peer's own library

    when = at or datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": "m1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign("m1", when, body.decode()),
    }


def test_a_callback_that_is_not_signed_just_now_with_our_secret_is_nobody(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    (order,) = network.orders("REG-1")
    body, good = a_callback(secret, order.order_id, "completed")
    old = signed_again(secret, body, datetime.now(UTC) - timedelta(minutes=6))
    ahead = signed_again(secret, body, datetime.now(UTC) + timedelta(minutes=6))
    foreign = signed_again("whsec_" + "QUJD" * 10, body)
    unnamed = {name: value for name, value in good.items() if name != "webhook-id"}
    wordy = {**good, "webhook-timestamp": "soon"}
    for headers in (old, ahead, foreign, unnamed, wordy, {"content-type": "application/json"}):
        answer = call(http, body, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "CALLBACK_SIGNATURE_INVALID")
    assert call(http, body + b" ", good).status_code == 401
    assert call(http, b"\xff", good).status_code == 401
    assert call(http, body, good, "cn-nobody").status_code == 401
    assert network.line("REG-1").status is LineStatus.PENDING


def test_an_order_that_is_unknown_or_of_another_operator_is_not_found(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    other = network.connect(operator="cn-two")
    (order,) = network.orders("REG-1")
    unknown = call(http, *a_callback(secret, "PRV-none", "completed"))
    foreign = call(http, *a_callback(other, order.order_id, "completed"), "cn-two")
    assert {(each.status_code, each.json()["code"]) for each in (unknown, foreign)} == {
        (404, "SERVICE_ORDER_UNKNOWN")
    }


def test_what_is_no_event_of_tmf641_is_bad_input(counter: tuple[Network, httpx.Client, str]) -> None:
    _, http, secret = counter
    dancing = a_callback(secret, "PRV-1", "dancing")
    body = b'{"eventType": "ServiceOrderStateChangeEvent"}'
    for sent in (dancing, (body, signed_again(secret, body))):
        answer = call(http, *sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "CALLBACK_INVALID")


def test_after_a_change_of_secret_the_former_one_holds_for_a_day(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    network.now = datetime.now(UTC)
    (order,) = network.orders("REG-1")
    answer = http.post(f"/v1/bss/{OPERATOR}/secret", headers=token(CLERK))
    newer = answer.json()["secret"]
    for each in (secret, newer):
        assert call(http, *a_callback(each, order.order_id, "inProgress")).status_code == 200


def token(value: str) -> dict[str, str]:
    return {"authorization": f"Bearer {value}"}


# -- the routes of staff -------------------------------------------------------------------------


def test_staff_see_their_operators_bss_and_orders_and_nobody_elses(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, secret = counter
    (order,) = network.orders("REG-1")
    shown = http.get("/v1/bss", headers=token(CLERK)).json()["items"]
    assert [each["operator"] for each in shown] == [OPERATOR]
    assert TOKEN not in json.dumps(shown)
    assert secret not in json.dumps(shown)
    assert http.get("/v1/bss", headers=token(OTHER)).json()["items"] == []
    listed = http.get("/v1/service-orders", params={"line": "REG-1"}, headers=token(CLERK)).json()["items"]
    assert [each["id"] for each in listed] == [order.order_id]
    assert http.get("/v1/service-orders", headers=token(OTHER)).json()["items"] == []
    for path in (f"/v1/service-orders/{order.order_id}", "/v1/lines/REG-1/network"):
        assert http.get(path, headers=token(OTHER)).status_code == 404
        assert http.get(path, headers=token(EVERYWHERE)).status_code == 200
    assert http.get("/v1/lines/REG-1/network", headers=token(CLERK)).json()["network"] is None
    assert http.post(f"/v1/bss/{OPERATOR}/secret", headers=token(OTHER)).status_code == 404
    assert http.delete(f"/v1/bss/{OPERATOR}", headers=token(OTHER)).status_code == 404


def test_a_bss_is_named_and_removed_over_http(counter: tuple[Network, httpx.Client, str]) -> None:
    _, http, _ = counter
    wanted = {"operator": "cn-two", "url": "https://bss.example.com/tmf-api", "token": "t-1"}
    made = http.post("/v1/bss", json=wanted, headers=token(OTHER) | {"idempotency-key": "k"})
    assert made.status_code == 201, made.text
    assert made.json()["callback_url"].endswith("/v1/bss/cn-two/callbacks")
    again = http.post("/v1/bss", json=wanted, headers=token(OTHER) | {"idempotency-key": "k"})
    assert again.headers["idempotency-replayed"] == "true"
    inside = {**wanted, "url": "http://10.0.0.1/"}
    assert http.post("/v1/bss", json=inside, headers=token(OTHER)).json()["code"] == "WEBHOOK_URL_REFUSED"
    spaced = {**wanted, "token": "a b"}
    assert http.post("/v1/bss", json=spaced, headers=token(OTHER)).json()["code"] == "BSS_TOKEN_INVALID"
    assert http.post("/v1/bss", json=wanted, headers=token(CLERK)).status_code == 403
    assert http.delete("/v1/bss/cn-two", headers=token(OTHER)).status_code == 204
    assert http.delete("/v1/bss/cn-two", headers=token(OTHER)).status_code == 404


def test_a_held_order_is_confirmed_by_hand_with_the_version_that_was_seen(
    counter: tuple[Network, httpx.Client, str],
) -> None:
    network, http, _ = counter
    network.register("REG-9", operator="cn-two")
    network.work_off()
    (order,) = network.orders("REG-9")
    path, mine = f"/v1/service-orders/{order.order_id}", token(OTHER)
    version = {"if-match": http.get(path, headers=mine).headers["etag"]}
    said = {"reference": "TICKET-1"}
    assert http.post(f"{path}/confirmation", json=said, headers=mine).status_code == 428
    assert http.post(f"{path}/confirmation", json=said, headers=mine | {"if-match": '"x"'}).status_code == 412
    done = http.post(f"{path}/confirmation", json=said, headers=mine | version)
    assert (done.status_code, done.json()["state"]) == (200, "completed")
    assert network.line("REG-9").status is LineStatus.ACTIVE
    assert http.get("/v1/lines/REG-9/network", headers=mine).json()["network"]["status"] == "active"
    again = http.post(f"{path}/retry", headers=mine)
    assert (again.status_code, again.json()["code"]) == (409, "SERVICE_ORDER_NOT_FAILED")


def test_a_comparison_is_asked_for_and_read_over_http(counter: tuple[Network, httpx.Client, str]) -> None:
    network, http, _ = counter
    begun = http.post(
        "/v1/reconciliations", json={"operator": OPERATOR}, headers=token(CLERK) | {"idempotency-key": "k"}
    )
    assert begun.status_code == 202, begun.text
    path = begun.headers["location"]
    network.later(datetime.now(UTC) - network.now + timedelta(seconds=1))
    network.work_off()
    done = http.get(path, headers=token(CLERK)).json()
    assert done["finished_at"] is not None
    assert done["counts"]["under_way"] + done["counts"]["missing_in_network"] == 1
    assert http.get(f"{path}/drifts", headers=token(CLERK)).status_code == 200
    assert http.get(path, headers=token(OTHER)).status_code == 404
    unknown = http.post("/v1/reconciliations", json={"operator": "cn-two"}, headers=token(OTHER))
    assert unknown.json()["code"] == "BSS_UNKNOWN"
