"""Calls to another organisation's HTTP service, with a limit on everything.

Timeouts on each phase, few retries with growing pauses (only where nothing was decided yet: connection
failures, time-outs, 429, 502, 503 and 504), a circuit breaker that stops asking a service that is down
(pybreaker), mutual TLS and a bearer token. The process environment (proxies) is not consulted: where a
request goes is stated by the operator, here.
"""

import ssl
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pybreaker
import tenacity

from shiming.vocabulary.errors import BadInput, Text, Unavailable

RETRIED_STATUS = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class HttpService:
    """Where a service is, how we show who we are, and how long we wait for it."""

    base_url: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None  # None: the key is in the certificate's file
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 10.0
    total_s_max: float = 20.0  # for one answer, however slowly it trickles
    attempts_max: int = 3
    pause_s: float = 0.2
    pause_s_max: float = 2.0
    breaker_failures_max: int = 5
    breaker_reset_s: float = 30.0
    response_bytes_max: int = 64_000


class ResilientClient:
    """One service, spoken to patiently but not for ever. Safe to share between threads."""

    def __init__(self, service: HttpService, *, sleep: Callable[[float], None] | None = None) -> None:
        self._service = service
        self._client = httpx.Client(
            base_url=service.base_url,
            verify=_tls_context(service),
            headers={"Authorization": f"Bearer {service.token}"} if service.token else {},
            timeout=httpx.Timeout(service.read_timeout_s, connect=service.connect_timeout_s),
            follow_redirects=False,
            trust_env=False,
        )
        weakref.finalize(self, self._client.close)  # whoever forgets us leaves no connection open
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=service.breaker_failures_max, reset_timeout=service.breaker_reset_s
        )
        self._sleep = sleep or tenacity.nap.sleep

    def post_json(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> httpx.Response:
        """Send `body`; return any answer that the service stands by, raise `Unavailable` otherwise."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            stop=tenacity.stop_after_attempt(self._service.attempts_max),
            wait=tenacity.wait_exponential_jitter(
                multiplier=self._service.pause_s,
                max=self._service.pause_s_max,
                jitter=self._service.pause_s,
            ),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer: httpx.Response = retrying(self._breaker.call, self._post_once, path, query, body)
        except pybreaker.CircuitBreakerError as error:
            raise _unavailable("CIRCUIT_OPEN", "is not asked for a while after repeated failures") from error
        except _TryAgain as error:
            raise _unavailable(error.reason, "did not answer") from error
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _post_once(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> httpx.Response:
        try:
            with self._client.stream("POST", path, params=dict(query), json=dict(body)) as response:
                content, deadline = bytearray(), time.monotonic() + self._service.total_s_max
                for part in response.iter_bytes():
                    content += part
                    if len(content) > self._service.response_bytes_max:
                        raise _TryAgain("ANSWER_TOO_LARGE")
                    if time.monotonic() > deadline:
                        raise _TryAgain("TIMEOUT")
        except httpx.TimeoutException as error:
            raise _TryAgain("TIMEOUT") from error
        except httpx.HTTPError as error:
            raise _TryAgain("CONNECTION") from error
        if response.status_code in RETRIED_STATUS:
            raise _TryAgain(f"STATUS_{response.status_code}")
        return httpx.Response(response.status_code, headers=_plain_headers(response), content=bytes(content))


class _TryAgain(Exception):
    """The service gave no answer that counts; asking again may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _plain_headers(response: httpx.Response) -> dict[str, str]:
    return {"content-type": response.headers.get("content-type", "")}


def _tls_context(service: HttpService) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(service.ca_file) if service.ca_file else None)
        if service.client_certificate:
            context.load_cert_chain(service.client_certificate, service.client_key)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(
            "TLS_FILES_INVALID",
            Text(
                zh="无法读取 CA 或客户端证书文件。",
                en="The CA file or the client certificate cannot be read.",
            ),
            advice=Text(zh="请提供 PEM 格式文件。", en="Give PEM files."),
        ) from error
    return context


def _unavailable(reason: str, what: str) -> Unavailable:
    return Unavailable(
        "SERVICE_UNREACHABLE",
        Text(zh="外部服务暂时无法访问。", en=f"The other service {what}."),
        advice=Text(zh="请稍后再试。", en="Try again later."),
        details={"reason": reason},
    )
