"""Stop a line, restore it, confirm that the network carries it, and say how it stands.

Who may set or lift which reason is said twice: the permission of the caller at the edge, and the actor that
the policy names for the reason. Jobs act as `StopActor.SYSTEM`.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.stops import StopRefusal
from shiming.registrations.events.stops import (
    LINE_CONFIRMED,
    LINE_STATUS_CHANGED,
    LINE_STOP_LIFTED,
    LINE_STOP_SET,
)
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.stops import (
    LineConfirmed,
    LineStanding,
    LineStop,
    StopLifted,
    StopRefused,
    StopSet,
    read_reference,
)
from shiming.registrations.permissions.registration import MayReadRegistration
from shiming.registrations.permissions.stops import MayStopForCompliance, MayStopForHolder
from shiming.registrations.rules.line_status import confirmed_status, status_of
from shiming.registrations.rules.stops import StopFacts, decide_lift, decide_stop, no_rule
from shiming.registrations.store import lines as line_store
from shiming.registrations.store import stops as store
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal


@asks(MayStopForHolder, MayStopForCompliance)
def set_stop(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    reason: StopReason,
    actor: StopActor,
    reference: str,
    now: datetime,
    policy: Policy,
    at: datetime | None = None,
    account: str | None = None,
) -> StopSet | StopRefused:
    """Stop a line for a reason; again under the same reference changes nothing.

    `reference` names the case, order or complaint; `at` since when it holds, if not since now; `account` the
    member of staff. Raises BadInput for a line that is not there.
    """
    reference, since = read_reference(reference), at or now
    line = _locked(connection, line_id)
    stops = store.stops_of(connection, line)
    facts = StopFacts(line.status, line.registered_at, stops)
    decision = decide_stop(
        facts, reason=reason, actor=actor, reference=reference, at=since, now=now, policy=policy
    )
    if isinstance(decision, StopRefused):
        return decision
    if decision.standing is not None:
        return StopSet(decision.standing, line.status, line.status, repeated=True)
    stop = LineStop(
        stop_id=tools.privacy.new_reference("STP"),
        line_id=line_id,
        operator=line.operator,
        reason=reason,
        level=decision.level,
        reference=reference,
        set_at=min(since, now),  # their clock may run a little before ours
        set_by=actor,
        set_account=account,
    )
    store.add_stop(connection, stop)
    standing = (*stops, stop)
    after = status_of(standing, line.status)
    _change(tools, connection, line, after, standing, kind=LINE_STOP_SET, changed=(stop,), by=actor, now=now)
    return StopSet(stop, line.status, after)


@asks(MayStopForHolder, MayStopForCompliance)
def lift_stop(
    tools: RegistrationTools,
    connection: Connection,
    line_id: str,
    *,
    reason: StopReason,
    actor: StopActor,
    reference: str | None = None,
    now: datetime,
    policy: Policy,
    account: str | None = None,
) -> StopLifted | StopRefused:
    """Lift the stops of a reason, all of them or the one of a reference; what else stops the line stays."""
    line = _locked(connection, line_id)
    stops = store.stops_of(connection, line)
    facts = StopFacts(line.status, line.registered_at, stops)
    decision = decide_lift(facts, reason=reason, actor=actor, reference=reference, now=now, policy=policy)
    if isinstance(decision, StopRefused):
        return decision
    lifted = {stop.stop_id for stop in decision.stops}
    for stop in decision.stops:
        store.lift(connection, stop, at=max(now, stop.set_at), by=actor, account=account)
    left = tuple(stop for stop in stops if stop.stop_id not in lifted)
    after = status_of(left, line.status)
    _change(
        tools,
        connection,
        line,
        after,
        left,
        kind=LINE_STOP_LIFTED,
        changed=decision.stops,
        by=actor,
        now=now,
    )
    ended = tuple(stop for stop in store.stops_of(connection, line) if stop.stop_id in lifted)
    return StopLifted(ended, line.status, after)


@inside("called when the operator's network confirmed the line, by provisioning")
def confirm_line(
    tools: RegistrationTools, connection: Connection, line_id: str, *, now: datetime, policy: Policy
) -> LineConfirmed | StopRefused:
    """Take up a pending line: active, or stopped if it has stops. Twice is once."""
    line = _locked(connection, line_id)
    if line.status is LineStatus.TERMINATED:
        return StopRefused((Refusal(StopRefusal.LINE_TERMINATED, no_rule(policy)),))
    if line.status is not LineStatus.PENDING:
        return LineConfirmed(line_id, line.status, line.status, repeated=True)
    stops = store.stops_of(connection, line)
    after = confirmed_status(stops)
    _change(
        tools,
        connection,
        line,
        after,
        stops,
        kind=LINE_CONFIRMED,
        changed=(),
        by=StopActor.SYSTEM,
        now=now,
    )
    return LineConfirmed(line_id, line.status, after)


@asks(MayReadRegistration)
def line_status(connection: Connection, line_id: str) -> LineStanding | None:
    """Return a line with all its stops; None when there is no such line."""
    line = line_store.find_line(connection, line_id)
    return None if line is None else LineStanding(line, store.stops_of(connection, line))


def _locked(connection: Connection, line_id: str) -> Line:
    line = store.lock_line(connection, line_id)
    if line is None:
        raise BadInput(
            "LINE_UNKNOWN",
            Text(zh="没有这条登记。", en="There is no such line."),
            Text(zh="请核对编号。", en="Compare the reference."),
        )
    return line


def _change(
    tools: RegistrationTools,
    connection: Connection,
    line: Line,
    after: LineStatus,
    stops: Iterable[LineStop],
    *,
    kind: str,
    changed: tuple[LineStop, ...],
    by: StopActor,
    now: datetime,
) -> None:
    """Write the status, an event for each stop and for the change, and one leaf over all of it."""
    reasons = ",".join(sorted({stop.reason.value for stop in stops if stop.is_open}))
    move = {"line": line.line_id, "from": line.status.value, "to": after.value, "reasons": reasons}
    if after is not line.status and not store.change_status(connection, line, after):
        raise Unavailable(
            "LINE_CHANGED",
            Text(zh="该号码刚被更改。", en="Somebody else has just changed this line."),
            Text(zh="请重新读取后再试。", en="Read it again, then repeat the change."),
        )
    for stop in changed:
        facts: dict[str, str | int | bool | None] = {
            "line": line.line_id,
            "stop": stop.stop_id,
            "reason": stop.reason.value,
            "level": stop.level.value,
        }
        emit(connection, Event(kind, line.line_id, line.operator, now, facts))
    if after is not line.status:
        emit(connection, Event(LINE_STATUS_CHANGED, line.line_id, line.operator, now, move))
    leaf: dict[str, Fact] = {
        **move,
        "by": by.value,
        "stops": ",".join(stop.stop_id for stop in changed)[:_FACT_LENGTH_MAX],
        "count": len(changed),
    }
    record(connection, tools.privacy.keys, kind=kind, facts=leaf, now=now, operator=line.operator)


_FACT_LENGTH_MAX = 200  # of the ledger: nine stops; the count tells of more
