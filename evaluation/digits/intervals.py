"""Confidence intervals of error rates. Pure. Trials of one speaker are correlated: true ones are wider."""

from math import sqrt

Z_95 = 1.959964


def wilson(errors: int, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval.

    >>> tuple(round(bound, 4) for bound in wilson(0, 100))
    (0.0, 0.037)
    """
    if trials == 0:
        return (0.0, 1.0)
    rate, square = errors / trials, Z_95 * Z_95
    centre = (rate + square / (2 * trials)) / (1 + square / trials)
    half = Z_95 * sqrt(rate * (1 - rate) / trials + square / (4 * trials**2)) / (1 + square / trials)
    return (max(0.0, centre - half), min(1.0, centre + half))
