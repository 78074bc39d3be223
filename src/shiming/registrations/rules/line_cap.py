"""Decide whether a holder may take one more line of a cap."""

from shiming.jurisdictions.model import AtCap, CapPolicy
from shiming.registrations.model.registration import CapReached, WithinCap


def decide_line_cap(active: int, policy: CapPolicy, *, places_kept: int = 0) -> WithinCap | CapReached:
    """May this holder take one more? `places_kept`: by other sessions of the holder."""
    remaining = policy.lines_per_holder_max.value - active - places_kept
    if remaining > 0:
        return WithinCap(remaining=remaining)
    reviewable = policy.at_cap.value is AtCap.ENHANCED_REVIEW
    return CapReached(active=active, citation=policy.lines_per_holder_max.citation, reviewable=reviewable)
