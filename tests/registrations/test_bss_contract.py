"""What every BSS behind the port does: the one in memory, and the connector with the sandbox process."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shiming.registrations.connectors.bss import FAILURES_MAX
from shiming.registrations.model.provisioning import OrderAction, OrderState
from shiming.registrations.ports.bss import (
    BssEndpoint,
    BssPort,
    OrderRefused,
    OrderTaken,
    OrderWanted,
    SupportingResource,
)
from shiming.registrations.sandbox_bss.faults import Faults
from shiming.registrations.sandbox_bss.in_memory import FakeBss
from shiming.vocabulary.errors import Unavailable
from tests.registrations.bss_processes import TOKEN, a_connector, a_sandbox, until

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Peer:
    """A BSS as the port sees it, and how to make it work and refuse."""

    port: BssPort
    endpoint: BssEndpoint
    work: Callable[[], None]
    faults: Callable[[str], None]


@pytest.fixture(scope="module", params=["memory", "process"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    if request.param == "memory":
        fake = FakeBss()

        def suffer(text: str) -> None:
            fake.faults = Faults.parse(text, seed=0)

        yield Peer(fake, BssEndpoint("cn-mobile", "https://unused", TOKEN), fake.work, suffer)
        return
    with a_sandbox(tmp_path_factory.mktemp("bss"), "--step-s", "0") as sandbox:
        yield Peer(
            a_connector(),
            sandbox.endpoint,
            lambda: None,
            sandbox.set_faults,
        )


_NUMBERS = iter(range(1, 1_000_000))


def an_order(
    action: OrderAction = OrderAction.ADD, *, status: str = "active", service: str = ""
) -> OrderWanted:
    number = next(_NUMBERS)
    return OrderWanted(
        external_id=f"PRV-{number}",
        action=action,
        service_id=service or f"REG-{number}",
        service_type="mobile",
        status=status,
        profile={"sms": False, "apns": ["iot.example"]},
        resources=(
            SupportingResource("MSISDN", f"+86138{number:08d}"),
            SupportingResource("ICCID", "898600" + str(number)),
        ),
        holder="p1.someone",
    )


def placed(peer: Peer, wanted: OrderWanted) -> OrderTaken:
    taken = peer.port.place_order(peer.endpoint, wanted)
    assert isinstance(taken, OrderTaken)
    return taken


def done(peer: Peer, wanted: OrderWanted) -> None:
    taken = placed(peer, wanted)
    deadline = time.monotonic() + PATIENCE_S
    peer.work()
    while True:
        found = peer.port.find_order(peer.endpoint, taken.bss_order)
        assert found is not None
        if found.state is OrderState.COMPLETED:
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_order_is_taken_once_under_its_reference(peer: Peer) -> None:
    wanted = an_order()
    assert peer.port.find_by_external_id(peer.endpoint, wanted.external_id) is None
    first, again = placed(peer, wanted), placed(peer, wanted)
    found = peer.port.find_by_external_id(peer.endpoint, wanted.external_id)
    assert found is not None
    assert first.bss_order == again.bss_order == found.bss_order
    assert found.external_id == wanted.external_id
    assert peer.port.find_order(peer.endpoint, "SO-none") is None


def test_what_is_ordered_is_in_the_inventory(peer: Peer) -> None:
    wanted = an_order()
    done(peer, wanted)
    service = peer.port.find_service(peer.endpoint, wanted.service_id)
    assert service is not None
    assert service.status == "active"
    assert service.content == wanted.profile
    assert service.resources == {(each.kind, each.value) for each in wanted.resources}
    assert peer.port.find_service(peer.endpoint, "REG-none") is None


@pytest.mark.parametrize("status", ["active", "one_way_stopped", "two_way_stopped"])
def test_how_far_a_line_is_stopped_comes_back_as_it_was_ordered(peer: Peer, status: str) -> None:
    wanted = an_order()
    done(peer, wanted)
    done(peer, an_order(OrderAction.SUSPEND, status=status, service=wanted.service_id))
    service = peer.port.find_service(peer.endpoint, wanted.service_id)
    assert service is not None
    assert service.status == status


def test_a_deleted_service_is_terminated(peer: Peer) -> None:
    wanted = an_order()
    done(peer, wanted)
    done(peer, an_order(OrderAction.DELETE, status="terminated", service=wanted.service_id))
    service = peer.port.find_service(peer.endpoint, wanted.service_id)
    assert service is not None
    assert service.status == "terminated"


def test_the_inventory_comes_in_pages_with_its_total(peer: Peer) -> None:
    for _ in range(3):
        done(peer, an_order())
    whole = peer.port.list_services(peer.endpoint, offset=0, limit=1000)
    assert whole.total == whole.raw_count == len(whole.services) >= 3
    pages = [peer.port.list_services(peer.endpoint, offset=n, limit=2) for n in range(0, whole.raw_count, 2)]
    assert [service for page in pages for service in page.services] == list(whole.services)
    assert peer.port.list_services(peer.endpoint, offset=10_000, limit=2).raw_count == 0


def test_a_no_is_a_value_with_the_code_of_the_bss(peer: Peer) -> None:
    peer.faults("refuse=1")
    try:
        said = peer.port.place_order(peer.endpoint, an_order())
    finally:
        peer.faults("")
    assert said == OrderRefused("SERVICE_NOT_POSSIBLE")


# -- the connector alone -------------------------------------------------------------------------


@pytest.fixture
def rude() -> Iterator[tuple[BssEndpoint, list[tuple[int, bytes]]]]:
    """A server that answers what it is told; the last answer for ever."""
    answers: list[tuple[int, bytes]] = [(500, b"")]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[0] if len(answers) == 1 else answers.pop(0)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield BssEndpoint("cn-mobile", f"http://127.0.0.1:{server.server_port}", TOKEN), answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"", "STATUS_500"),
        (503, b"", "STATUS_503"),
        (401, b"", "STATUS_401"),
        (302, b"", "STATUS_302"),
        (201, b"{", "ANSWER_NOT_UNDERSTOOD"),
        (201, b"[]", "ANSWER_NOT_UNDERSTOOD"),
        (201, b'{"id": "1", "state": "dancing"}', "ANSWER_NOT_UNDERSTOOD"),
        (201, b'{"id": "", "state": "completed"}', "ANSWER_NOT_UNDERSTOOD"),
        (404, b"{}", "STATUS_404"),  # a wrong address is no answer about the order
        (405, b"{}", "STATUS_405"),
    ],
)
def test_an_answer_that_counts_for_nothing_may_be_asked_again(
    rude: tuple[BssEndpoint, list[tuple[int, bytes]]], status: int, body: bytes, reason: str
) -> None:
    endpoint, answers = rude
    answers[:] = [(status, body)]
    with pytest.raises(Unavailable) as caught:
        a_connector().place_order(endpoint, an_order())
    assert caught.value.details["reason"] == reason
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b'{"code": "60"}', "60"),
        (422, b"no json", "STATUS_422"),
        (422, '{"code": "张三 is unknown"}'.encode(), "STATUS_422"),
    ],
)
def test_a_no_keeps_its_code_and_never_its_free_text(
    rude: tuple[BssEndpoint, list[tuple[int, bytes]]], status: int, body: bytes, reason: str
) -> None:
    endpoint, answers = rude
    answers[:] = [(status, body)]
    assert a_connector().place_order(endpoint, an_order()) == OrderRefused(reason)


def test_a_conflict_means_that_the_order_is_there(rude: tuple[BssEndpoint, list[tuple[int, bytes]]]) -> None:
    endpoint, answers = rude
    wanted = an_order()
    listed = f'[{{"id": "SO1", "state": "acknowledged", "externalId": "{wanted.external_id}"}}]'
    answers[:] = [(409, b"{}"), (200, listed.encode())]
    taken = a_connector().place_order(endpoint, wanted)
    assert isinstance(taken, OrderTaken)
    assert taken.bss_order == "SO1"
    answers[:] = [(409, b'{"code": "DUPLICATE"}'), (200, b"[]")]
    assert a_connector().place_order(endpoint, wanted) == OrderRefused("DUPLICATE")


def test_a_bss_that_is_down_rests_and_is_asked_again_later(
    rude: tuple[BssEndpoint, list[tuple[int, bytes]]],
) -> None:
    endpoint, answers = rude
    connector = a_connector(rest_s=0.3)
    for _ in range(FAILURES_MAX):
        with pytest.raises(Unavailable, match="BSS_UNAVAILABLE"):
            connector.find_order(endpoint, "SO1")
    with pytest.raises(Unavailable) as caught:
        connector.find_order(endpoint, "SO1")
    assert caught.value.details["reason"] == "CIRCUIT_OPEN"
    answers[:] = [(200, b'{"id": "SO1", "state": "completed"}')]

    def answers_again() -> bool:
        try:
            return connector.find_order(endpoint, "SO1") is not None
        except Unavailable:
            return False

    until(answers_again, "the end of the rest")


def test_what_does_not_answer_or_may_not_be_asked_is_unavailable() -> None:
    connector = a_connector(read_timeout_s=0.2)
    closed = BssEndpoint("cn-mobile", "http://127.0.0.1:1", TOKEN)
    inside = replace(closed, url="https://10.0.0.1")
    nowhere = replace(closed, url="https://bss.invalid")
    reasons = []
    for endpoint in (closed, inside, nowhere):
        with pytest.raises(Unavailable) as caught:
            connector.list_services(endpoint, offset=0, limit=1)
        reasons.append(caught.value.details["reason"])
    assert reasons == ["CONNECTION", "DESTINATION_REFUSED", "NAME_UNRESOLVED"]


@pytest.mark.parametrize(
    ("body", "unreadable", "status"),
    [
        (b"[]", 0, None),
        (b'[{"id": "a"}, 7, {"id": "b", "state": "inactive"}]', 2, "two_way_stopped"),
        (b'[{"id": "b", "state": "active", "serviceCharacteristic": 3}]', 0, "active"),
        (
            b'[{"id": "b", "state": "active", "serviceCharacteristic": [{"name": "status", "value": "x"}]}]',
            0,
            "active",
        ),
        (b'[{"id": "b", "state": "terminated"}]', 0, "terminated"),
        (b'[{"id": "b", "state": "reserved"}]', 0, "tmf:reserved"),
    ],
)
def test_an_inventory_with_gaps_is_read_as_far_as_it_goes(
    rude: tuple[BssEndpoint, list[tuple[int, bytes]]], body: bytes, unreadable: int, status: str | None
) -> None:
    endpoint, answers = rude
    answers[:] = [(200, body)]
    page = a_connector().list_services(endpoint, offset=0, limit=10)
    assert (page.unreadable, page.total) == (unreadable, None)
    assert [service.status for service in page.services] == ([] if status is None else [status])


def test_an_inventory_that_is_none_is_unavailable(rude: tuple[BssEndpoint, list[tuple[int, bytes]]]) -> None:
    endpoint, answers = rude
    for answer in ((200, b"{}"), (404, b"{}")):
        answers[:] = [answer]
        with pytest.raises(Unavailable):
            a_connector().list_services(endpoint, offset=0, limit=10)


def test_the_sandbox_says_loudly_what_it_is(tmp_path: Path) -> None:
    with a_sandbox(tmp_path) as sandbox:
        assert any("SANDBOX BSS: no network does what it says" in line for line in sandbox.said)
        health = sandbox.ask("GET", "/health").json()
    assert health["sandbox"] is True
