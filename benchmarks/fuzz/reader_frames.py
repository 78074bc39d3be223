"""Coverage-guided fuzzing of the frame parser and the card text of card readers.

`python benchmarks/fuzz/reader_frames.py -runs=1000000` looks for bytes on which the parser raises, keeps
more than one frame can be, tells something else when the stream is cut, or loses a frame behind noise; and
for a text block on which anything but a typed refusal is raised. The first byte cuts the stream.
"""

# ruff: noqa: S101 - what must never happen is asserted
import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["shiming.identity_proofing.connectors.sdt_reader"]):
    from shiming.identity_proofing.connectors.sdt_reader.card_text import TEXT_BYTES, parse_card_text
    from shiming.identity_proofing.connectors.sdt_reader.frames import (
        FrameParser,
        Reply,
        encode_reply,
    )

from shiming.vocabulary.errors import BadInput

LAST = Reply(b"\x00\x00\x90", b"the last")


def fuzz(data: bytes) -> None:
    """Try one input."""
    cut, stream = (data[0] if data else 0), data[1:]
    whole, pieces = FrameParser(), FrameParser()
    expected = [*whole.feed(stream), *whole.give_up()]
    found = [*pieces.feed(stream[:cut]), *pieces.feed(stream[cut:]), *pieces.give_up()]
    assert found == expected, "cutting the stream changes what is found"
    behind = [*whole.feed(encode_reply(LAST.status, LAST.content))]
    assert behind == [LAST], "a frame behind what was given up is lost"
    FrameParser(commands=True).feed(stream)
    with suppress(BadInput):
        parse_card_text(stream.ljust(TEXT_BYTES, b"\x00")[:TEXT_BYTES])


def main() -> None:
    """Run until told to stop."""
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
