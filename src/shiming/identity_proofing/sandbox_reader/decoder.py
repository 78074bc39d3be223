"""The decoder of invented portraits. It says loudly that it decodes nothing real."""

import logging
from dataclasses import dataclass
from pathlib import Path

from shiming.identity_proofing.sandbox_reader.cards import MARK

_LOG = logging.getLogger(__name__)
PICTURE_BYTES_MAX = 2_000_000


@dataclass(frozen=True, slots=True)
class SandboxPortraits:
    """Finds the picture that an invented card names, beside the population file."""

    folder: Path
    name: str = "sandbox"

    def __post_init__(self) -> None:
        _LOG.warning("SANDBOX PORTRAIT DECODER IN USE: the pictures are of invented people")

    def decode(self, photo: bytes) -> bytes | None:
        """Return the picture (JPEG); None for a block that is not the sandbox reader's."""
        if not photo.startswith(MARK):
            return None
        name = photo.removeprefix(MARK).rstrip(b"\x00").decode("utf-8", "replace")
        if not name or Path(name).name != name:  # a block names a file beside the population, no path
            return None
        try:
            with (self.folder / name).open("rb") as stream:
                return stream.read(PICTURE_BYTES_MAX)
        except OSError:
            return None
