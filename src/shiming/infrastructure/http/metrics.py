"""Figures of the HTTP server for Prometheus: counts and times by route template, without any id.

Figures are of one process; a second server process is scraped as a second target.
"""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
UNMATCHED = "(unmatched)"


@dataclass(frozen=True, slots=True)
class HttpFigures:
    """The collectors of one application."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    in_flight: Gauge = field(init=False)
    received: Counter = field(init=False)
    recognition_running: Gauge = field(init=False)
    recognition_waiting: Gauge = field(init=False)

    def __post_init__(self) -> None:
        made = {
            "requests": Counter(
                "shiming_http_requests",
                "Answers given.",
                ("method", "route", "status"),
                registry=self.registry,
            ),
            "seconds": Histogram(
                "shiming_http_request_seconds",
                "Time from the first byte of a request to the last of its answer.",
                ("method", "route"),
                buckets=_SECONDS,
                registry=self.registry,
            ),
            "in_flight": Gauge(
                "shiming_http_requests_in_flight", "Requests being answered.", registry=self.registry
            ),
            "received": Counter(
                "shiming_http_received_bytes", "Bytes of request bodies.", ("route",), registry=self.registry
            ),
            "recognition_running": Gauge(
                "shiming_recognition_running", "Pictures and clips being measured.", registry=self.registry
            ),
            "recognition_waiting": Gauge(
                "shiming_recognition_waiting",
                "Pictures and clips waiting their turn.",
                registry=self.registry,
            ),
        }
        for name, collector in made.items():
            object.__setattr__(self, name, collector)

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)
