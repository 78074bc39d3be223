"""Merkle trees of RFC 6962: hashes, roots, proofs and their checks (sections 2.1, 2.1.1, 2.1.2).

A tree over `size` leaves is read through a function that gives the hash of any complete subtree:
`hash_at(level, index)` is the root over the leaves `index * 2**level` to `(index + 1) * 2**level`.

>>> leaves = [leaf_hash(letter.encode()) for letter in "abcde"]
>>> hash_at = subtrees_of(leaves)
>>> root = tree_root(5, hash_at)
>>> path = inclusion_path(2, 5, hash_at)
>>> root_by_inclusion(leaves[2], 2, 5, path) == root
True
>>> proof = consistency_path(3, 5, hash_at)
>>> is_consistent(3, 5, tree_root(3, hash_at), root, proof)
True
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
PATH_MAX = 64  # a tree deeper than this has more leaves than an index can count

HashAt = Callable[[int, int], bytes]

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(_LEAF + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(_NODE + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 2**n hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def subtrees_of(hashes: Sequence[bytes]) -> HashAt:
    """Return the subtrees of leaves that are all in memory."""
    return lambda level, index: complete_root(hashes[index << level : (index + 1) << level])


def tree_root(size: int, hash_at: HashAt) -> bytes:
    """Return the root over the first `size` leaves."""
    return _joined(_complete_parts(0, size), hash_at) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` in the tree of `size`, from the leaf to the root."""
    if not 0 <= index < size:
        raise IndexError(index)
    path = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(first, middle, hash_at))
            first = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return the proof that the tree of size `old` is the beginning of the tree of size `new`."""
    if not 0 <= old <= new:
        raise IndexError(old)
    if old in {0, new}:
        return ()
    path = []
    first, end, whole = 0, new, True  # whole: the old tree is all of this part since its left edge
    while end != old:
        middle = first + _split(end - first)
        if old <= middle:
            path.append(_range_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_range_root(first, middle, hash_at))
            first, whole = middle, False
    if not whole:
        path.append(_range_root(first, end, hash_at))
    return tuple(reversed(path))


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that an audit path leads to; None when it fits no such tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(path) > PATH_MAX:
        return None
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at % 2 or at == last:
            root = node_hash(sibling, root)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Say whether the proof shows that the old tree is the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or len(path) > PATH_MAX + 1:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    steps: Iterator[bytes] = iter(path)
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    first = old_root if at == 0 else next(steps, None)
    if first is None:
        return False
    return _climb(at, last, first, steps) == (old_root, new_root)


def _climb(at: int, last: int, first: bytes, steps: Iterable[bytes]) -> tuple[bytes, bytes] | None:
    """Return both roots that a consistency proof leads to."""
    old_root = new_root = first
    for step in steps:
        if last == 0:
            return None
        if at % 2 or at == last:
            old_root, new_root = node_hash(step, old_root), node_hash(step, new_root)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new_root = node_hash(new_root, step)
        at, last = at >> 1, last >> 1
    return (old_root, new_root) if last == 0 else None


class RightEdge:
    """A growing tree in the memory of its right edge: append leaves, ask for the root at any time."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # roots of the complete subtrees, largest first

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        joined, size = leaf, self.size
        while size % 2:
            joined = node_hash(self._edge.pop(), joined)
            size >>= 1
        self._edge.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for part in reversed(self._edge[:-1]):
            root = node_hash(part, root)
        return root


def _split(count: int) -> int:
    """Return the largest power of two below `count` (2 or more)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(first: int, end: int, hash_at: HashAt) -> bytes:
    return _joined(_complete_parts(first, end), hash_at)


def _complete_parts(first: int, end: int) -> list[tuple[int, int]]:
    """Cut leaves that begin at the left edge of a subtree into complete subtrees, largest first."""
    parts = []
    while first < end:
        level = (end - first).bit_length() - 1
        parts.append((level, first >> level))
        first += 1 << level
    return parts


def _joined(parts: Sequence[tuple[int, int]], hash_at: HashAt) -> bytes:
    root = hash_at(*parts[-1])
    for level, index in reversed(parts[:-1]):
        root = node_hash(hash_at(level, index), root)
    return root
