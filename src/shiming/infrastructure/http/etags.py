"""Versions of resources: `ETag` on reading, `If-Match` on changing (RFC 9110 section 13).

version: Annotated[str, if_match()]          # 428 without the header
require_version(version, etag(line.version)) # 412 when somebody else was faster
"""

from typing import Annotated, Any

from fastapi import Depends, Header

from shiming.vocabulary.errors import BadInput, Text

_HEADER_CHARACTERS_MAX = 200


def etag(version: str | int) -> str:
    """Return the strong entity tag of a version.

    >>> etag(7)
    '"7"'
    """
    return f'"{version}"'


def if_match() -> Any:
    """Return the dependency that demands `If-Match`."""
    return Depends(_if_match)


async def _if_match(  # async: a thread would cost more than the work
    if_match: Annotated[
        str | None,
        Header(description="ETag of the version to change.", max_length=_HEADER_CHARACTERS_MAX),
    ] = None,
) -> str:
    if not if_match:
        raise BadInput(
            "IF_MATCH_MISSING",
            Text(zh="缺少 If-Match。", en="If-Match is missing."),
            Text(zh="请先读取资源，并发送其 ETag。", en="Read the resource first and send its ETag."),
        )
    return if_match


def require_version(wanted: str, current: str) -> None:
    """Return when the resource is still what the caller saw; raise BadInput (412) when not."""
    if wanted.strip() == "*" or current in {each.strip() for each in wanted.split(",")}:
        return
    raise BadInput(
        "VERSION_CHANGED",
        Text(zh="资源已被更改。", en="The resource has changed since you read it."),
        Text(zh="请重新读取后再试。", en="Read it again, then repeat the change."),
        {"etag": current},
    )
