"""The jobs of industry cards: what follows a decision about resale, and lines that ended in another way."""

from functools import partial
from typing import TYPE_CHECKING

from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import Handlers, Handling, Task
from shiming.registrations.use_cases.iot_cards import follow_termination
from shiming.registrations.use_cases.iot_resale import follow_decision
from shiming.registrations.use_cases.organisations import Desk

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

FOLLOW_RESALE = "iot.follow_resale"
FOLLOW_TERMINATION = "iot.follow_termination"


def iot_jobs(platform: "Platform") -> Handlers:
    """Return the handlers of industry cards."""
    return {
        FOLLOW_RESALE: Handling(partial(_follow_resale, platform)),
        FOLLOW_TERMINATION: Handling(partial(_follow_termination, platform)),
    }


def _follow_resale(platform: "Platform", task: Task) -> None:
    follow_decision(_desk(platform), platform.engine, str(task.job.payload["subject"]))


def _follow_termination(platform: "Platform", task: Task) -> None:
    desk, line_id = _desk(platform), str(task.job.payload["subject"])
    transact(platform.engine, lambda connection: follow_termination(desk, connection, line_id))


def _desk(platform: "Platform") -> Desk:
    policy = platform.policy(platform.default_pack, platform.today())
    return Desk(platform.registrations, policy, platform.clock.now(), platform.today())
