"""Pass rates and times by route, so that everybody can see whether all ways are as good."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.identity_proofing import store
from shiming.identity_proofing.model.figures import RouteFigures
from shiming.identity_proofing.permissions import MayReadFigures
from shiming.identity_proofing.rules.route_figures import figures_by_route
from shiming.jurisdictions.model import Policy, Route
from shiming.vocabulary.permissions import asks

DAYS, DAYS_MAX = 90, 400  # a quarter shows most differences; a year and a month compares with the year before
SESSIONS_MAX = 50_000  # the latest ones; read in a second and enough for intervals of half a per cent


@asks(MayReadFigures)
def route_figures(
    connection: Connection, policy: Policy, now: datetime, *, operator: str | None, days: int = DAYS
) -> tuple[RouteFigures, ...]:
    """Return the figures of the routes that the pack has, of sessions that ended in the last `days`."""
    outcomes = store.list_outcomes(
        connection,
        operator=operator,
        opened_from=now - timedelta(days=days),
        ended_by=now,
        limit=SESSIONS_MAX,
    )
    return figures_by_route(outcomes, [route.value for route in Route if route in policy.routes])
