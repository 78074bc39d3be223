"""Decide whether an identity may take one more number (cn: six-agency notice of 2016-09-23)."""

from shiming.jurisdictions.model import LineCapPolicy
from shiming.registrations.model import CapReached, LineHolding, WithinCap


def decide_line_cap(holdings: tuple[LineHolding, ...], policy: LineCapPolicy) -> WithinCap | CapReached:
    """May this identity take one more number? `holdings` are those in the scope of the policy."""
    held = tuple(holding for holding in holdings if holding.status.counts_towards_cap)
    remaining = policy.lines_per_identity_max.value - len(held)
    if remaining > 0:
        return WithinCap(remaining=remaining)
    return CapReached(held=held, citation=policy.lines_per_identity_max.citation)
