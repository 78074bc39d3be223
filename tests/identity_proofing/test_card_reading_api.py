"""From the card on the plate to the decision: reader at a pseudo-terminal, bridge, server, page."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Engine

from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device, readers_of, revoke_device
from shiming.entrypoints.http_api import create_app
from shiming.identity_proofing.connectors.sdt_reader.bridge import Bridge, NoDecoder, block_hash
from shiming.identity_proofing.connectors.sdt_reader.lines import SerialLine
from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey, HttpOffice, Server
from shiming.identity_proofing.connectors.sdt_reader.reader import RawCard, SdtReader
from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.identity_proofing.ports import PortraitDecoder
from shiming.identity_proofing.reader_commands import _serve
from shiming.identity_proofing.sandbox_reader.cards import card_of
from shiming.identity_proofing.sandbox_reader.device import ReaderFaultMade, SandboxReader
from shiming.identity_proofing.sandbox_reader.server import at_terminal
from shiming.infrastructure.database import open_database
from shiming.infrastructure.device_proofs import HEADER
from shiming.vocabulary.errors import BadInput, Text
from tests.accounts.account_builders import BY, a_desk
from tests.databases import a_database
from tests.identity_proofing.proofing_desk import NAME, NUMBER, PICTURE, Desk, a_front
from tests.identity_proofing.proofing_over_http import BACK, CLIP, FRONT, HttpDesk, draw, open_session
from tests.infrastructure.http_peers import OTHER, client, serving

SESSIONS = "/v1/proofing-sessions"
CARD = {"number": NUMBER, "name": NAME, "portrait": "p.jpg"}
OPERATOR = "cn-one"


class Portraits:
    """Decodes the portraits of invented cards, without their files."""

    name = "sandbox"

    def decode(self, photo: bytes) -> bytes | None:
        return b"jpeg" if photo else None


@dataclass
class Counter:
    """A served installation with one enrolled reader, and a clerk."""

    platform: HttpDesk
    http: httpx.Client
    address: str
    key: DeviceKey
    device: CaptureDevice
    server: Server

    def read_card(self, session: str, *faults: str, **changes: Any) -> bool:
        """Let the bridge read the card of the specimen person for a session."""
        with ExitStack() as stack:
            bridge = self.bridge(stack, *faults, **changes)
            return bridge.read_for(HttpOffice(self.server, session))

    def bridge(
        self, stack: ExitStack, *faults: str, decoder: PortraitDecoder | None = None, card: Any = CARD
    ) -> Bridge:
        pretended = SandboxReader((card_of(card),), frozenset(map(ReaderFaultMade, faults)))
        line = SerialLine.open(stack.enter_context(at_terminal(pretended)))
        stack.callback(line.close)
        reader = SdtReader(line, answer_s=1.0)
        return Bridge(
            reader, lambda: reader, decoder or NoDecoder(), source="sandbox", pause=lambda _seconds: None
        )

    def put_document(self, session: str) -> dict[str, Any]:
        files = {"front": ("a.jpg", FRONT, "image/jpeg"), "back": ("b.jpg", BACK, "image/jpeg")}
        return done(self.http.put(f"{SESSIONS}/{session}/document", files=files))

    def put_clip(self, session: str) -> None:
        challenge = draw(self.platform, self.http, session)
        files = {"clip": ("c.mp4", CLIP, "video/mp4")}
        data = {"challenge": json.dumps(challenge)}
        done(self.http.put(f"{SESSIONS}/{session}/clip", files=files, data=data))

    def decide(self, session: str) -> dict[str, Any]:
        return done(self.http.post(f"{SESSIONS}/{session}/decision"))


def done(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def counter(tmp_path: Path, database: Engine) -> Iterator[Counter]:
    yield from a_counter(tmp_path, database)


@pytest.fixture
def sqlite_counter(tmp_path: Path) -> Iterator[Counter]:
    """The same over SQLite alone, for what does not depend on the engine."""
    with a_database("sqlite", tmp_path / "database") as url:
        engine = open_database(url)
        yield from a_counter(tmp_path, engine)
        engine.dispose()


def a_counter(folder: Path, engine: Engine) -> Iterator[Counter]:
    desk = Desk.open(folder, engine)
    desk.clock.at = datetime.now(UTC).replace(microsecond=0)  # the reader's clock is the machine's
    platform = HttpDesk(desk, folder)
    plain = platform.proofing_tools
    reads = replace(plain(), read_picture=lambda _picture: PICTURE)
    platform.proofing_tools = lambda authority=None: replace(  # type: ignore[method-assign]  # a test's own
        plain(authority), read_picture=reads.read_picture
    )
    platform.settings = SimpleNamespace(sandbox=True)  # type: ignore[attr-defined]
    tools = replace(a_desk(engine).tools, clock=desk.clock)
    platform.accounts = tools  # type: ignore[attr-defined]
    key = DeviceKey.make(folder / "reader.key")
    with desk.begin() as connection:
        wanted = NewDevice("counter-3", DeviceKind.READER, "outlet", key.public, OPERATOR)
        device = enrol_device(tools, connection, wanted, by=BY)
    routers = ("shiming.identity_proofing.api", "shiming.identity_proofing.api_card_reading")
    app = create_app(platform, routers=routers)
    with serving(app) as address, client(address) as http:
        server = Server.at(address, key)
        yield Counter(platform, http, address, key, device, server)
        server.http.close()


def test_a_card_that_was_read_and_photographed_is_verified_without_a_decoder(counter: Counter) -> None:
    session = open_session(counter.http)
    assert counter.read_card(session, "noise", "removed")
    shown = done(counter.http.get(f"{SESSIONS}/{session}/card-reading"))
    assert (shown["name"], shown["number"], shown["portrait"]) == ("**明", "11**************2X", False)
    counter.platform.desk.sees["front.jpg"] = a_front(
        fields={"name": "壬小朋", "number": NUMBER, "address": "北京", "sex": "female"}
    )  # a misread name in the picture refuses nobody: the chip is right
    given = counter.put_document(session)
    assert given["given"] == ["card_reading", "document", "document_back"]
    counter.put_clip(session)
    decided = counter.decide(session)
    assert decided["outcome"] == "Verified", decided
    (kept,) = counter.platform.desk.kept
    assert (kept["identity"].name, kept["identity"].number) == (NAME, NUMBER)
    receipt = done(counter.http.get(f"{SESSIONS}/{session}/receipt"))
    reading = receipt["evidence"]["card_reading"]
    assert (reading["device"], reading["decoder"]) == (counter.device.reference, "unavailable")
    assert not {NAME, NUMBER} & set(json.dumps(receipt, ensure_ascii=False).split('"'))


def test_the_portrait_of_the_chip_goes_before_that_of_the_picture(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    counter.platform.desk.sees["front.jpg"] = a_front(portrait=None)
    counter.put_document(session)  # the picture first
    assert counter.read_card(session, decoder=Portraits())
    assert done(counter.http.get(f"{SESSIONS}/{session}/card-reading"))["portrait"]
    counter.put_clip(session)
    assert counter.decide(session)["outcome"] == "Verified"


def test_without_any_portrait_people_look(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    assert counter.read_card(session)
    counter.platform.desk.sees["front.jpg"] = a_front(portrait=None)
    counter.put_document(session)
    counter.put_clip(session)
    decided = counter.decide(session)
    assert decided["outcome"] != "Verified"
    assert {"PORTRAIT_NOT_FOUND"} <= {reason["code"] for reason in decided["reasons"]}


def test_a_picture_of_another_card_is_asked_for_again(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    other = {"name": "李明", "number": "440308199901101512", "address": "深圳", "sex": "male"}
    counter.platform.desk.sees["front.jpg"] = a_front(fields=other)
    counter.put_document(session)
    assert counter.read_card(session)  # the picture came first, and is compared all the same
    counter.put_clip(session)
    decided = counter.decide(session)
    assert (decided["outcome"], decided["what"]) == ("Retry", "document")
    assert [reason["code"] for reason in decided["reasons"]] == ["CARD_AND_PHOTO_DIFFER"]


def test_the_same_card_again_changes_nothing_and_another_one_is_an_attempt(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    for _ in range(3):
        assert counter.read_card(session)
    other = {"number": "440308199901101512", "name": "李明"}
    assert counter.read_card(session, card=other)
    shown = done(counter.http.get(f"{SESSIONS}/{session}"))
    assert shown["attempts"]["card_reading"]["given"] == 2
    assert done(counter.http.get(f"{SESSIONS}/{session}/card-reading"))["name"] == "*明"


def reading_of(counter: Counter, session: str, **changes: Any) -> dict[str, Any]:
    card = card_of(CARD)
    with ExitStack() as stack:
        found = counter.bridge(stack).reading_of(RawCard(card.text, card.photo), session)
    return {**found, **changes}


def refusal(counter: Counter, session: str, reading: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as refused:
        HttpOffice(counter.server, session).hand_in(reading)
    return refused.value.code


def test_what_cannot_count_is_refused_by_name(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    fresh = reading_of(counter, session)
    assert not any("ethnic" in name for name in fresh["card"])
    altered: dict[str, dict[str, Any]] = {
        "CARD_READING_STALE": {"read_at": "2020-01-01T00:00:00+00:00"},
        "CARD_NUMBER_INVALID": {"card": {**fresh["card"], "number": NUMBER[:-1] + "1"}},
        "REQUEST_INVALID": {"card": {**fresh["card"], "ethnicity": "01"}},
    }
    for code, changes in altered.items():
        assert refusal(counter, session, {**fresh, **changes}) == code
    counter.platform.settings.sandbox = False  # type: ignore[attr-defined]
    assert refusal(counter, session, fresh) == "SANDBOX_READING_REFUSED"
    assert refusal(counter, session, {**fresh, "source": "reader", "decoder": "sandbox"}) == (
        "SANDBOX_READING_REFUSED"
    )
    foreign = open_session_of_other(counter)
    assert refusal(counter, foreign, fresh) == "DEVICE_OTHER_OPERATOR"


def open_session_of_other(counter: Counter) -> str:
    with client(counter.address, OTHER) as http:
        return open_session(http)


def test_only_an_enrolled_device_hands_in(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    unsigned = counter.http.post(f"{SESSIONS}/{session}/card-reading", json=posted(counter, session))
    assert done(unsigned, 401)["code"] == "DEVICE_PROOF_MISSING"
    path = f"{SESSIONS}/{session}/card-reading"
    headers = {HEADER: counter.key.proof("POST", path, b"{}")}
    altered = counter.http.post(path, json=posted(counter, session), headers=headers)
    assert done(altered, 401)["code"] == "DEVICE_PROOF_OTHER_REQUEST"
    with counter.platform.begin() as connection:
        revoke_device(counter.platform.accounts, connection, counter.device, by=BY)  # type: ignore[attr-defined]
        assert readers_of(connection, OPERATOR) == []
    assert not counter.read_card(session)  # the bridge stops: there is nothing more to read for it


def posted(counter: Counter, session: str) -> dict[str, Any]:
    found = reading_of(counter, session)
    portrait = found["portrait_jpeg"]
    return {**found, "portrait_jpeg": base64.b64encode(portrait).decode() if portrait else None}


def test_the_page_follows_the_reader_whatever_process_it_talks_to(counter: Counter) -> None:
    session = open_session(counter.http)
    wanted = {"device": counter.device.reference}
    assert counter.server.session_wanting() is None
    assert counter.http.put(f"{SESSIONS}/{session}/reader", json=wanted).status_code == 204
    states: list[str] = []
    with counter.http.stream("GET", f"{SESSIONS}/{session}/reader-events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert events.headers["cache-control"] == "no-store"
        lines = events.iter_lines()
        states.append(next_state(lines)["state"])
        going_on = iter([True, True])
        with ExitStack() as stack:
            _serve(counter.server, counter.bridge(stack), lambda: next(going_on, False))
        while states[-1] != "waiting_for_card":
            states.append(next_state(lines)["state"])
    assert states == ["wanted", "waiting_for_card"]
    assert counter.server.session_wanting() is None  # it was taken up


def next_state(lines: Iterator[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("data:"))[5:])
    return found


def test_a_fault_is_told_in_the_language_of_the_page(sqlite_counter: Counter) -> None:
    counter = sqlite_counter
    session = open_session(counter.http)
    left = iter([True] * 6)
    with ExitStack() as stack:
        bridge = counter.bridge(stack, "two_cards")
        assert not bridge.read_for(HttpOffice(counter.server, session), lambda: next(left, False))
    headers = {"accept-language": "zh"}
    with counter.http.stream("GET", f"{SESSIONS}/{session}/reader-events", headers=headers) as events:
        told = next_state(events.iter_lines())
    assert (told["state"], told["code"], told["advice"]) == ("fault", "CARD_NOT_SELECTED", "请只放一张卡。")


def test_a_reading_that_the_network_lost_is_handed_in_again(sqlite_counter: Counter) -> None:
    class Office:
        session = "SES-1"
        handed_in = 0

        def tell(self, state: ReaderState, code: str = "") -> None:
            raise BadInput(code or state.value, Text(zh="无", en="none"))

        def hand_in(self, reading: dict[str, Any]) -> None:
            self.handed_in += 1
            if self.handed_in == 1:
                nobody = replace(sqlite_counter.server, address="http://127.0.0.1:9")
                nobody.send("POST", "/", reading["card"])

    office = Office()
    with ExitStack() as stack:
        assert sqlite_counter.bridge(stack).read_for(office)
    assert office.handed_in == 2


def test_the_hash_of_a_reading_is_of_this_session_and_without_the_ethnicity() -> None:
    card = card_of(CARD)
    other = bytearray(card.text)
    other[32:36] = b"5\x006\x00"
    same, different = RawCard(bytes(other), card.photo), RawCard(card.text, bytes(1024))
    known = block_hash("SES-1", RawCard(card.text, card.photo))
    assert block_hash("SES-1", same) == known
    assert len({known, block_hash("SES-2", same), block_hash("SES-1", different)}) == 3
