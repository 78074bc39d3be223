"""The status of a line: pending until the network confirms it, then what its strictest open stop says.

pending -> active <-> one_way_stopped <-> two_way_stopped -> terminated; terminated from anywhere, and final.
"""

from collections.abc import Iterable

from shiming.jurisdictions.model import StopLevel
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import LineStop

_STATUS = {
    StopLevel.ONE_WAY: LineStatus.ONE_WAY_STOPPED,
    StopLevel.TWO_WAY: LineStatus.TWO_WAY_STOPPED,
}


def strictest(stops: Iterable[LineStop]) -> StopLevel | None:
    """Return how much the open ones among these stops leave; None: nothing is stopped."""
    levels = {stop.level for stop in stops if stop.is_open}
    if StopLevel.TWO_WAY in levels:
        return StopLevel.TWO_WAY
    return StopLevel.ONE_WAY if levels else None


def status_of(stops: Iterable[LineStop], before: LineStatus) -> LineStatus:
    """Return the status that a line has with these stops: neither the pending nor the ended are changed."""
    if before in {LineStatus.PENDING, LineStatus.TERMINATED}:
        return before
    return confirmed_status(stops)


def confirmed_status(stops: Iterable[LineStop]) -> LineStatus:
    """Return the status that a line which the network carries has with these stops."""
    level = strictest(stops)
    return LineStatus.ACTIVE if level is None else _STATUS[level]


def emergency_calls_allowed(status: LineStatus) -> bool:
    """Say whether emergency calls work: always, as long as there is a line."""
    return status is not LineStatus.TERMINATED
