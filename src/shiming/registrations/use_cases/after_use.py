"""What a line leaves behind when it ends: its number rests, its card is retired, its stops end."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.registrations.events.numbers import NUMBER_RESTS
from shiming.registrations.events.stops import LINE_STATUS_CHANGED
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.numbers import NumberHold, NumberState
from shiming.registrations.store import numbers, sims, stops
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import inside


@inside("part of ending a line, in the same transaction, so that nobody gets the number in between")
def settle_ended_line(
    connection: Connection, line: Line, *, number_after: NumberHold, why: str, now: datetime
) -> None:
    """Settle what belonged to a line that has just ended; `line` as it stood before.

    `number_after` says what becomes of its number: only one that stays in this pool comes to rest.
    """
    stops.end_all(connection, line, at=now)
    sims.end_uses(connection, line, at=now)
    if isinstance(line.number, Msisdn):  # accounts of internet access come from no pool
        numbers.rest(connection, line.number.reveal("what becomes of it after use"), number_after)
        if number_after.state is NumberState.QUARANTINE:
            emit(connection, Event(NUMBER_RESTS, line.line_id, line.operator, now, {"line": line.line_id}))
    move: dict[str, str | int | bool | None] = {
        "line": line.line_id,
        "from": line.status.value,
        "to": LineStatus.TERMINATED.value,
        "reasons": why,
    }
    emit(connection, Event(LINE_STATUS_CHANGED, line.line_id, line.operator, now, move))
