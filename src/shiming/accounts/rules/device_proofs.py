"""Whether a proof of an enrolled device holds for this very request, now.

>>> from datetime import UTC, datetime
>>> asked = Requested("POST", "/v1/x", "h")
>>> decide_proof(asked, 1000, asked, now=datetime.fromtimestamp(1030, UTC))
>>> decide_proof(asked, 1000, asked, now=datetime.fromtimestamp(1200, UTC))
'DEVICE_PROOF_STALE'
"""

from datetime import datetime, timedelta

from shiming.accounts.model import Requested

#: A minute either way: counters' clocks are set by network, and a proof is made as the request is sent.
FRESH_FOR = timedelta(seconds=60)


def decide_proof(signed: Requested, issued_at: int, requested: Requested, *, now: datetime) -> str | None:
    """Return the code of what does not hold; None when what was signed is this request, and fresh."""
    if signed != requested:
        return "DEVICE_PROOF_OTHER_REQUEST"
    if abs(now.timestamp() - issued_at) > FRESH_FOR.total_seconds():
        return "DEVICE_PROOF_STALE"
    return None
