"""The chain of checkpoints as a picture and as a table: each block with its size, root, signature, link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.entrypoints.pages.desk.tables import Choice, Column, Table
from shiming.infrastructure.signed_notes import NoteKey, SignedNote, cosigned_at, parse_note
from shiming.privacy.rules.merkle import EMPTY_ROOT
from shiming.privacy.store.ledger_tree import ledger_batches
from shiming.privacy.use_cases.signed_checkpoints import signed_checkpoint
from shiming.vocabulary.errors import BadInput, Text

BLOCKS_SHOWN = 10  # of one picture; older ones are a link away
BLOCK_WIDTH, BLOCK_HEIGHT, BLOCK_GAP, MARGIN = 196, 132, 44, 12
ROOT_SIGNS = 10  # of a root, as many as people compare

_SIGNED = {
    "signed": Text(zh="签名有效", en="signed"),
    "broken": Text(zh="签名无效", en="broken"),
}
_LINKED = {
    "linked": Text(zh="与上一个相连", en="follows the one before"),
    "broken": Text(zh="与上一个断开", en="does not follow the one before"),
}


class Checked(StrEnum):
    """What is known of a witness's signature."""

    HOLDS = "holds"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # nobody told us the key of this name


_CHECKED = {
    Checked.HOLDS: Text(zh="已验证", en="verified"),
    Checked.WRONG: Text(zh="签名无效", en="wrong signature"),
    Checked.UNKNOWN: Text(zh="未验证", en="not verified"),
}


@dataclass(frozen=True, slots=True)
class Cosignature:
    """Who else signed a checkpoint, and whether that was checked with their key."""

    name: str
    checked: Checked


@dataclass(frozen=True, slots=True)
class Block:
    """One checkpoint as it is drawn."""

    batch: int
    size: int
    leaves: int
    root: str
    sealed_at: datetime | None  # nothing signs it
    is_signed: bool
    is_linked: bool
    witnesses: tuple["Cosignature", ...]

    @property
    def signature(self) -> Text:
        """Whether one of our keys signed it, in words."""
        return _SIGNED["signed" if self.is_signed else "broken"]

    @property
    def link(self) -> Text:
        """Whether it follows the one before, in words."""
        return _LINKED["linked" if self.is_linked else "broken"]

    @property
    def holding(self) -> int:
        """How many witnesses' signatures hold."""
        return sum(each.checked is Checked.HOLDS for each in self.witnesses)

    @property
    def witnessed(self) -> Text | None:
        """Who else signed it, and what is known of that, in words."""
        if not self.witnesses:
            return None
        said = [(each.name, _CHECKED[each.checked]) for each in self.witnesses]
        return Text(
            zh="、".join(f"{name}（{words.zh}）" for name, words in said),
            en=", ".join(f"{name} ({words.en})" for name, words in said),
        )

    @property
    def prefix(self) -> str:
        """The beginning of its root."""
        return self.root[:ROOT_SIGNS]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where the blocks stand; the template draws them."""

    width: int
    height: int
    places: tuple[tuple[Block, int], ...]  # with the left edge

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Drawing":
        """Put blocks into a row, oldest first.

        >>> Drawing.of(()).width, Drawing.of((None, None)).width
        (24, 460)
        """
        step = BLOCK_WIDTH + BLOCK_GAP
        width = 2 * MARGIN + max(0, len(blocks) * step - BLOCK_GAP)
        places = tuple((block, MARGIN + step * index) for index, block in enumerate(blocks))
        return cls(width, BLOCK_HEIGHT + 2 * MARGIN, places)


TABLE: Table[Block] = Table(
    "checkpoints",
    Text(zh="检查点", en="Checkpoints"),
    (
        Column("batch", Text(zh="批次", en="Batch"), lambda block: block.batch, look="number"),
        Column("size", Text(zh="记录总数", en="Leaves in the tree"), lambda block: block.size, look="number"),
        Column("leaves", Text(zh="新增", en="Added"), lambda block: block.leaves, look="number"),
        Column("sealed", Text(zh="封存时间", en="Sealed"), lambda block: block.sealed_at),
        Column(
            "signature",
            Text(zh="签名", en="Signature"),
            lambda block: block.signature,
            look="state",
            tone=lambda block: "good" if block.is_signed else "bad",
        ),
        Column(
            "link",
            Text(zh="连接", en="Link"),
            lambda block: block.link,
            look="state",
            tone=lambda block: "good" if block.is_linked else "bad",
        ),
        Column("witnesses", Text(zh="见证", en="Witnesses"), lambda block: block.witnessed),
        Column("root", Text(zh="根", en="Root"), lambda block: block.root, look="hash"),
    ),
    filters=(
        Choice(
            "signature",
            Text(zh="签名", en="Signature"),
            _SIGNED,
            lambda block: "signed" if block.is_signed else "broken",
        ),
    ),
    empty=Text(zh="尚未封存任何记录。", en="Nothing is sealed yet."),
    order="batch",
    kept=("before",),
)


def read_blocks(
    connection: Connection,
    keys: tuple[NoteKey, ...],
    *,
    before: int | None = None,
    witnesses: tuple[NoteKey, ...] = (),
) -> tuple[Block, ...]:
    """Return the last checkpoints, or those before a batch, oldest first; each is checked as it is read.

    `witnesses`: the keys of those who cosign; who is not among them is shown as not verified.
    """
    query = sa.select(ledger_batches).order_by(ledger_batches.c.batch.desc()).limit(BLOCKS_SHOWN + 1)
    if before is not None:
        query = query.where(ledger_batches.c.batch < before)
    rows = list(reversed(connection.execute(query).all()))
    former: list[Row[Any] | None] = [None, *rows]
    blocks = [_block(row, last, keys, witnesses) for row, last in zip(rows, former, strict=False)]
    return tuple(blocks[-BLOCKS_SHOWN:])


def _block(
    row: Row[Any], former: Row[Any] | None, keys: tuple[NoteKey, ...], witnesses: tuple[NoteKey, ...]
) -> Block:
    signed = signed_checkpoint(row.checkpoint, keys)
    follows = (former.batch + 1, former.size, former.root) if former else (1, 0, EMPTY_ROOT.hex())
    return Block(
        batch=row.batch,
        size=row.size,
        leaves=row.size - row.first_index,
        root=row.root,
        sealed_at=row.sealed_at,
        is_signed=signed is not None and (signed.size, signed.root.hex()) == (row.size, row.root),
        is_linked=(row.batch, row.first_index, row.previous_root) == follows,
        witnesses=_witnesses(row.checkpoint, witnesses),
    )


def _witnesses(note: str, keys: tuple[NoteKey, ...]) -> tuple[Cosignature, ...]:
    """Return who else signed a note, each checked where their key is known."""
    try:
        parsed = parse_note(note)
    except BadInput:
        return ()
    origin = parsed.text.partition("\n")[0]
    others = dict.fromkeys((each.name, each.key_id) for each in parsed.signatures if each.name != origin)
    return tuple(Cosignature(name, _checked(parsed, name, key_id, keys)) for name, key_id in others)


def _checked(note: SignedNote, name: str, key_id: bytes, keys: tuple[NoteKey, ...]) -> Checked:
    """Say what is known of a signature: another key of a known name is as unknown as another name."""
    known = next((key for key in keys if (key.name, key.key_id) == (name, key_id)), None)
    if known is None:
        return Checked.UNKNOWN
    return Checked.HOLDS if cosigned_at(note, known) is not None else Checked.WRONG
