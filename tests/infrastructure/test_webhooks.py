import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from standardwebhooks.webhooks import Webhook as Verifying

from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.job_queue import queue
from shiming.infrastructure.job_queue.dead_letters import list_jobs
from shiming.infrastructure.job_queue.model import LEASE
from shiming.infrastructure.job_queue.running import RunningTask
from shiming.infrastructure.job_queue.tables import jobs
from shiming.infrastructure.outbox import EventRange, events_in
from shiming.infrastructure.webhooks import delivering, replaying
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.infrastructure.webhooks.secrets import (
    OVERLAP,
    add_secret,
    count_secrets_by_kek,
    rewrap_secrets,
    valid_secrets,
)
from shiming.infrastructure.webhooks.subscriptions import (
    WEBHOOKS_MAX,
    add_webhook,
    list_webhooks,
    remove_webhook,
    set_enabled,
)
from shiming.infrastructure.webhooks.tables import webhook_secrets
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.infrastructure.webhook_builders import (
    KEYS,
    LOOPBACK,
    a_certificate,
    a_webhook,
    an_event,
    happened,
    read_webhook,
    some_tools,
    states,
    work_off,
)
from tests.infrastructure.webhook_receiver import a_receiver

LONG = timedelta(days=30)


def test_an_event_arrives_signed_as_a_cloud_event(database: Engine) -> None:
    with a_receiver() as receiver:
        webhook, secret = a_webhook(database, receiver.url, types=("line.*",))
        event = an_event()
        happened(database, event, an_event("session.decided"))
        assert work_off(database, some_tools(database)) == ["done"]
    ((path, headers, body),) = receiver.got
    assert path == "/hook?tenant=1"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert Verifying(secret).verify(body, headers) == {
        "specversion": "1.0",
        "id": event.event_id,
        "source": "urn:shiming:test",
        "type": "shiming.line.registered",
        "subject": "LIN-1",
        "time": "2026-05-01T00:00:00.000Z",
        "datacontenttype": "application/json",
        "operator": "cn-mobile",
        "data": {"cap": 5, "note": "已登记"},
    }
    assert headers["webhook-id"] == event.event_id
    with pytest.raises(Exception, match="No matching signature"):
        Verifying(secret).verify(body.replace(b"LIN-1", b"LIN-2"), headers)
    assert read_webhook(database, webhook.webhook_id).delivered_at is not None
    assert states(database) == []


def test_a_worker_that_dies_after_sending_lets_the_event_arrive_twice_with_one_id(database: Engine) -> None:
    with a_receiver() as receiver:
        a_webhook(database, receiver.url)
        event = an_event()
        happened(database, event)
        tools = some_tools(database)
        handlers = {delivering.DELIVER: delivering.delivering(tools)}
        now = datetime.now(UTC)
        (job,) = transact(database, lambda c: queue.claim(c, handlers, worker="w", limit=1, now=now))
        task = RunningTask(job, handlers[job.kind], threading.Event())
        assert task.handling.handler(task) is None  # sent; the worker ends here, before it notes that
        assert work_off(database, tools) == []
        assert work_off(database, tools, ahead=LEASE) == ["done"]
    assert receiver.ids() == [event.event_id] * 2
    assert receiver.got[0][2] == receiver.got[1][2]


def test_an_operator_gets_its_own_events_only(database: Engine) -> None:
    with a_receiver() as mine, a_receiver() as all_of_them:
        a_webhook(database, mine.url, operator="cn-mobile")
        a_webhook(database, all_of_them.url)
        ours, theirs = an_event(), an_event(operator="cn-other")
        happened(database, ours, theirs)
        work_off(database, some_tools(database))
    assert mine.ids() == [ours.event_id]
    assert sorted(all_of_them.ids()) == sorted([ours.event_id, theirs.event_id])


