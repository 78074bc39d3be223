"""Suppose that a pack said something else: what a regulator would change, before it does.

>>> from shiming.jurisdictions.pack_reader import policy_on, read_pack
>>> supposed = supposing(read_pack("cn"), ("caps.cards.lines_per_holder_max=3",), date(2026, 3, 1))
>>> policy_on(supposed, date(2026, 3, 1)).caps["cards"].lines_per_holder_max.value
3
"""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from shiming.jurisdictions.pack_reader import Pack, parse_pack
from shiming.vocabulary.errors import BadInput, Text


def supposing(pack: Pack, settings: Iterable[str], on: date) -> Pack:
    """Return the pack with some values of a day replaced (`path=value`, the value as JSON or a bare word).

    The pack is read again as a whole, so what could not stand in a pack is refused here too.
    """
    content = json.loads(pack.content)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise _refused(setting)
        _leaf(content, path.strip(), on)["value"] = _value(text.strip())
    return parse_pack(content, pack.folder)


def _leaf(content: Any, path: str, on: date) -> dict[str, Any]:
    """Return the value of this path that is in force."""
    node = content
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    dated = node if isinstance(node, list) else [node]
    found = [each for each in dated if isinstance(each, dict) and "value" in each and _in_force(each, on)]
    if not found:
        raise _refused(path)
    leaf: dict[str, Any] = found[0]
    return leaf


def _in_force(leaf: dict[str, Any], on: date) -> bool:
    until = leaf.get("until")
    begun = date.fromisoformat(leaf["since"]) <= on
    return begun and (until is None or on < date.fromisoformat(until))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refused(what: str) -> BadInput:
    return BadInput(
        "PATH_UNKNOWN",
        Text(zh="规则包中没有这一项。", en="The pack has no such value."),
        Text(
            zh="请写成 路径=值，例如 caps.cards.lines_per_holder_max=5。",
            en="Write path=value, such as caps.cards.lines_per_holder_max=5; see `shiming packs show`.",
        ),
        {"path": what},
    )
