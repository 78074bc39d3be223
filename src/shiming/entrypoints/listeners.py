"""Calls upward: which jobs of a feature follow which events of a feature below it.

An entry turns an event into one job of the listed kind. Its payload names the event: `event` (id), `type`,
`subject`, `operator`. The relay writes the job in the transaction that marks the event, so none is lost.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.engine import Connection

from shiming.infrastructure.job_queue.model import NewJob
from shiming.infrastructure.outbox import Event

#: Type of event -> kinds of jobs. The handlers stand in `jobs_of_features`.
LISTENERS: Mapping[str, tuple[str, ...]] = {
    "line.sim_assigned": ("provisioning.order",),
    "line.moved": ("provisioning.order",),
    "iot.resale_upheld": ("iot.follow_resale",),
    "iot.resale_dismissed": ("iot.follow_resale",),
    "line.holder_changed": ("transfers.follow_holder_change", "provisioning.order"),
    "terms.accepted": ("transfers.follow_acceptance",),
    "line.profile_changed": ("provisioning.order",),
    "line.sim_replaced": ("provisioning.order",),
    "line.status_changed": ("provisioning.order",),
    "line.registered": (
        "transfers.follow_registration",
        "sims.put_in_ordered",
        "people.follow_registration",
        "provisioning.order",
    ),
    "line.terminated": (
        "transfers.follow_termination",
        "people.follow_termination",
        "enterprise.follow_termination",
        "iot.follow_termination",
        "provisioning.order",
    ),
}


def route_to_listeners(_connection: Connection, events: Sequence[Event]) -> list[NewJob]:
    """Return the jobs that follow these events."""
    return [
        NewJob(
            kind,
            {
                "event": event.event_id,
                "type": event.type,
                "subject": event.subject,
                "operator": event.operator,
            },
            unique_key=f"{kind}:{event.event_id}",
        )
        for event in events
        for kind in LISTENERS.get(event.type, ())
    ]
