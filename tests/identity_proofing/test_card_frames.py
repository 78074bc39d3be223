"""Frames of card readers: nothing that a wire does loses a frame that arrived whole, or raises."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.identity_proofing.connectors.sdt_reader.frames import (
    LENGTH_MAX,
    PREAMBLE,
    Asked,
    ChecksumWrong,
    Command,
    Frame,
    FrameFault,
    FrameParser,
    LengthWrong,
    Reply,
    Skipped,
    Truncated,
    encode_command,
    encode_reply,
)
from tests.fuzz.fuzzing import finds_nothing

DONE = b"\x00\x00\x90"
HARNESS = Path(__file__).parents[2] / "benchmarks" / "fuzz" / "reader_frames.py"
FUZZ_RUNS = 20_000  # two seconds; run the harness itself for longer
replies = st.builds(Reply, st.binary(min_size=3, max_size=3), st.binary(max_size=80))
noise = st.binary(max_size=30).filter(lambda piece: PREAMBLE not in piece)


def wire(reply: Reply) -> bytes:
    return encode_reply(reply.status, reply.content)


def frames(found: list[Frame | FrameFault]) -> list[Frame | FrameFault]:
    return [each for each in found if isinstance(each, Reply | Asked)]


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (Command.STATUS, "aaaaaa9669 0003 11ff ed"),
        (Command.SAM_ID, "aaaaaa9669 0003 12ff ee"),
        (Command.FIND, "aaaaaa9669 0003 2001 22"),
        (Command.SELECT, "aaaaaa9669 0003 2002 21"),
        (Command.READ, "aaaaaa9669 0003 3001 32"),
    ],
)
def test_the_commands_are_those_of_public_drivers(command: Command, sent: str) -> None:
    assert encode_command(command) == bytes.fromhex(sent)
    assert FrameParser(commands=True).feed(bytes.fromhex(sent)) == [Asked(command.value, b"")]


def test_a_reading_has_the_length_of_the_standard() -> None:
    assert len(encode_reply(DONE, bytes(4 + 256 + 1024))) == 1295
    with pytest.raises(ValueError, match="3 bytes"):
        encode_reply(b"\x90")


@pytest.mark.parametrize(
    ("stream", "faults"),
    [
        (b"noise" + encode_reply(DONE), [Skipped(5)]),
        (PREAMBLE[:3] + encode_reply(DONE), [Skipped(3)]),
        (encode_reply(DONE, b"xy")[:-1] + b"\x00" + encode_reply(DONE), [ChecksumWrong(6), Skipped(13)]),
        (PREAMBLE + b"\x00\x01" + encode_reply(DONE), [LengthWrong(1), Skipped(7)]),
        (PREAMBLE + b"\xff\xff" + encode_reply(DONE), [LengthWrong(0xFFFF), Skipped(7)]),
        (PREAMBLE + encode_reply(DONE), [LengthWrong(0xAAAA), Skipped(5)]),
    ],
)
def test_faults_are_told_and_the_frame_behind_is_found(stream: bytes, faults: list[FrameFault]) -> None:
    assert FrameParser().feed(stream) == [*faults, Reply(DONE, b"")]


def test_a_false_length_swallows_nothing_for_good() -> None:
    parser = FrameParser()
    promised = (LENGTH_MAX - 1).to_bytes(2, "big")
    assert parser.feed(PREAMBLE + promised + encode_reply(DONE, b"card")) == []
    assert parser.give_up() == [Truncated(LENGTH_MAX - 1, 15), Skipped(7), Reply(DONE, b"card")]
    assert parser.give_up() == []
    assert parser.feed(encode_reply(DONE)) == [Reply(DONE, b"")]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)), st.booleans())
def test_how_a_stream_is_cut_changes_nothing(stream: bytes, cuts: list[int], inside: bool) -> None:
    stream = stream[:200] + (encode_reply(DONE, stream[:50]) if inside else b"") + stream[200:]
    whole = FrameParser()
    expected = [*whole.feed(stream), *whole.give_up()]
    pieces, found = FrameParser(), []
    places = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    for start, end in pairwise(places):
        found += pieces.feed(stream[start:end])
    assert [*found, *pieces.give_up()] == expected


@given(st.lists(st.tuples(noise, replies), max_size=6), noise)
def test_noise_between_frames_loses_none(parts: list[tuple[bytes, Reply]], after: bytes) -> None:
    parser = FrameParser()
    stream = b"".join(piece + wire(reply) for piece, reply in parts) + after
    found = [*parser.feed(stream), *parser.give_up()]
    assert frames(found) == [reply for _, reply in parts]
    skipped = sum(each.length for each in found if isinstance(each, Skipped))
    assert skipped == sum(len(piece) for piece, _ in parts) + len(after)


@settings(max_examples=60)
@given(replies, st.data())
def test_a_garbled_bit_never_passes_for_the_frame(reply: Reply, data: st.DataObject) -> None:
    sent = bytearray(wire(reply))
    sent[data.draw(st.integers(0, len(sent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parser = FrameParser()
    found = [*parser.feed(bytes(sent)), *parser.give_up()]
    assert reply not in found


def test_fuzzing_the_parser_finds_nothing(tmp_path: Path) -> None:
    finds_nothing(HARNESS, tmp_path, runs=FUZZ_RUNS, longest=512)
