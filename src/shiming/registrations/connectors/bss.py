"""Speak to an operator's BSS: TMF641 Service Ordering v4 and TMF638 Service Inventory v4 over HTTPS.

Our states and actions become theirs: a suspension is a `modify` of a service whose characteristic `status`
says how far it is stopped, because version 4 has no state for it (two-way stopped is `inactive`). The number
leaves only as a supporting resource, to the operator's own BSS. The connection goes to the address that the
rules of destinations checked. Nothing that was sent or answered is logged.
"""

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from shiming.infrastructure.webhooks.destinations import DestinationRefused, Destinations
from shiming.registrations.connectors.tmf import (
    ORDERS,
    SERVICES,
    read_order,
    read_refusal,
    read_service,
    read_services,
    service_order_json,
)
from shiming.registrations.ports.bss import (
    BssEndpoint,
    InventoryPage,
    NetworkService,
    OrderRefused,
    OrderTaken,
    OrderWanted,
)
from shiming.vocabulary.errors import Text, Unavailable

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 10.0
TOTAL_S_MAX = 30.0  # for one answer, however slowly it trickles: a page of the inventory is large
RESPONSE_BYTES_MAX = 16_000_000  # a page of a thousand services with their characteristics
FAILURES_MAX, REST_S = 8, 15.0  # a BSS that is down is left alone for a while
CIRCUIT_OPEN = "CIRCUIT_OPEN"
_NO_RIGHT = frozenset({401, 403, 407, 408, 425, 429})  # says nothing about the order itself
_WRONG_ADDRESS = frozenset({404, 405, 410, 415})  # of the orders: whoever named the BSS mends it
_NOT_FOUND, _CONFLICT, _ERRORS_FROM, _FAULTS_FROM = 404, 409, 400, 500


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: bytes = field(repr=False)
    total: str | None = None

    def json(self) -> Any:
        try:
            return json.loads(self.content)
        except ValueError as problem:
            raise bss_unavailable("ANSWER_NOT_UNDERSTOOD") from problem


