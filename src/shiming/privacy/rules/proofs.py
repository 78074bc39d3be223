"""Proofs that anybody can check without the database, and the JSON in which they travel (version 1).

Hashes are hexadecimal, as on receipts; the checkpoint is the signed note as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from shiming.privacy.rules.merkle import PATH_MAX, is_consistent, root_by_inclusion
from shiming.vocabulary.errors import BadInput, Text

VERSION = 1
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Shows that a leaf is in the tree of a checkpoint."""

    leaf_id: str
    leaf_hash: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def root(self) -> bytes | None:
        """The root that the path leads to; None when it is no path."""
        return root_by_inclusion(self.leaf_hash, self.index, self.size, self.path)

    def to_json(self) -> dict[str, Any]:
        """Return the proof as it is handed out."""
        return {
            "version": VERSION,
            "proof": "inclusion",
            "leaf": self.leaf_id,
            "leaf_hash": self.leaf_hash.hex(),
            "index": self.index,
            "size": self.size,
            "path": [part.hex() for part in self.path],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Read a proof; raise BadInput for anything else."""
        _refuse_other_version(found, "inclusion")
        return cls(
            leaf_id=_text(found, "leaf"),
            leaf_hash=_hash(found.get("leaf_hash")),
            index=_count(found, "index"),
            size=_count(found, "size"),
            path=_path(found),
            checkpoint=_text(found, "checkpoint"),
        )


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Shows that a smaller tree is the beginning of a larger one; `checkpoint` is that of the larger."""

    old_size: int
    old_root: bytes
    new_size: int
    new_root: bytes
    path: tuple[bytes, ...]
    checkpoint: str = ""

    @property
    def holds(self) -> bool:
        """Whether the path connects the two roots."""
        return is_consistent(self.old_size, self.new_size, self.old_root, self.new_root, self.path)

    def to_json(self) -> dict[str, Any]:
        """Return the proof as it is handed out."""
        return {
            "version": VERSION,
            "proof": "consistency",
            "old_size": self.old_size,
            "old_root": self.old_root.hex(),
            "new_size": self.new_size,
            "new_root": self.new_root.hex(),
            "path": [part.hex() for part in self.path],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Read a proof; raise BadInput for anything else."""
        _refuse_other_version(found, "consistency")
        return cls(
            old_size=_count(found, "old_size"),
            old_root=_hash(found.get("old_root")),
            new_size=_count(found, "new_size"),
            new_root=_hash(found.get("new_root")),
            path=_path(found),
            checkpoint=_text(found, "checkpoint"),
        )


@dataclass(frozen=True, slots=True)
class LeafUnknown:
    """There is no leaf of this name."""

    leaf_id: str


@dataclass(frozen=True, slots=True)
class LeafNotSealed:
    """The leaf is written and authenticated, but not in a checkpoint yet; the sealer runs every moment."""

    leaf_id: str


def read_proof(found: Mapping[str, Any]) -> InclusionProof | ConsistencyProof:
    """Read a proof of either kind; raise BadInput for anything else."""
    if found.get("proof") == "consistency":
        return ConsistencyProof.from_json(found)
    return InclusionProof.from_json(found)


def _refuse_other_version(found: Mapping[str, Any], kind: str) -> None:
    if (found.get("version"), found.get("proof")) != (VERSION, kind):
        raise _refused("proof")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise _refused(name)
    return value


def _count(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refused(name)
    return value


def _hash(value: object) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise _refused("hash")
    return bytes.fromhex(value)


def _path(found: Mapping[str, Any]) -> tuple[bytes, ...]:
    value = found.get("path")
    if not isinstance(value, list) or len(value) > PATH_MAX + 1:
        raise _refused("path")
    return tuple(map(_hash, value))


def _refused(what: str) -> BadInput:
    return BadInput(
        "PROOF_FORMAT",
        Text(zh="这不是账本证明文件。", en="This is no proof of the ledger."),
        Text(
            zh="请使用 shiming ledger prove 或 consistency 输出的原文件。",
            en="Use the file as `shiming ledger prove` or `consistency` printed it.",
        ),
        {"field": what},
    )
