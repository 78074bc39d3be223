"""What features ask of the network: a profile for a line, for good or for a time.

    request_profile(connection, line_id, {"sms": False}, until=now + timedelta(hours=24), source="sim_swap",
                    now=now)

The request and its event are written in the caller's transaction; a job compares what is wanted with what
was ordered last and makes the service order (`service_orders`). When the time is over, another one lifts it.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.registrations.errors.provisioning import line_unknown, profile_invalid
from shiming.registrations.events.provisioning import PROFILE_CHANGED
from shiming.registrations.store import provisioning as store
from shiming.registrations.store.lines import find_line
from shiming.vocabulary.permissions import inside

SOURCE, BAR = "profile", "bar"
PROFILE_CHARACTERS_MAX = 20_000  # it is sent with every order of the line
_NAME = re.compile(r"[a-z][a-zA-Z0-9_]{0,59}")
#: Said by the order itself; a profile may not contradict it.
_RESERVED = frozenset({"status", "emergency_calls"})


@inside("asked for by other use cases, in the transaction of what makes it necessary")
def request_profile(
    connection: Connection,
    line_id: str,
    profile: Mapping[str, Any],
    *,
    until: datetime | None,
    now: datetime,
    source: str | None = None,
) -> None:
    """Ask that the network gives a line this profile; with `until` it is lifted by itself then.

    The parts of several sources add up: a temporary part decides over a lasting one, of the same kind the
    later name in the alphabet. A source's new part replaces its former one; `{}` takes it back. Raise
    BadInput LINE_UNKNOWN, or PROFILE_INVALID for what is no JSON object with plain names.
    """
    line = find_line(connection, line_id)
    if line is None:
        raise line_unknown()
    part = source or (SOURCE if until is None else BAR)
    store.put_profile(
        connection, line_id, line.operator, source=part, profile=_plain(profile), until=until, now=now
    )
    facts = {"source": part, "until": until.isoformat() if until else None}
    emit(connection, Event(PROFILE_CHANGED, line_id, line.operator, now, facts))


def _plain(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile as it comes back from JSON."""
    try:
        text = json.dumps(dict(profile), allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise profile_invalid() from problem
    plain: dict[str, Any] = json.loads(text)
    named = all(_NAME.fullmatch(name) and name not in _RESERVED for name in plain)
    if not named or len(text) > PROFILE_CHARACTERS_MAX:
        raise profile_invalid()
    return plain
