"""Rate limits: token buckets in this process's memory, per client address and per caller and route.

Each server process counts for itself: N processes let N times as much through. That is enough to keep one
client from starving the others; a limit across machines belongs to the load balancer.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shiming.vocabulary.errors import BadInput, Text

BUCKETS_MAX = 20_000  # about 4 MB; the ones used longest ago are forgotten, which only forgives


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, refilled at so many a second."""

    burst: float
    per_second: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits of an installation; None switches one off."""

    per_address: Rate | None = Rate(burst=200, per_second=100)  # a whole outlet behind one address
    per_caller_and_route: Rate | None = Rate(burst=100, per_second=50)  # a busy counter does one a second


class TooManyRequests(BadInput):
    """The bucket is empty: 429; `details.retry_after_s` says when to come back."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "RATE_LIMITED",
            Text(zh="请求过于频繁。", en="Too many requests."),
            Text(zh="请按 Retry-After 稍后重试。", en="Wait as long as Retry-After says."),
            {"retry_after_s": retry_after_s},
        )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class TokenBuckets:
    """Buckets by key, bounded in number."""

    rate: Rate
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> None:
        """Take a token; raise `TooManyRequests` when there is none."""
        with self._lock:
            now = self.now()
            bucket = self._buckets.setdefault(key, _Bucket(self.rate.burst, now))
            self._buckets.move_to_end(key)
            if len(self._buckets) > BUCKETS_MAX:
                self._buckets.popitem(last=False)
            refilled = bucket.tokens + (now - bucket.at) * self.rate.per_second
            bucket.tokens, bucket.at = min(self.rate.burst, refilled), now
            if bucket.tokens < 1:
                raise TooManyRequests(retry_after_s=int((1 - bucket.tokens) / self.rate.per_second) + 1)
            bucket.tokens -= 1


def take_token_of_caller(request: Any, caller: str) -> None:
    """Count a request of a known caller against its route."""
    buckets: TokenBuckets | None = getattr(request.app.state, "caller_buckets", None)
    if buckets is not None:
        route = request.scope.get("route")
        buckets.take(f"{caller} {request.method} {getattr(route, 'path', '')}")
