"""A reader at the other end of a pseudo-terminal, with everything that goes wrong at a counter."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shiming.identity_proofing.connectors.sdt_reader.card_text import parse_card_text
from shiming.identity_proofing.connectors.sdt_reader.lines import SerialLine
from shiming.identity_proofing.connectors.sdt_reader.reader import RawCard, ReaderFault, SdtReader
from shiming.identity_proofing.sandbox_reader.cards import card_of, read_cards
from shiming.identity_proofing.sandbox_reader.decoder import SandboxPortraits
from shiming.identity_proofing.sandbox_reader.device import EMPTY_LOOKS, ReaderFaultMade, SandboxReader
from shiming.identity_proofing.sandbox_reader.server import at_port, at_terminal
from shiming.vocabulary.errors import BadInput, Unavailable

PEOPLE = Path(__file__).parents[2] / "specimens" / "population" / "people.json"
WANG = {"number": "11010519491231002X", "name": "王小明"}
LI = {"number": "440308199901101512", "name": "李明", "valid_to": "2036-02-29"}
PATIENCE_S = 0.15


@contextmanager
def a_reader(*faults: str) -> Iterator[SdtReader]:
    cards = (card_of(WANG), card_of(LI))
    pretended = SandboxReader(cards, frozenset(map(ReaderFaultMade, faults)))
    with at_terminal(pretended) as path:
        line = SerialLine.open(path)
        yield SdtReader(line, answer_s=PATIENCE_S)
        line.close()


def next_card(reader: SdtReader) -> RawCard:
    looks = 0
    while not reader.find():
        looks += 1
        assert looks <= EMPTY_LOOKS
    return reader.read()


def name_of(card: RawCard) -> str:
    return parse_card_text(card.text).name


@pytest.mark.parametrize("faults", [(), ("noise",), ("checksum",), ("noise", "checksum")])
def test_card_after_card_is_read_whatever_the_wire_does(faults: tuple[str, ...]) -> None:
    with a_reader(*faults) as reader:
        reader.check()
        assert bytes.fromhex(reader.sam_id()) == b"SHIMING-SANDBOX0"
        assert [name_of(next_card(reader)) for _ in range(3)] == ["王小明", "李明", "王小明"]


@pytest.mark.parametrize(("fault", "code"), [("removed", "CARD_REMOVED"), ("length", "CARD_READING_LENGTH")])
def test_a_reading_that_fails_says_why_and_the_next_one_works(fault: str, code: str) -> None:
    with a_reader(fault) as reader:
        with pytest.raises(ReaderFault, match=code):
            next_card(reader)
        assert name_of(next_card(reader)) == "王小明"


def test_a_torn_answer_is_asked_again() -> None:
    with a_reader("torn") as reader:
        assert name_of(next_card(reader)) == "王小明"


def test_two_cards_and_silence_are_told_apart() -> None:
    with a_reader("two_cards") as reader, pytest.raises(ReaderFault, match="CARD_NOT_SELECTED"):
        next_card(reader)
    with a_reader("silent") as reader, pytest.raises(ReaderFault, match="READER_SILENT"):
        reader.check()


def test_a_wire_that_only_garbles_is_broken() -> None:
    class Garbling:
        def send(self, content: bytes) -> None: ...

        def receive(self, timeout_s: float) -> bytes:
            return b"\xaa\xaa\xaa\x96\x69\x00\x04\x00\x00\x90\x00" if timeout_s else b""

    with pytest.raises(ReaderFault, match="READER_GARBLED"):
        SdtReader(Garbling(), answer_s=0.01).check()


def test_a_port_that_is_not_there_or_goes_away(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="PORT_UNAVAILABLE"):
        SerialLine.open(str(tmp_path / "ttyUSB9"))
    with pytest.raises(Unavailable, match="PORT_UNAVAILABLE"):
        SerialLine.open("tcp://nowhere")
    with at_port(SandboxReader((card_of(WANG),))) as port:
        line = SerialLine.open(f"tcp://127.0.0.1:{port}")
        reader = SdtReader(line, answer_s=1.0)
        assert name_of(next_card(reader)) == "王小明"
    with pytest.raises(ReaderFault, match=r"PORT_LOST|READER_SILENT"):
        reader.check()


def test_the_portrait_of_an_invented_card_is_decoded_by_the_sandbox_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    card = read_cards(PEOPLE)[0]
    assert (
        SandboxPortraits(PEOPLE.parent).decode(card.photo)
        == (PEOPLE.parent / "demo_portrait.jpg").read_bytes()
    )
    assert "SANDBOX PORTRAIT DECODER IN USE" in caplog.text
    for other in (bytes(1024), card_of({**WANG, "portrait": "../people.json"}).photo, card_of(WANG).photo):
        assert SandboxPortraits(PEOPLE.parent).decode(other) is None


@pytest.mark.parametrize("content", ["", "{}", '{"people": []}', '{"people": [{"name": "x"}]}', "[]"])
def test_a_population_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "people.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match="POPULATION_INVALID"):
        read_cards(file)
