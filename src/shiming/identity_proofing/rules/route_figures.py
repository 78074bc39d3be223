"""Pass rates and times by route, with intervals.

Rates: the score interval of Wilson (J. Amer. Statist. Assoc. 22, 1927), which keeps its coverage near 0 and 1
and for small counts. Differences of rates: Newcombe's hybrid score interval (Statistics in Medicine 17, 1998,
method 10). Medians: the distribution-free interval between two order statistics (David and Nagaraja, Order
Statistics, 3rd ed. 2003, section 7.1); times are skewed, a mean with a normal interval would mislead.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

from shiming.identity_proofing.model.figures import Interval, Parity, RouteFigures, RouteOutcome

#: Of fewer than 20 sessions the interval of a rate is wider than .3, and small counts point at people.
ENDED_MIN = 20
_Z = 1.959964  # of the normal distribution: 95 of 100
_TAIL_IS_ONE_IN = 40  # 2.5 of 100 on either side; whole numbers, as floats end before a thousand coins


def figures_by_route(outcomes: Iterable[RouteOutcome], routes: Sequence[str]) -> tuple[RouteFigures, ...]:
    """Return the figures of every route in this order, those that nobody took included."""
    by_route: Mapping[str, list[RouteOutcome]] = {route: [] for route in routes}
    for outcome in outcomes:
        if outcome.route in by_route:
            by_route[outcome.route].append(outcome)
    return tuple(_of_route(route, found, by_route) for route, found in by_route.items())


def wilson(hits: int, total: int) -> Interval:
    """Return the share of hits with its score interval; `total` is at least 1.

    >>> [round(each, 3) for each in (wilson(0, 20).low, wilson(0, 20).high)]
    [0.0, 0.161]
    """
    share, weight = hits / total, _Z * _Z / total
    centre = (share + weight / 2) / (1 + weight)
    half = _Z * sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == total else min(1.0, centre + half)
    return Interval(share, low, high)


def difference_of_rates(a: Interval, b: Interval) -> Interval:
    """Return a - b with Newcombe's interval, from two Wilson intervals."""
    difference = a.value - b.value
    down = sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    up = sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return Interval(difference, max(-1.0, difference - down), min(1.0, difference + up))


def median_interval(values: Iterable[float]) -> Interval | None:
    """Return the median between two order statistics; None where no two of them cover it often enough (< 6).

    >>> median_interval(range(1, 11))
    Interval(value=5.5, low=2, high=9)
    """
    ordered = sorted(values)
    rank = _rank_of_lower_bound(len(ordered))
    if rank is None:
        return None
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Interval(median, ordered[rank - 1], ordered[len(ordered) - rank])


def _rank_of_lower_bound(count: int) -> int | None:
    """Return the largest rank r for which at most r - 1 of `count` fair coins have a chance below 2.5 %."""
    chances, ways, below, rank = 2**count, 1, 0, None
    for number in range(count // 2 + 1):
        below += ways
        if below * _TAIL_IS_ONE_IN > chances:
            break
        rank = number + 1
        ways = ways * (count - number) // (number + 1)
    return rank


def _of_route(
    route: str, found: Sequence[RouteOutcome], by_route: Mapping[str, Sequence[RouteOutcome]]
) -> RouteFigures:
    if len(found) < ENDED_MIN:
        return RouteFigures(route, enough=False)
    verified, refused = _count(found, verdict=True), _count(found, verdict=False)
    return RouteFigures(
        route,
        enough=True,
        ended=len(found),
        verified=verified,
        refused=refused,
        undecided=len(found) - verified - refused,
        pass_rate=wilson(verified, len(found)),
        seconds_median=median_interval(each.seconds for each in found if each.seconds is not None),
        parity=_parity(found, [each for name, of in by_route.items() if name != route for each in of]),
    )


def _parity(found: Sequence[RouteOutcome], others: Sequence[RouteOutcome]) -> Parity:
    if len(others) < ENDED_MIN:
        return Parity.TOO_FEW
    own = wilson(_count(found, verdict=True), len(found))
    rest = wilson(_count(others, verdict=True), len(others))
    difference = difference_of_rates(own, rest)
    if difference.high < 0:
        return Parity.LOWER
    return Parity.HIGHER if difference.low > 0 else Parity.NO_DIFFERENCE_SEEN


def _count(found: Sequence[RouteOutcome], *, verdict: bool) -> int:
    return sum(each.verified is verdict for each in found)
