"""Merkle trees, tiles and checkpoints: RFC 6962's own numbers, then properties."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.privacy.rules.checkpoint import Checkpoint, parse_checkpoint
from shiming.privacy.rules.merkle import (
    EMPTY_ROOT,
    RightEdge,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    root_by_inclusion,
    subtrees_of,
    tree_root,
)
from shiming.privacy.rules.tiles import (
    TILE_BYTES,
    TileDamaged,
    grown_tiles,
    hashes_of,
    subtrees_in,
    tiles_of,
)
from shiming.vocabulary.errors import BadInput

# The reference tests of Certificate Transparency: eight leaves and the roots of the eight trees.
CT_LEAVES = [
    leaf_hash(bytes.fromhex(leaf))
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {  # (index, size): path
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CT_CONSISTENCY = {  # (old, new): path
    (1, 1): [],
    (1, 8): CT_INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    edge = RightEdge()
    for leaf in CT_LEAVES[:size]:
        edge.append(leaf)
    assert edge.root().hex() == CT_ROOTS[size]
    assert tree_root(size, subtrees_of(CT_LEAVES)).hex() == CT_ROOTS[size]


@pytest.mark.parametrize(("index", "size"), CT_INCLUSION)
def test_inclusion_is_that_of_the_reference(index: int, size: int) -> None:
    path = inclusion_path(index, size, subtrees_of(CT_LEAVES))
    assert [part.hex() for part in path] == CT_INCLUSION[index, size]


@pytest.mark.parametrize(("old", "new"), CT_CONSISTENCY)
def test_consistency_is_that_of_the_reference(old: int, new: int) -> None:
    path = consistency_path(old, new, subtrees_of(CT_LEAVES))
    assert [part.hex() for part in path] == CT_CONSISTENCY[old, new]


SIZES = st.integers(1, 80)


@given(size=SIZES, data=st.data())
def test_every_leaf_is_proven_and_no_other_leaf_place_or_path(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    root = recursive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, subtrees_of(leaves))
    assert root_by_inclusion(leaves[index], index, size, path) == root
    assert root_by_inclusion(leaf_hash(b"other"), index, size, path) != root
    other = data.draw(st.integers(-2, size + 2).filter(lambda place: place != index))
    assert root_by_inclusion(leaves[index], other, size, path) != root
    assert root_by_inclusion(leaves[index], index, size, (*path, root)) is None
    if path:
        assert root_by_inclusion(leaves[index], index, size, path[:-1]) is None
        assert root_by_inclusion(leaves[index], index, size, (root, *path[1:])) != root


@given(new=st.integers(0, 80), data=st.data())
def test_every_beginning_is_consistent_and_nothing_else(new: int, data: st.DataObject) -> None:
    leaves = leaves_of(new)
    old = data.draw(st.integers(0, new))
    old_root, new_root = recursive_root(leaves[:old]), recursive_root(leaves)
    path = consistency_path(old, new, subtrees_of(leaves))
    assert is_consistent(old, new, old_root, new_root, path)
    assert not is_consistent(old, new, leaf_hash(b"x"), new_root, path)
    assert not is_consistent(old, new, old_root, new_root, (*path, old_root))
    assert not is_consistent(new + 1, new, old_root, new_root, path)
    if old:
        assert not is_consistent(old, new, old_root, leaf_hash(b"x"), path)
    if path:
        assert not is_consistent(old, new, old_root, new_root, path[:-1])
        assert not is_consistent(old, new, old_root, new_root, ())


def test_what_no_tree_has_is_refused() -> None:
    hash_at = subtrees_of(CT_LEAVES)
    for index, size in ((-1, 8), (8, 8), (0, 0)):
        with pytest.raises(IndexError):
            inclusion_path(index, size, hash_at)
    for old, new in ((-1, 8), (9, 8)):
        with pytest.raises(IndexError):
            consistency_path(old, new, hash_at)
    assert tree_root(0, hash_at) == EMPTY_ROOT
    assert root_by_inclusion(CT_LEAVES[0], 0, 1, [EMPTY_ROOT]) is None


@given(batches=st.lists(st.integers(1, 600), min_size=1, max_size=5), data=st.data())
def test_a_tree_in_tiles_is_the_same_tree(batches: list[int], data: st.DataObject) -> None:
    leaves = leaves_of(sum(batches))
    tiles: dict[tuple[int, int], bytes] = {}

    def read_tile(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    size = 0
    for count in batches:
        changed = grown_tiles(size, leaves[size : size + count], read_tile)
        assert all(tile.startswith(tiles.get(at, b"")) for at, tile in changed.items())
        tiles.update(changed)
        size += count
    hash_at = subtrees_in(read_tile)
    assert tree_root(size, hash_at) == tree_root(size, subtrees_of(leaves))
    index = data.draw(st.integers(0, size - 1))
    assert inclusion_path(index, size, hash_at) == inclusion_path(index, size, subtrees_of(leaves))
    held = {
        level: sum(len(hashes_of(tile)) for (at, _), tile in tiles.items() if at == level) for level in (0, 1)
    }
    assert {level: count for level, count in held.items() if count} == tiles_of(size)


def test_a_tree_of_three_tile_levels() -> None:
    part = leaves_of(256)
    edge = RightEdge()
    for leaf in part * 256:
        edge.append(leaf)
    tiles = {(0, number): b"".join(part) for number in range(255)}
    tiles[1, 0] = tree_root(256, subtrees_of(part)) * 255
    tiles |= grown_tiles(65_280, part, lambda *at: tiles.get(at, b""))
    assert tiles[2, 0] == tree_root(65_536, subtrees_in(lambda *at: tiles.get(at, b""))) == edge.root()


def test_a_tile_that_lacks_hashes_is_named() -> None:
    with pytest.raises(TileDamaged, match="0/1"):
        grown_tiles(300, leaves_of(3), lambda *_: bytes(32))
    with pytest.raises(TileDamaged, match="0/0"):
        tree_root(3, subtrees_in(lambda *_: bytes(40)))
    assert TILE_BYTES == 8192


@given(size=st.integers(0, 2**62), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("example.com/log", size, root)
    assert parse_checkpoint(checkpoint.text) == checkpoint
    assert parse_checkpoint(checkpoint.text + "an extension\n") == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\n{root}\n",
        "a\n-1\n{root}\n",
        "a\n1\n{root}",
        "a\n1\nAAAA\n",
        "a\n1\n?\n",
        "\n1\n{root}\n",
        "a\n1\n{root}\n\n",
        "a\n1\n AAA{root}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="CHECKPOINT_FORMAT"):
        parse_checkpoint(text.replace("{root}", "A" * 43 + "="))