@pytest.mark.parametrize("status", [500, 404, 301, 429])
def test_what_is_not_taken_is_tried_again_with_the_same_id(database: Engine, status: int) -> None:
    with a_receiver() as receiver, a_receiver() as elsewhere:
        receiver.statuses = [status, 204]
        receiver.headers = {"location": elsewhere.url}
        webhook, _ = a_webhook(database, receiver.url)
        event = an_event()
        happened(database, event)
        assert work_off(database, some_tools(database)) == ["again"]
        assert read_webhook(database, webhook.webhook_id).failure == f"STATUS_{status}"
        assert work_off(database, some_tools(database)) == []  # the pause is not over
        assert work_off(database, some_tools(database), ahead=timedelta(seconds=9)) == ["done"]
    assert receiver.ids() == [event.event_id] * 2
    assert elsewhere.got == []


def test_a_receiver_may_say_when_to_come_again(database: Engine) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with a_receiver() as receiver:
        receiver.statuses, receiver.headers = [503], {"retry-after": "120"}
        a_webhook(database, receiver.url)
        happened(database, an_event())
        assert work_off(database, some_tools(database, clock=FixedClock(now))) == ["again"]
    with reading(database) as connection:
        assert connection.execute(sa.select(jobs.c.due_at)).scalar_one() == now + timedelta(seconds=120)


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("0", timedelta(0)),
        ("99999999", timedelta(hours=6)),
        ("9" * 5000, timedelta(hours=6)),
        ("Fri, 01 May 2026 12:02:00 GMT", timedelta(minutes=2)),
        ("Fri, 01 May 2099 12:02:00 GMT", timedelta(hours=6)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("Fri, 01 May 2026 12:02:00 -0000", None),
        ("Fri, 01 May 2026 12:02:00 +9999", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_whatever_a_receiver_says_is_bounded(said: str, pause: timedelta | None) -> None:
    assert delivering._retry_after(said, datetime(2026, 5, 1, 12, 0, tzinfo=UTC)) == pause


def test_gone_disables_the_webhook_and_ends_its_deliveries(database: Engine) -> None:
    with a_receiver() as receiver:
        receiver.statuses = [410]
        webhook, _ = a_webhook(database, receiver.url)
        happened(database, an_event(), an_event())
        assert work_off(database, some_tools(database)) == ["done", "done"]
        assert len(receiver.got) == 1
        assert read_webhook(database, webhook.webhook_id).disabled_why == "GONE"
        happened(database, an_event())
        assert states(database) == []
        with unit_of_work(database) as connection:
            set_enabled(connection, webhook.webhook_id, why_not=None, now=datetime.now(UTC))
        receiver.statuses = [200]
        happened(database, an_event())
        assert work_off(database, some_tools(database)) == ["done"]


def test_a_receiver_that_does_not_answer_rests_and_costs_the_others_nothing(database: Engine) -> None:
    with a_receiver() as receiver:
        closed = receiver.url
    with a_receiver() as well:
        webhook, _ = a_webhook(database, closed)
        a_webhook(database, well.url)
        happened(database, *(an_event() for _ in range(4)))
        tools = some_tools(database, clock=FixedClock(datetime.now(UTC)))
        ends = work_off(database, tools)
        assert sorted(ends) == ["again"] + ["done"] * 4 + ["put_back"] * 3  # one try, not four
        first = read_webhook(database, webhook.webhook_id)
        assert first.silences == 1
        work_off(database, tools, ahead=LEASE)
        second = read_webhook(database, webhook.webhook_id)
    assert first.resting_until
    assert second.resting_until
    assert second.silences == 2
    with reading(database) as connection:
        attempts = connection.execute(sa.select(jobs.c.attempts)).scalars().all()
    assert sorted(attempts) in ([0, 0, 0, 2], [0, 0, 1, 1])


def test_nobody_listens_or_nobody_answers(database: Engine) -> None:
    with a_receiver() as receiver:
        closed = receiver.url
    with a_receiver() as slow:
        slow.trickle_s = 5
        gone, _ = a_webhook(database, closed)
        late, _ = a_webhook(database, slow.url)
        happened(database, an_event())
        started = datetime.now(UTC)
        assert work_off(database, some_tools(database, total_s_max=0.3, read_timeout_s=2)) == ["again"] * 2
        assert datetime.now(UTC) - started < timedelta(seconds=4)
    assert read_webhook(database, gone.webhook_id).failure == "CONNECTION"
    assert read_webhook(database, late.webhook_id).failure in {"CONNECTION", "TIMEOUT"}


def test_after_all_attempts_a_delivery_is_a_dead_letter_without_its_event(database: Engine) -> None:
    with a_receiver() as receiver:
        receiver.statuses = [500]
        webhook, _ = a_webhook(database, receiver.url)
        event = an_event()
        happened(database, event)
        ends: list[str] = []
        for months in range(1, 20):
            ends += work_off(database, some_tools(database), ahead=months * LONG)
    assert ends == ["again"] * 17 + ["dead"]
    with reading(database) as connection:
        (dead,) = list_jobs(connection)
    assert dead.payload == {"webhook": webhook.webhook_id, "event": event.event_id}
    assert dead.error_code == "STATUS_500"


def test_a_removed_webhook_gets_nothing_more(database: Engine) -> None:
    with a_receiver() as receiver:
        webhook, _ = a_webhook(database, receiver.url)
        happened(database, an_event())
        with unit_of_work(database) as connection:
            remove_webhook(connection, webhook.webhook_id)
        assert work_off(database, some_tools(database)) == ["done"]
    assert receiver.got == []
    with reading(database) as connection:
        assert connection.execute(sa.select(webhook_secrets)).all() == []
    with pytest.raises(BadInput) as refused:
        read_webhook(database, webhook.webhook_id)
    assert refused.value.code == "WEBHOOK_UNKNOWN"


def test_during_a_change_of_secret_both_sign_and_afterwards_only_the_new_one(database: Engine) -> None:
    with a_receiver() as receiver:
        webhook, first = a_webhook(database, receiver.url)
        now = datetime.now(UTC)
        with unit_of_work(database) as connection:
            second = add_secret(connection, KEYS, webhook.webhook_id, now=now)
            third = add_secret(connection, KEYS, webhook.webhook_id, now=now)
            assert valid_secrets(connection, KEYS, webhook.webhook_id, now=now) == (third, second)
            assert valid_secrets(connection, KEYS, webhook.webhook_id, now=now + OVERLAP) == (third,)
        happened(database, an_event())
        work_off(database, some_tools(database))
    ((_, headers, body),) = receiver.got
    for secret in (second, third):
        assert Verifying(secret).verify(body, headers)
    with pytest.raises(Exception, match="No matching signature"):
        Verifying(first).verify(body, headers)


def test_secrets_lie_encrypted_and_follow_a_change_of_keys(database: Engine) -> None:
    webhook, secret = a_webhook(database, "https://example.com/")
    with reading(database) as connection:
        row = connection.execute(sa.select(webhook_secrets)).one()
    assert secret.encode() not in row.ciphertext
    assert secret.removeprefix("whsec_").encode() not in row.ciphertext
    both = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k1": b"k" * 32, "k2": b"n" * 32}})
    new = InMemoryKeys({KeyUse.KEY_ENCRYPTION: {"k2": b"n" * 32}})
    now = datetime.now(UTC)
    with unit_of_work(database) as connection:
        assert count_secrets_by_kek(connection) == {"k1": 1}
        assert rewrap_secrets(connection, both) == 1
        assert rewrap_secrets(connection, both) == 0
        assert count_secrets_by_kek(connection) == {"k2": 1}
        assert valid_secrets(connection, new, webhook.webhook_id, now=now) == (secret,)
        connection.execute(webhook_secrets.update().values(secret_id="moved"))
        with pytest.raises(Unavailable) as refused:
            valid_secrets(connection, new, webhook.webhook_id, now=now)
    assert refused.value.code == "WEBHOOK_SECRET_UNDECRYPTABLE"


def test_a_secret_that_does_not_decrypt_fails_the_delivery_and_sends_nothing_unsigned(
    database: Engine,
) -> None:
    with a_receiver() as receiver:
        a_webhook(database, receiver.url)
        happened(database, an_event())
        with unit_of_work(database) as connection:
            connection.execute(webhook_secrets.delete())
        assert work_off(database, some_tools(database)) == ["again"]
    assert receiver.got == []


def test_a_range_is_replayed_page_by_page_and_an_event_alone(
    database: Engine,
) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with a_receiver() as receiver:
        webhook, _ = a_webhook(database, receiver.url, types=("line.*",))
        hours = [an_event(at=start + timedelta(hours=n // 2)) for n in range(6)]
        happened(database, *hours, an_event("session.decided", at=start))
        work_off(database, some_tools(database))
        first = receiver.ids()
        assert len(first) == 6
        now = datetime.now(UTC)
        with unit_of_work(database) as connection:
            replaying.replay_range(
                connection, webhook, since=start, until=start + timedelta(hours=2), now=now
            )
        assert set(work_off(database, some_tools(database))) == {"done"}
        again = receiver.ids()[6:]
        assert sorted(again) == sorted(event.event_id for event in hours[:4])
        with unit_of_work(database) as connection:
            replaying.replay_event(connection, webhook, hours[5].event_id, now=now)
            other = events_in(connection, EventRange(start, start + LONG), after=None, limit=99)
            (session,) = (event for event in other if event.type == "session.decided")
            for unknown in ("none", session.event_id):
                with pytest.raises(BadInput) as refused:
                    replaying.replay_event(connection, webhook, unknown, now=now)
                assert refused.value.code == "EVENT_UNKNOWN"
            with pytest.raises(BadInput) as refused:
                replaying.replay_range(connection, webhook, since=start, until=start, now=now)
            assert refused.value.code == "REPLAY_RANGE_EMPTY"
        work_off(database, some_tools(database))
        assert receiver.ids()[10:] == [hours[5].event_id]


def test_over_https_the_name_is_proven_and_the_address_is_the_checked_one(
    database: Engine, tmp_path: Path
) -> None:
    """The name resolves to loopback here only; the certificate is for the name, not for the address."""
    here = Destinations(loopback=True, resolve=lambda _host, _port: [LOOPBACK])
    with a_certificate(tmp_path, "crm.example.com") as (server, client), a_receiver(tls=server) as receiver:
        right, _ = a_webhook(database, f"https://crm.example.com:{receiver.port}/hook")
        wrong, _ = a_webhook(database, f"https://other.example.com:{receiver.port}/hook")
        happened(database, an_event())
        tools = some_tools(database, destinations=here, tls=client)
        assert sorted(work_off(database, tools)) == ["again", "done"]
    ((_, headers, _),) = receiver.got
    assert headers["host"] == f"crm.example.com:{receiver.port}"
    assert read_webhook(database, right.webhook_id).delivered_at
    assert read_webhook(database, wrong.webhook_id).failure == "CONNECTION"


def test_a_name_that_turns_to_this_machine_gets_nothing(database: Engine) -> None:
    with a_receiver() as receiver:
        turned = Destinations(resolve=lambda _host, _port: [LOOPBACK])
        webhook, _ = a_webhook(database, f"https://crm.example.com:{receiver.port}/")
        happened(database, an_event())
        assert work_off(database, some_tools(database, destinations=turned)) == ["again"]
    assert receiver.got == []
    assert read_webhook(database, webhook.webhook_id).failure == "DESTINATION_REFUSED"


def test_webhooks_are_limited_and_their_types_checked(database: Engine) -> None:
    now = datetime.now(UTC)
    with unit_of_work(database) as connection:
        for types in (["Line"], ["line.*.x"], ["*x"], [""], [f"a{number}.b" for number in range(51)]):
            with pytest.raises(BadInput) as refused:
                add_webhook(connection, url="https://x.example", types=types, operator="", now=now)
            assert refused.value.code == "WEBHOOK_TYPES_INVALID"
        for number in range(WEBHOOKS_MAX):
            add_webhook(connection, url="https://x.example", types=(), operator=str(number % 2), now=now)
        with pytest.raises(BadInput) as refused:
            add_webhook(connection, url="https://x.example", types=(), operator="", now=now)
        assert refused.value.code == "WEBHOOKS_TOO_MANY"
        assert len(list_webhooks(connection, operator="1")) == WEBHOOKS_MAX // 2
        assert json.dumps(list_webhooks(connection)[0].to_json())
