"""The jobs of transfers: announcements, authorisations that run out, and what follows other events."""

from functools import partial
from typing import TYPE_CHECKING

from shiming.infrastructure.database import transact
from shiming.infrastructure.job_queue.model import Handlers, Handling, PutBack, Task
from shiming.infrastructure.schedules import Every, Schedule
from shiming.transfers.use_cases.following import follow_holder_change, follow_termination
from shiming.transfers.use_cases.port_in import complete_port_in
from shiming.transfers.use_cases.port_out import expire_ports
from shiming.transfers.use_cases.terms_upgrades import follow_acceptance, run_campaigns

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

ANNOUNCE_TERMS = "transfers.announce_terms"
EXPIRE_PORTS = "transfers.expire_ports"
FOLLOW_REGISTRATION = "transfers.follow_registration"
FOLLOW_HOLDER_CHANGE = "transfers.follow_holder_change"
FOLLOW_TERMINATION = "transfers.follow_termination"
FOLLOW_ACCEPTANCE = "transfers.follow_acceptance"
TRANSFER_SCHEDULES = (
    Schedule(ANNOUNCE_TERMS, Every(seconds=60)),
    Schedule(EXPIRE_PORTS, Every(seconds=300)),  # tidies up only: what has run out lets nothing go
)


def transfer_jobs(platform: "Platform") -> Handlers:
    """Return the handlers of transfers."""
    return {
        ANNOUNCE_TERMS: Handling(partial(_announce, platform)),
        EXPIRE_PORTS: Handling(partial(_expire, platform)),
        FOLLOW_REGISTRATION: Handling(partial(_follow_registration, platform)),
        FOLLOW_HOLDER_CHANGE: Handling(partial(_follow_holder_change, platform)),
        FOLLOW_TERMINATION: Handling(partial(_follow_termination, platform)),
        FOLLOW_ACCEPTANCE: Handling(partial(_follow_acceptance, platform)),
    }


def _announce(platform: "Platform", task: Task) -> PutBack | None:
    run_campaigns(platform.transfers, platform.engine, now=platform.clock.now(), stopping=task.stopping)
    return PutBack() if task.stopping() else None


def _expire(platform: "Platform", _task: Task) -> None:
    expire_ports(platform.transfers, platform.engine, now=platform.clock.now())


def _follow_registration(platform: "Platform", task: Task) -> None:
    line_id, now = str(task.job.payload["subject"]), platform.clock.now()
    tools = platform.transfers
    transact(platform.engine, lambda connection: complete_port_in(tools, connection, line_id, now=now))


def _follow_holder_change(platform: "Platform", task: Task) -> None:
    line_id, now = str(task.job.payload["subject"]), platform.clock.now()
    tools, policy = platform.transfers, platform.policy(platform.default_pack, platform.today())
    transact(
        platform.engine,
        lambda connection: follow_holder_change(tools, connection, line_id, policy=policy, now=now),
    )


def _follow_acceptance(platform: "Platform", task: Task) -> None:
    session_id, now = str(task.job.payload["subject"]), platform.clock.now()
    tools = platform.transfers
    transact(platform.engine, lambda connection: follow_acceptance(tools, connection, session_id, now=now))


def _follow_termination(platform: "Platform", task: Task) -> None:
    line_id = str(task.job.payload["subject"])
    tools, policy = platform.transfers, platform.policy(platform.default_pack, platform.today())
    transact(
        platform.engine, lambda connection: follow_termination(tools, connection, line_id, policy=policy)
    )
