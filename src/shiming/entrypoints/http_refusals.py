"""Every way a request can fail, as a problem: our errors, invalid input, unknown routes and methods."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from shiming.infrastructure.http.problems import problem
from shiming.vocabulary.errors import BadInput, ShimingError, Text

ERRORS_SHOWN_MAX = 20  # the first few lead to the rest
_POINTER_CHARACTERS_MAX = 200


def add_refusals(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(ShimingError, _typed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _typed(request: Request, error: Exception) -> Response:
    if not isinstance(error, ShimingError):
        raise error
    return problem(request, error)


def _invalid(request: Request, error: Exception) -> Response:
    """Answer input that does not fit its description: where and why, never what was sent."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    if any(each["type"] == "json_invalid" for each in found):
        return problem(request, _unreadable())
    refusal = BadInput(
        "REQUEST_INVALID",
        Text(zh="请求内容不符合要求。", en="The request does not fit its description."),
        Text(
            zh="请按 errors 逐项修改；格式见 /openapi.json。", en="See errors; /openapi.json has the format."
        ),
    )
    answer = problem(request, refusal)
    return _with_errors(answer, found)


def _http(request: Request, error: Exception) -> Response:
    """Answer what the framework refused."""
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, ShimingError):  # raised while the body was read
        return problem(request, error.__cause__)
    answer = problem(request, _FRAMEWORK.get(error.status_code) or _unreadable())
    for name, value in (error.headers or {}).items():
        answer.headers.setdefault(name, value)
    return answer


def _with_errors(answer: Response, found: Sequence[Any]) -> Response:
    import json

    if not isinstance(answer, JSONResponse):  # a page; people are not shown JSON pointers
        return answer
    body = json.loads(bytes(answer.body))
    body["errors"] = [
        {"pointer": _pointer(each["loc"]), "code": str(each["type"]).upper(), "text": _without_input(each)}
        for each in found[:ERRORS_SHOWN_MAX]
    ]
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return JSONResponse(body, answer.status_code, headers=headers, media_type=answer.media_type)


def _pointer(place: Sequence[str | int]) -> str:
    """Return a JSON pointer into the body, or the name of a parameter.

    >>> _pointer(("body", "line", 0, "number")), _pointer(("query", "limit"))
    ('/line/0/number', '#query/limit')
    """
    where, *parts = place
    steps = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return (f"/{steps}" if where == "body" else f"#{where}/{steps}")[:_POINTER_CHARACTERS_MAX]


def _without_input(each: Any) -> str:
    """Return the message of a kind of mistake that cannot quote what was sent."""
    quoting = {"value_error", "assertion_error", "enum", "literal_error", "union_tag_invalid"}
    if each["type"] in quoting and "expected" not in each.get("ctx", {}):
        return "The value is not valid."
    return str(each["msg"])


def _unreadable() -> BadInput:
    return BadInput(
        "BODY_UNREADABLE",
        Text(zh="请求内容无法解析。", en="The body of the request cannot be read."),
        Text(zh="请发送 UTF-8 编码的 JSON。", en="Send JSON in UTF-8."),
    )


_FRAMEWORK: dict[int, ShimingError] = {
    HTTPStatus.NOT_FOUND: BadInput(
        "ROUTE_UNKNOWN",
        Text(zh="没有这个地址。", en="There is nothing at this address."),
        Text(zh="可用地址见 /openapi.json。", en="/openapi.json lists the addresses."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: BadInput(
        "METHOD_NOT_ALLOWED",
        Text(zh="此地址不支持该方法。", en="This address does not take this method."),
        Text(zh="可用方法见 Allow。", en="Allow lists the methods."),
    ),
}
