"""Send events again to one receiver: those of a range of time, or a single one.

A range becomes one job that queues a page of deliveries a step, each step in one transaction, so that a year
of events does not become one huge write. Repeats carry the same `webhook-id`.
"""

from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import Handling, NewJob, Task
from shiming.infrastructure.job_queue.queue import enqueue, enqueue_all
from shiming.infrastructure.outbox import EventRange, events_in, find_event
from shiming.infrastructure.webhooks.delivering import delivery_job
from shiming.infrastructure.webhooks.subscriptions import Webhook, find_webhook
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.instants import parse_instant

REPLAY = "webhook.replay"
PAGE = 200  # deliveries of one transaction


def replay(
    connection: Connection,
    webhook: Webhook,
    *,
    event_id: str | None,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> None:
    """Queue one event or a range (`until` None: up to now) again; BadInput unless exactly one is named."""
    if event_id is not None and since is None and until is None:
        replay_event(connection, webhook, event_id, now=now)
        return
    if event_id is None and since is not None:
        replay_range(connection, webhook, since=since, until=until or now, now=now)
        return
    raise BadInput(
        "REPLAY_OF_WHAT",
        Text(zh="请指定一个事件或一段时间。", en="Name one event or a range of time."),
        Text(zh="使用 event，或 since 和 until。", en="Give `event`, or `since` and perhaps `until`."),
    )


def replay_event(connection: Connection, webhook: Webhook, event_id: str, *, now: datetime) -> None:
    """Queue one event again; raises BadInput EVENT_UNKNOWN for one that is kept no longer or not for them."""
    event = find_event(connection, event_id)
    if event is None or not webhook.wants(event):
        raise BadInput(
            "EVENT_UNKNOWN",
            Text(zh="没有该事件，或已超过保存期限。", en="There is no such event, or it is kept no longer."),
            Text(
                zh="请核对事件编号和订阅的事件类型。", en="Check its id and the types that the webhook wants."
            ),
        )
    enqueue(connection, delivery_job(webhook, event_id), now=now)


def replay_range(
    connection: Connection, webhook: Webhook, *, since: datetime, until: datetime, now: datetime
) -> None:
    """Queue the replay of the events in `since` <= time < `until`; raises BadInput for an empty range."""
    if since >= until:
        raise BadInput(
            "REPLAY_RANGE_EMPTY",
            Text(zh="结束时间须晚于开始时间。", en="The end must be later than the start."),
            Text(zh="请使用 --since 和 --until。", en="Give `since` and a later `until`."),
        )
    payload = {"webhook": webhook.webhook_id, "since": since.isoformat(), "until": until.isoformat()}
    enqueue(connection, NewJob(REPLAY, payload), now=now)


def replaying(engine: Engine, clock: Clock, *, page: int = PAGE) -> Handling:
    """Return how replay jobs are done: a page a job, which queues the job of the next page as it ends."""

    def replay(task: Task) -> None:
        transact(engine, lambda connection: _page(connection, task, clock.now(), page))

    return Handling(replay)


def _page(connection: Connection, task: Task, now: datetime, size: int) -> None:
    said = dict(task.job.payload)
    webhook = find_webhook(connection, str(said["webhook"]))
    task.finish(connection)
    if webhook is None or webhook.disabled_at is not None:
        return
    since = parse_instant(str(said["since"]))
    wanted = EventRange(since, parse_instant(str(said["until"])), webhook.operator)
    after = (since, str(said["after"])) if said.get("after") else None
    events = events_in(connection, wanted, after=after, limit=size)
    enqueue_all(
        connection,
        [delivery_job(webhook, event.event_id) for event in events if webhook.wants(event)],
        now=now,
    )
    if len(events) == size:
        last = events[-1]
        said |= {"since": last.occurred_at.isoformat(), "after": last.event_id}
        enqueue(connection, NewJob(REPLAY, said), now=now)
