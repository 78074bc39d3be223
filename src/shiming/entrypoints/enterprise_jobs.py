"""The jobs of enterprise lines: the clock of users who left, and lines that ended in another way."""

from functools import partial
from typing import TYPE_CHECKING

from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import Handlers, Handling, PutBack, Task
from shiming.infrastructure.schedules import Every, Schedule
from shiming.registrations.use_cases.enterprise_lines import follow_termination, stop_overdue_lines
from shiming.registrations.use_cases.organisations import Desk

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

STOP_OVERDUE = "enterprise.stop_overdue"
FOLLOW_TERMINATION = "enterprise.follow_termination"
ENTERPRISE_SCHEDULES = (Schedule(STOP_OVERDUE, Every(seconds=600)),)  # the clock counts days


def enterprise_jobs(platform: "Platform") -> Handlers:
    """Return the handlers of enterprise lines."""
    return {
        STOP_OVERDUE: Handling(partial(_stop_overdue, platform)),
        FOLLOW_TERMINATION: Handling(partial(_follow_termination, platform)),
    }


def _stop_overdue(platform: "Platform", task: Task) -> PutBack | None:
    desk = _desk(platform)
    while transact(platform.engine, lambda connection: stop_overdue_lines(desk, connection)):
        if task.stopping():
            return PutBack()
    return None


def _follow_termination(platform: "Platform", task: Task) -> None:
    desk, line_id = _desk(platform), str(task.job.payload["subject"])
    transact(platform.engine, lambda connection: follow_termination(desk, connection, line_id))


def _desk(platform: "Platform") -> Desk:
    policy = platform.policy(platform.default_pack, platform.today())
    return Desk(platform.registrations, policy, platform.clock.now(), platform.today())
