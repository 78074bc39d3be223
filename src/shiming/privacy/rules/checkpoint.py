"""What a checkpoint says: C2SP `tlog-checkpoint`, the text inside the signed note.

>>> print(Checkpoint("example.com/behind-the-sofa", 3, bytes(32)).text, end="")
example.com/behind-the-sofa
3
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""

import base64
import binascii
import re
from dataclasses import dataclass

from shiming.privacy.rules.merkle import HASH_BYTES
from shiming.vocabulary.errors import BadInput, Text

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and the root of the tree of one ledger."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class LedgerCheckpoint:
    """A checkpoint as the ledger signed it: size, root (hex), and the signed note that states them."""

    size: int
    root: str
    note: str


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, with or without extension lines; raise BadInput for anything else."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - three and the end
        raise checkpoint_refused()
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as problem:
        raise checkpoint_refused() from problem
    if len(root) != HASH_BYTES or base64.b64encode(root).decode() != lines[2]:
        raise checkpoint_refused()
    return Checkpoint(lines[0], int(lines[1]), root)


def checkpoint_refused() -> BadInput:
    """Return the error for a text that is no checkpoint."""
    return BadInput(
        "CHECKPOINT_FORMAT",
        Text(zh="这不是账本检查点。", en="This is no checkpoint of a ledger."),
        Text(
            zh="请使用 shiming ledger checkpoint 输出的原文件。",
            en="Use the file as `shiming ledger checkpoint` printed it.",
        ),
    )
