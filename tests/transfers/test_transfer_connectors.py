"""Billing and the donor: every adapter is held to the same contract; the real ones over real HTTP."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shiming.infrastructure.http_client import HttpService, ResilientClient
from shiming.transfers.connectors.fake import SETTLED, FakeBilling, FakeDonor
from shiming.transfers.connectors.over_http import HttpBilling, HttpDonor
from shiming.transfers.connectors.unconfigured import NoBilling, NoDonor
from shiming.transfers.model.account_standing import (
    UNKNOWN_STANDING,
    Arrears,
    LockIn,
    StandingSource,
)
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict, PortQuestion
from shiming.transfers.ports.arrears import ArrearsPort, StandingQuestion
from shiming.transfers.ports.donor import DonorPort
from tests.registrations.builders import a_number

QUESTION = StandingQuestion("cn-mobile", "REG-1", a_number(1))
PORT = PortQuestion("cn-unicom", "cn-mobile", a_number(1), "CODE-1")


@dataclass
class Peer:
    """An HTTP peer that answers what it is told."""

    url: str = ""
    status: int = 200
    body: Any = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def peer() -> Iterator[Peer]:
    told = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            told.asked.append((self.path, json.loads(self.rfile.read(length))))
            text = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join(5)


def client(url: str) -> ResilientClient:
    return ResilientClient(HttpService(url, attempts_max=1), sleep=lambda _s: None)


@pytest.mark.parametrize("build", [NoBilling, FakeBilling], ids=["none", "fake"])
def test_billing_that_knows_nothing_says_unknown(build: Callable[[], ArrearsPort]) -> None:
    assert build().ask(QUESTION) == UNKNOWN_STANDING


def test_billing_over_http_is_asked_for_the_line(peer: Peer) -> None:
    billing = HttpBilling(client(peer.url))
    peer.body = {"arrears": "settled", "lock_in": "bound", "reference": "BILL-1", "more": 1}
    answer = billing.ask(QUESTION)
    assert (answer.arrears, answer.lock_in, answer.source, answer.reference) == (
        Arrears.SETTLED,
        LockIn.BOUND,
        StandingSource.BILLING,
        "BILL-1",
    )
    path, asked = peer.asked[0]
    assert (path, asked["line"], asked["operator"]) == ("/account-standing", "REG-1", "cn-mobile")
    billing.close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (404, {"arrears": "settled", "reference": "B"}),
        (200, {"arrears": "perhaps", "reference": "B"}),
        (200, {"arrears": "settled"}),
        (200, b"{"),
        (503, {}),
    ],
)
def test_what_is_no_answer_is_unknown(peer: Peer, status: int, body: Any) -> None:
    peer.status, peer.body = status, body
    billing, donor = HttpBilling(client(peer.url)), HttpDonor(client(peer.url))
    assert billing.ask(QUESTION) == UNKNOWN_STANDING
    assert donor.confirm(PORT).verdict is DonorVerdict.UNKNOWN
    billing.close()
    donor.close()


def test_who_cannot_be_reached_is_unknown() -> None:
    billing, donor = HttpBilling(client("http://127.0.0.1:9")), HttpDonor(client("http://127.0.0.1:9"))
    assert billing.ask(QUESTION) == UNKNOWN_STANDING
    assert donor.confirm(PORT).verdict is DonorVerdict.UNKNOWN
    billing.close()
    donor.close()


def test_a_donor_over_http_confirms_until_an_instant(peer: Peer) -> None:
    donor = HttpDonor(client(peer.url))
    peer.body = {"verdict": "confirmed", "reference": "DON-1", "expires_at": "2026-11-22T10:00:00+08:00"}
    answer = donor.confirm(PORT)
    assert (answer.verdict, answer.reference) == (DonorVerdict.CONFIRMED, "DON-1")
    assert answer.expires_at is not None
    assert answer.expires_at.utcoffset() is not None
    assert peer.asked[0][1]["authorisation"] == "CODE-1"
    peer.body = {"verdict": "confirmed", "reference": "DON-1", "expires_at": "2026-11-22T10:00:00"}
    assert donor.confirm(PORT).verdict is DonorVerdict.UNKNOWN  # a time without a zone is no time
    donor.close()


@pytest.mark.parametrize("build", [NoDonor, FakeDonor], ids=["none", "fake"])
def test_a_donor_that_knows_nothing_confirms_nothing(build: Callable[[], DonorPort]) -> None:
    assert build().confirm(PORT).verdict is not DonorVerdict.CONFIRMED


def test_fakes_answer_as_told_and_announce_themselves(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        billing = FakeBilling({"REG-1": SETTLED})
        donor = FakeDonor({"CODE-1": DonorAnswer(DonorVerdict.CONFIRMED, "DON-1")})
    assert billing.ask(QUESTION) == SETTLED
    assert donor.confirm(PORT).verdict is DonorVerdict.CONFIRMED
    assert sum("IN USE" in message for message in caplog.messages) == 2


def test_questions_show_neither_number_nor_code() -> None:
    assert a_number(1).reveal("compared") not in repr(QUESTION) + repr(PORT)
    assert "CODE-1" not in repr(PORT)
