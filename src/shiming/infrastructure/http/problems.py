"""Errors as RFC 9457 problems: `application/problem+json` with a stable code, in the caller's language.

    {"type": "urn:shiming:problem:LINE_UNKNOWN", "title": "...", "detail": "...", "status": 404,
     "code": "LINE_UNKNOWN", "request_id": "..."}

`title` says what happened, `detail` what to do. The status of a code stands in one table
(`entrypoints.http_problems`), given to the application at start; here are only the defaults by kind.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from shiming.infrastructure.http.asking import Forbidden, Unauthenticated
from shiming.infrastructure.http.language import language_of
from shiming.vocabulary.errors import ShimingError, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5  # for whatever is unavailable and does not say itself when it will be back
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _CONFLICT, _UNAVAILABLE = 400, 401, 403, 409, 503
_TOO_MANY = 429
ProblemPage = Callable[[Request, ShimingError, int], Response | None]
"""Shows an error to a person; None: the caller is a program."""


class Refusal(ShimingError):
    """A refusal that the rules foresee, on its way out through HTTP: 409 unless the table says otherwise.

    Routes raise it when a use case returns such an outcome as a value.
    """


def status_of(error: ShimingError, table: Mapping[str, int]) -> int:
    """Return the status of an error: by its code, else by its kind."""
    if error.code in table:
        return table[error.code]
    match error:
        case Unauthenticated():
            return _UNAUTHORIZED
        case Forbidden():
            return _FORBIDDEN
        case Refusal():
            return _CONFLICT
        case Unavailable():
            return _UNAVAILABLE
        case _:
            return _BAD_REQUEST


def problem(request: Request, error: ShimingError) -> Response:
    """Return the answer for an error: a page where a person asked for one, else a problem document."""
    status = status_of(error, getattr(request.app.state, "problem_statuses", {}))
    language = language_of(request)
    request.state.problem_code = error.code  # for the request log
    as_page: ProblemPage | None = getattr(request.app.state, "problem_page", None)
    if as_page is not None and (found := as_page(request, error, status)) is not None:
        return found
    body: dict[str, Any] = {
        "type": f"urn:shiming:problem:{error.code}",
        "title": error.text.in_language(language),
        "status": status,
        "code": error.code,
    }
    if detail := error.advice.in_language(language):
        body["detail"] = detail
    if error.details:
        body["details"] = error.details
    if request_id := getattr(request.state, "request_id", None):
        body["request_id"] = request_id
    return JSONResponse(body, status, headers=_headers(error, status, language), media_type=MEDIA_TYPE)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the problems of a route: `responses=problem_responses(404, 409)`.

    401, 403, 422, 429, 500 and 503 are documented on every route that can give them; name only the others.
    """
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def _headers(error: ShimingError, status: int, language: str) -> dict[str, str]:
    headers = {"content-language": language, "cache-control": "no-store"}
    if status == _UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="shiming"'
    if status in {_TOO_MANY, _UNAVAILABLE}:
        headers["retry-after"] = str(error.details.get("retry_after_s", RETRY_AFTER_S))
    return headers


_DESCRIPTIONS = {
    400: "The request cannot be used.",
    401: "Nobody is signed in, or the credentials do not hold.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not know of it.",
    405: "The resource has no such method.",
    406: "No answer in a media type that was asked for.",
    408: "The request took too long to arrive.",
    409: "The state of the resource does not allow it, or a rule refuses it.",
    410: "It was erased.",
    411: "The length of the body is missing.",
    412: "The resource has changed since it was read.",
    413: "The body is larger than allowed.",
    415: "The content is of another type than allowed.",
    422: "The content was understood and is not valid.",
    428: "If-Match is needed.",
    429: "Too many requests; Retry-After says when to come back.",
    500: "A fault of the server.",
    503: "Something needed is unavailable or busy; Retry-After says when to come back.",
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string", "description": "What happened, in the language asked for."},
        "detail": {"type": "string", "description": "What to do."},
        "status": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
        "details": {"type": "object", "additionalProperties": True},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer, or `#query/name`."},
                    "code": {"type": "string"},
                    "text": {"type": "string"},
                },
            },
        },
    },
}
