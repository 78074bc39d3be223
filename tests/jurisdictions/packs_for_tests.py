"""A small change of the built-in pack, for tests that need a pack which says something else."""

import copy
from datetime import date
from functools import lru_cache
from typing import Any

from shiming.jurisdictions.model import Policy
from shiming.jurisdictions.pack_reader import PACKS, Pack, parse_pack, policy_on, read_content

A_DAY = date(2026, 3, 1)
CAP = "caps.cards.lines_per_holder_max"


@lru_cache(maxsize=1)
def _cn() -> dict[str, Any]:
    return read_content(PACKS / "cn")


def cn_content() -> dict[str, Any]:
    return copy.deepcopy(_cn())


def content_with(path: str, replacement: Any) -> dict[str, Any]:
    """The content of cn with one node replaced (None removes it)."""
    content = cn_content()
    *sections, last = path.split(".")
    node = content
    for section in sections:
        node = node[section]
    if replacement is None:
        del node[last]
    else:
        node[last] = replacement
    return content


def a_value(path: str, **changes: Any) -> dict[str, Any]:
    """One value of cn with changed parts (None removes a part)."""
    node: Any = cn_content()
    for section in path.split("."):
        node = node[section]
    return {key: part for key, part in {**node, **changes}.items() if part is not None}


def a_policy(path: str = "", replacement: Any = None, *, on: date = A_DAY) -> Policy:
    return policy_on(a_pack(path, replacement), on)


@lru_cache(maxsize=1)
def _cn_pack() -> Pack:
    return parse_pack(cn_content())


def a_pack(path: str = "", replacement: Any = None) -> Pack:
    return parse_pack(content_with(path, replacement)) if path else _cn_pack()
