"""Decide whether an identity may take one more number (cn: six-agency notice of 2016-09-23)."""

from shiming.jurisdictions.model import LineCapPolicy
from shiming.registrations.model import CapReached, WithinCap


def decide_line_cap(active: int, policy: LineCapPolicy) -> WithinCap | CapReached:
    """May this identity take one more number? `active` counts its lines in the scope of the policy."""
    remaining = policy.lines_per_identity_max.value - active
    if remaining > 0:
        return WithinCap(remaining=remaining)
    return CapReached(active=active, citation=policy.lines_per_identity_max.citation)
