"""Decide whether an identity may take one more number (cn: six-agency notice of 2016-09-23)."""

from shiming.jurisdictions.model import CapPolicy
from shiming.registrations.model.registration import CapReached, WithinCap


def decide_line_cap(active: int, policy: CapPolicy) -> WithinCap | CapReached:
    """May this identity take one more number? `active` counts its lines in the scope of the policy."""
    remaining = policy.lines_per_holder_max.value - active
    if remaining > 0:
        return WithinCap(remaining=remaining)
    return CapReached(active=active, citation=policy.lines_per_holder_max.citation)