class TmfBss:
    """The connector. Safe to share between threads."""

    def __init__(
        self,
        destinations: Destinations,
        *,
        tls: ssl.SSLContext | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
        rest_s: float = REST_S,
    ) -> None:
        self._destinations = destinations
        self._tls = tls or ssl.create_default_context()
        self._timeout = httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S)
        self._rests = _Rests(rest_s)

    def place_order(self, bss: BssEndpoint, wanted: OrderWanted) -> OrderTaken | OrderRefused:
        """Send an order; the same `external_id` again is the same order."""
        answer = self._ask(bss, "POST", ORDERS, body=service_order_json(wanted))
        if answer.status == _CONFLICT:  # it has one under this reference
            taken = self.find_by_external_id(bss, wanted.external_id)
            return taken or OrderRefused(read_refusal(answer.status, answer.content))
        if answer.status in _WRONG_ADDRESS:
            raise bss_unavailable(f"STATUS_{answer.status}")
        if answer.status >= _ERRORS_FROM:
            return OrderRefused(read_refusal(answer.status, answer.content))
        return read_order(answer.json())

    def find_by_external_id(self, bss: BssEndpoint, external_id: str) -> OrderTaken | None:
        """Return the order that the BSS took under our reference, if it did."""
        answer = self._ask(bss, "GET", ORDERS, query={"externalId": external_id, "limit": "10"})
        if answer.status == _NOT_FOUND:
            return None
        listed = _found(answer).json()
        mine = [each for each in listed if isinstance(each, dict) and each.get("externalId") == external_id]
        return read_order(mine[0]) if mine else None

    def find_order(self, bss: BssEndpoint, bss_order: str) -> OrderTaken | None:
        """Return an order by the BSS's own reference."""
        answer = self._ask(bss, "GET", f"{ORDERS}/{quote(bss_order, safe='')}")
        return None if answer.status == _NOT_FOUND else read_order(_found(answer).json())

    def list_services(self, bss: BssEndpoint, *, offset: int, limit: int) -> InventoryPage:
        """Return a page of the inventory."""
        query = {"offset": str(offset), "limit": str(limit)}
        answer = _found(self._ask(bss, "GET", SERVICES, query=query))
        return read_services(answer.json(), answer.total)

    def find_service(self, bss: BssEndpoint, service_id: str) -> NetworkService | None:
        """Return one service of the inventory."""
        answer = self._ask(bss, "GET", f"{SERVICES}/{quote(service_id, safe='')}")
        return None if answer.status == _NOT_FOUND else read_service(_found(answer).json())

    def _ask(
        self,
        bss: BssEndpoint,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> _Answer:
        """Return an answer that the BSS stands by; raise Unavailable for anything else."""
        if self._rests.is_resting(bss):
            raise bss_unavailable(CIRCUIT_OPEN)
        try:
            answer = self._once(bss, method, path, query, body)
        except Unavailable:
            self._rests.note(bss, failed=True)
            raise
        except DestinationRefused as problem:
            raise bss_unavailable("DESTINATION_REFUSED") from problem
        self._rests.note(bss, failed=False)
        return answer

    def _once(
        self,
        bss: BssEndpoint,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> _Answer:
        try:
            to = self._destinations.settle(f"{bss.url}{path}")
            headers = {
                "host": to.host_header,
                "authorization": f"Bearer {bss.token}",
                "accept": "application/json",
                "user-agent": "shiming",
            }
            with (
                httpx.Client(
                    timeout=self._timeout, verify=self._tls, trust_env=False, follow_redirects=False
                ) as client,
                client.stream(
                    method,
                    to.url_by_address,
                    params=None if query is None else dict(query),
                    json=None if body is None else dict(body),
                    headers=headers,
                    extensions={"sni_hostname": to.host},
                ) as response,
            ):
                return _read(response)
        except httpx.TimeoutException as problem:
            raise bss_unavailable("TIMEOUT") from problem
        except httpx.HTTPError as problem:
            raise bss_unavailable("CONNECTION") from problem
        except OSError as problem:
            raise bss_unavailable("NAME_UNRESOLVED") from problem


class _Rests:
    """Which BSS are left alone for a while. A breaker of pybreaker would let one call through at a time."""

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._failures: dict[str, int] = {}
        self._until_s: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_resting(self, bss: BssEndpoint) -> bool:
        with self._lock:
            return time.monotonic() < self._until_s.get(bss.url, 0.0)

    def note(self, bss: BssEndpoint, *, failed: bool) -> None:
        with self._lock:
            failures = self._failures.get(bss.url, 0) + 1 if failed else 0
            self._failures[bss.url] = failures
            if failures >= FAILURES_MAX:
                self._until_s[bss.url] = time.monotonic() + self._rest_s


def bss_unavailable(reason: str) -> Unavailable:
    """Return the error for a BSS that gave no answer that counts."""
    return Unavailable(
        "BSS_UNAVAILABLE",
        Text(zh="运营企业的 BSS 暂时没有应答。", en="The operator's BSS gave no answer that counts."),
        Text(
            zh="会自动重试；请检查地址、令牌和网络。",
            en="It is tried again by itself; check address, token and network.",
        ),
        {"reason": reason},
    )


def _read(response: httpx.Response) -> _Answer:
    content, deadline = bytearray(), time.monotonic() + TOTAL_S_MAX
    for part in response.iter_bytes():
        content += part
        if len(content) > RESPONSE_BYTES_MAX:
            raise bss_unavailable("ANSWER_TOO_LARGE")
        if time.monotonic() > deadline:
            raise bss_unavailable("TIMEOUT")
    status = response.status_code
    redirected = response.is_redirect
    if status >= _FAULTS_FROM or status in _NO_RIGHT or redirected:
        raise bss_unavailable(f"STATUS_{status}")
    return _Answer(status, bytes(content), response.headers.get("x-total-count"))


def _found(answer: _Answer) -> _Answer:
    if answer.status >= _ERRORS_FROM:
        raise bss_unavailable(f"STATUS_{answer.status}")
    return answer
