"""The jobs about holders: notices, clocks, and what follows a registration and the end of a line."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import DELIVERY, Handlers, Handling, PutBack, Task
from shiming.infrastructure.schedules import Cron, Every, Schedule
from shiming.registrations.use_cases.following import follow_registration, follow_termination
from shiming.registrations.use_cases.holder_clocks import run_clocks
from shiming.registrations.use_cases.notices import send_due_notices

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

SEND_NOTICES = "notices.send"
FOLLOW_REGISTRATION = "people.follow_registration"
FOLLOW_TERMINATION = "people.follow_termination"
RUN_HOLDER_CLOCKS = "holder_clocks.run"
PEOPLE_SCHEDULES = (
    Schedule(SEND_NOTICES, Every(seconds=10)),
    Schedule(RUN_HOLDER_CLOCKS, Cron("40 9 * * *", "Asia/Shanghai")),  # people read messages by day
)


def people_jobs(platform: "Platform") -> Handlers:
    """Return the handlers about holders. A channel may be slow: notices go in the lane of deliveries."""
    return {
        SEND_NOTICES: Handling(partial(_send_notices, platform), lane=DELIVERY),
        FOLLOW_REGISTRATION: Handling(partial(_follow, platform, follow_registration)),
        FOLLOW_TERMINATION: Handling(partial(_follow, platform, follow_termination)),
        RUN_HOLDER_CLOCKS: Handling(partial(_run_holder_clocks, platform)),
    }


def _follow(platform: "Platform", follow: Callable[..., None], task: Task) -> None:
    policy, now = platform.policy(platform.default_pack, platform.today()), platform.clock.now()
    line, tools = str(task.job.payload["subject"]), platform.registrations
    transact(platform.engine, lambda connection: follow(tools, connection, line, policy=policy, now=now))


def _run_holder_clocks(platform: "Platform", task: Task) -> PutBack | None:
    tools, today = platform.registrations, platform.today()
    policy = platform.policy(platform.default_pack, today)
    while run_clocks(tools, platform.engine, policy=policy, now=platform.clock.now(), today=today):
        if task.stopping():
            return PutBack()
    return None


def _send_notices(platform: "Platform", task: Task) -> PutBack | None:
    while send_due_notices(platform.notices, platform.engine, now=platform.clock.now()):
        if task.stopping():
            return PutBack()
    return None
