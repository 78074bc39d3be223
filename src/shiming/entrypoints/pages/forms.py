"""Forms: what a browser posts, parsed once; and the CSRF token of pages that work without script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiming.accounts.asking import CSRF_HEADER
from shiming.infrastructure.http.language import language_of
from shiming.vocabulary.errors import BadInput, ShimingError, Text

FIELDS_MAX = 200  # the largest form of ours has thirty
CSRF_FIELD = "csrf_token"
_FORM = b"application/x-www-form-urlencoded"
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Filled(Generic[Model]):
    """A form as it came: its `value`, or None with `mistakes` by field; `entered` is shown again."""

    value: Model | None
    mistakes: Mapping[str, str] = field(default_factory=dict)
    entered: Mapping[str, str] = field(default_factory=dict, repr=False)

    def again(self) -> dict[str, Any]:
        """Return what the template needs to show the form again."""
        return {"mistakes": self.mistakes, "entered": self.entered}


def form(model: type[Model]) -> Any:
    """Declare what a route reads: `wanted: Annotated[Filled[BlockForm], ...]` with the model BlockForm.

    An empty field counts as not given. Several values under one name become a list.
    """

    async def read(request: Request) -> Filled[Model]:
        return parse_form(model, await request.body(), language_of(request))

    return Depends(read)


def parse_form(model: type[Model], body: bytes, language: str) -> Filled[Model]:
    """Parse the body of a form; raises BadInput (FORM_UNREADABLE) for what no browser sends."""
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeError) as problem:
        raise _unreadable() from problem
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        if name != CSRF_FIELD and value.strip():
            several.setdefault(name, []).append(value.strip())
    single = {name: values[0] for name, values in several.items() if len(values) == 1}
    given = {name: values if _is_list(model, name) else values[0] for name, values in several.items()}
    try:
        return Filled(model.model_validate(given), {}, single)
    except ValidationError as problem:
        mistakes = {
            str(each["loc"][0]) if each["loc"] else "": _explained(each, language)
            for each in problem.errors()
        }
        return Filled(None, mistakes, single)


def _is_list(model: type[BaseModel], name: str) -> bool:
    found = model.model_fields.get(name)
    return found is not None and str(found.annotation).startswith(("list", "tuple"))


def _explained(each: Any, language: str) -> str:
    """Return what is wrong with one field, without repeating what was entered."""
    cause = each.get("ctx", {}).get("error")
    if isinstance(cause, ShimingError):
        return cause.text.in_language(language)
    return _TEXTS.get(each["type"], _NOT_VALID).in_language(language)


_NOT_VALID = Text(zh="此项的格式不正确。", en="This is not in the right form.")
_TEXTS = {
    "missing": Text(zh="请填写此项。", en="Please fill this in."),
    "string_too_long": Text(zh="内容过长。", en="This is too long."),
    "string_too_short": Text(zh="内容过短。", en="This is too short."),
    "enum": Text(zh="请选择一项。", en="Choose one of the options."),
    "literal_error": Text(zh="请选择一项。", en="Choose one of the options."),
    "int_parsing": Text(zh="请输入整数。", en="Enter a whole number."),
    "date_from_datetime_parsing": Text(zh="请输入日期。", en="Enter a date."),
}


def _unreadable() -> BadInput:
    return BadInput(
        "FORM_UNREADABLE",
        Text(zh="表单内容无法解析。", en="The form cannot be read."),
        Text(zh="请返回页面重新填写。", en="Go back to the page and fill it in again."),
    )


@dataclass(frozen=True, slots=True)
class CsrfField:
    """Lets forms without script carry the CSRF token in a field: it becomes the header that is asked for."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look into the body of a plain form that has no token in its header, and hand the body on unread."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _is_plain_form(scope):
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if token := _token(body):
            scope["headers"] = [*scope["headers"], (CSRF_HEADER.encode(), token)]
        handed_on = False

        async def again() -> Message:
            nonlocal handed_on
            if handed_on:
                return await receive()
            handed_on = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)


def _is_plain_form(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return CSRF_HEADER not in headers and headers.get("content-type", "").encode().startswith(_FORM)


def _token(body: bytes) -> bytes | None:
    try:
        found = dict(parse_qsl(body.decode("ascii"), max_num_fields=FIELDS_MAX)).get(CSRF_FIELD)
    except ValueError:
        return None
    return found.encode("latin-1", "ignore") if found else None
