"""How a conclusion of the rules is said in a scenario."""

from collections.abc import Iterable
from typing import Any

from shiming.vocabulary.refusals import Refusal


def accepted(**more: Any) -> dict[str, Any]:
    """Return what follows when the rules allow it."""
    return {"outcome": "accepted", **more}


def refused(refusals: Iterable[Refusal], **more: Any) -> dict[str, Any]:
    """Return what follows when they do not, with every code and its citation."""
    reasons = {refusal.code.value: refusal for refusal in refusals}
    return {
        "outcome": "refused",
        "codes": list(reasons),
        "cites": [refusal.citation for refusal in reasons.values()],
        "reasons": list(reasons.values()),  # for the story; a scenario states codes
        **more,
    }
