"""The tree in tiles, as C2SP `tlog-tiles` cuts it: 256 hashes a tile, one tile level for eight tree levels.

Tile `n` of level 0 holds the hashes of leaves `256 n` to `256 n + 255`; hash `n` of level 1 is the root over
the full tile `n` of level 0, and so on. A tile only grows; a full one never changes.
"""

from collections.abc import Callable, Sequence

from shiming.privacy.rules.merkle import HASH_BYTES, HashAt, complete_root

TREE_LEVELS = 8  # of the tree that one tile spans
TILE_HASHES = 1 << TREE_LEVELS
TILE_BYTES = TILE_HASHES * HASH_BYTES

ReadTile = Callable[[int, int], bytes]  # level, number -> the hashes it holds so far, joined; b"" when none


class TileDamaged(Exception):
    """A tile lacks hashes that the size of the tree says it has."""

    def __init__(self, level: int, number: int) -> None:
        super().__init__(f"{level}/{number}")


def hashes_of(tile: bytes) -> list[bytes]:
    """Cut a tile into its hashes."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def subtrees_in(read_tile: ReadTile) -> HashAt:
    """Return the complete subtrees of a tree that lies in tiles; TileDamaged where hashes are missing."""

    def hash_at(level: int, index: int) -> bytes:
        tile_level, within = divmod(level, TREE_LEVELS)
        number, place = divmod(index << within, TILE_HASHES)
        part = read_tile(tile_level, number)[place * HASH_BYTES : (place + (1 << within)) * HASH_BYTES]
        if len(part) != HASH_BYTES << within:
            raise TileDamaged(tile_level, number)
        return complete_root(hashes_of(part))

    return hash_at


def grown_tiles(size: int, leaves: Sequence[bytes], read_tile: ReadTile) -> dict[tuple[int, int], bytes]:
    """Return the tiles that change when leaves are appended to a tree of `size`, by level and number."""
    changed: dict[tuple[int, int], bytes] = {}
    level, arrivals = 0, list(leaves)
    while arrivals:
        carried = []
        count = size >> (TREE_LEVELS * level)
        while arrivals:
            number, held = divmod(count, TILE_HASHES)
            room = TILE_HASHES - held
            tile = (read_tile(level, number) if held else b"") + b"".join(arrivals[:room])
            if len(tile) != (held + len(arrivals[:room])) * HASH_BYTES:
                raise TileDamaged(level, number)
            changed[level, number] = tile
            count += len(arrivals[:room])
            arrivals = arrivals[room:]
            if len(tile) == TILE_BYTES:
                carried.append(complete_root(hashes_of(tile)))
        level, arrivals = level + 1, carried
    return changed


def tiles_of(size: int) -> dict[int, int]:
    """Return how many hashes each tile level holds in a tree of `size`."""
    counts = {}
    level = 0
    while size:
        counts[level] = size
        size >>= TREE_LEVELS
        level += 1
    return counts
