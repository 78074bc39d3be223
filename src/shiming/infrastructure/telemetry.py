"""Traces for OpenTelemetry: optional, off unless an endpoint is named, one span a request.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) switches them on; the packages come
with `make server`. A span carries method, route template and status - no path, no query, no header, because
those may be about a person. The instrumentation that the library offers writes them all, so it is not used.
"""

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiming.vocabulary.errors import Text, Unavailable

SWITCHES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "shiming"
_SERVER_FAULTS_FROM = 500


class Traces:
    """Makes the spans of one process and sends them in the background."""

    def __init__(self, exporter: Any, *, version: str = "") -> None:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - optional package
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

        resource = Resource.create({"service.name": SERVICE, "service.version": version})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("shiming.http")

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a span around each request."""
        from opentelemetry.propagate import extract  # noqa: PLC0415 - optional package
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - as above

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            carrier = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in scope["headers"]
                if name in {b"traceparent", b"tracestate"}
            }
            method = scope["method"]
            with self._tracer.start_as_current_span(
                method, context=extract(carrier), kind=SpanKind.SERVER
            ) as span:

                async def noted(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        span.set_attribute("http.response.status_code", message["status"])
                        if message["status"] >= _SERVER_FAULTS_FROM:
                            span.set_status(StatusCode.ERROR)
                    await send(message)

                await app(scope, receive, noted)
                route = getattr(scope.get("route"), "path", "(unmatched)")
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)

        return traced

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def traces_from(environment: Mapping[str, str], *, version: str = "") -> Traces | None:
    """Return the traces that the environment asks for; None when it asks for none."""
    if not any(environment.get(name) for name in SWITCHES):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - optional
            OTLPSpanExporter,
        )

        return Traces(OTLPSpanExporter(), version=version)
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "TELEMETRY_MISSING",
            Text(zh="未安装 OpenTelemetry。", en="OpenTelemetry is not installed."),
            Text(
                zh="请运行 make server，或取消 OTEL_EXPORTER_OTLP_ENDPOINT。",
                en="Run `make server`, or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
            ),
            {"package": problem.name},
        ) from problem
