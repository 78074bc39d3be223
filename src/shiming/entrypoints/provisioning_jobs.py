"""The jobs of provisioning: orders follow events, are sent, asked about, and swept."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from shiming.infrastructure.job_queue.model import DELIVERY, Handlers, Handling, NotDone, PutBack, Task
from shiming.infrastructure.schedules import Every, Schedule
from shiming.registrations.events.provisioning import PROFILE_CHANGED
from shiming.registrations.events.registration import LINE_REGISTERED, LINE_TERMINATED
from shiming.registrations.events.sims import SIM_ASSIGNED, SIM_REPLACED
from shiming.registrations.events.stops import LINE_STATUS_CHANGED
from shiming.registrations.use_cases import sending_orders
from shiming.registrations.use_cases.bss_endpoints import SWEEP
from shiming.registrations.use_cases.order_progress import SEND
from shiming.registrations.use_cases.reconciling import RECONCILE, reconcile_queued
from shiming.transfers.events.transfers import HOLDER_CHANGED, LINE_MOVED

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

ORDER = "provisioning.order"
POLL = sending_orders.POLL
#: Events that change what the BSS keeps of a line beside its state.
OCCASIONS = frozenset({HOLDER_CHANGED, LINE_MOVED})
#: Events that may change what the network is to do with a line.
PROVISIONED = (
    LINE_REGISTERED,
    LINE_STATUS_CHANGED,
    LINE_TERMINATED,
    SIM_ASSIGNED,
    SIM_REPLACED,
    PROFILE_CHANGED,
    *sorted(OCCASIONS),
)
RECONCILE_MAX = timedelta(hours=6)  # tens of millions of lines
PROVISIONING_SCHEDULES = (Schedule(SWEEP, Every(seconds=60)),)  # a bar ends at its minute


def provisioning_jobs(platform: "Platform") -> Handlers:
    """Return how the jobs of provisioning are done; those that ask a BSS wait in the lane of deliveries."""
    return {
        ORDER: Handling(partial(_order, platform)),
        SEND: Handling(partial(_send, platform), sending_orders.RETRY, lane=DELIVERY),
        POLL: Handling(partial(_poll, platform), lane=DELIVERY),
        SWEEP: Handling(partial(_sweep, platform)),
        RECONCILE: Handling(partial(_reconcile, platform), lane=DELIVERY, run_max=RECONCILE_MAX),
    }


def _order(platform: "Platform", task: Task) -> None:
    sending_orders.order_for_event(platform.provisioning, task, occasions=OCCASIONS)


def _send(platform: "Platform", task: Task) -> NotDone | PutBack | None:
    return sending_orders.send_order(platform.provisioning, task)


def _poll(platform: "Platform", task: Task) -> NotDone | PutBack | None:
    return sending_orders.poll_order(platform.provisioning, task)


def _reconcile(platform: "Platform", task: Task) -> None:
    reconcile_queued(platform.provisioning, str(task.job.payload["reconciliation"]))


def _sweep(platform: "Platform", task: Task) -> PutBack | None:
    return sending_orders.sweep(platform.provisioning, task)
