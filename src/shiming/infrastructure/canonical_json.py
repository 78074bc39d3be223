r"""JSON with one spelling only (RFC 8785), so that it can be hashed and signed; and its strict reader.

>>> canonical_bytes({"b": 1.0, "a": "电话"})
b'{"a":"\xe7\x94\xb5\xe8\xaf\x9d","b":1}'
>>> content_hash({"a": 1})
'sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862'
>>> parse_object(b'{"a": 1, "a": 2}')
Traceback (most recent call last):
    ...
shiming.vocabulary.errors.BadInput: JSON_INVALID: ...
"""

import hashlib
import json
from typing import Any

import rfc8785

from shiming.vocabulary.errors import BadInput, Text

#: A receipt of a long session has about 30 kB; nothing that we sign comes near a megabyte.
BYTES_MAX = 1_000_000
#: Our deepest document has nine levels; the limit keeps hostile nesting from exhausting the stack.
DEPTH_MAX = 40
EXACT_INTEGERS_BELOW = 2**53  # RFC 7493
_DECIMAL_FROM = 1e-4  # Python writes smaller fractions with an exponent, RFC 8785 only those below 1e-6
_PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def canonical_bytes(value: Any) -> bytes:
    """Return the one RFC 8785 spelling of `value`; ValueError on what JSON cannot say (NaN, bytes).

    Python's own encoder, in C, spells texts, small integers and most fractions as RFC 8785 does, and sorts
    ASCII keys alike; it writes what consists of those alone, as nearly everything of ours, in a third of the
    time.
    """
    try:
        plain = _plain_of(value)
    except _NotPlain:
        return rfc8785.dumps(value)
    return _PLAIN.encode(plain).encode()


class _NotPlain(Exception):
    """Python would spell it in another way."""


def _plain_of(value: Any) -> Any:
    """Return a value that Python spells as RFC 8785 spells this one; raise _NotPlain where there is none.

    Whole floats become integers. Other floats are spelled alike (the shortest digits that read as the same
    number) where neither side writes an exponent.
    """
    kind: type = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int and -EXACT_INTEGERS_BELOW < value < EXACT_INTEGERS_BELOW:
        return value
    if kind is float:
        if value.is_integer() and abs(value) < EXACT_INTEGERS_BELOW:
            return int(value)
        if _DECIMAL_FROM <= abs(value) < EXACT_INTEGERS_BELOW:
            return value
    elif kind is dict:
        if all(type(key) is str and key.isascii() for key in value):
            return {key: _plain_of(item) for key, item in value.items()}
    elif kind is list:
        return [_plain_of(item) for item in value]
    raise _NotPlain


def content_hash(value: Any) -> str:
    """Return `sha256:` and the hash of the canonical spelling."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def parse_object(content: bytes | str, *, bytes_max: int = BYTES_MAX) -> dict[str, Any]:
    """Read one JSON object strictly: UTF-8, unique keys, finite numbers, bounded size and depth."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > bytes_max:
        raise _invalid("too large", "文件过大")
    if _depth(raw) > DEPTH_MAX:
        raise _invalid("nested too deeply", "嵌套过深")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_int=_exact_integer,
        )
        canonical_bytes(value)
    except (ValueError, RecursionError, UnicodeDecodeError) as error:
        raise _invalid(type(error).__name__, "格式错误") from error
    if not isinstance(value, dict):
        raise _invalid("not an object", "不是 JSON 对象")
    return value


def _depth(raw: bytes) -> int:
    """Bound the nesting from above by counting opening brackets that are not closed, strings included."""
    depth = deepest = 0
    for byte in raw:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        message = "the same key twice"
        raise ValueError(message)
    return result


def _exact_integer(text: str) -> int | float:
    """Read an integer; one beyond 2**53 must be the exact spelling of a float, or two texts would be one."""
    value = int(text)
    if abs(value) < EXACT_INTEGERS_BELOW:
        return value
    if rfc8785.dumps(float(text)) != text.encode():
        raise ValueError(text)
    return float(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _invalid(what: str, zh: str) -> BadInput:
    return BadInput(
        "JSON_INVALID",
        Text(zh=f"JSON 无法读取：{zh}。", en=f"The JSON cannot be read: {what}."),
        advice=Text(zh="请使用系统生成的原文件。", en="Use the file as the program wrote it."),
    )
