"""The OpenAPI 3.1 document: what FastAPI derives, plus what every route has in common.

Common are the problems that any route can answer with, and which credentials its gates take. A feature's
route documents only its own outcomes.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext

from shiming.infrastructure.http.asking import Asked, gates_of
from shiming.infrastructure.http.problems import MEDIA_TYPE, PROBLEM_SCHEMA, problem_responses

DESCRIPTION = (
    "Real-name registration: prove the holder of a telephone line, register the line, protect what was "
    "collected. Problems follow RFC 9457 in the language of Accept-Language (zh, en). Every answer carries "
    "X-Request-Id. POSTs that create take an Idempotency-Key."
)
_SECURITY: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of POST /oauth/token (client credentials).",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-shiming_session",
        "description": "The cookie of a signed-in member of staff.",
    },
}
_ALWAYS = (400, 429, 500, 503)
_WITH_CALLER = (401, 403)
_WITH_BODY = (408, 413, 422)
_REPLACED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=DESCRIPTION,
            routes=app.routes,
        )
        _complete(made, app)
        app.openapi_schema = made
    return app.openapi_schema


def _complete(made: dict[str, Any], app: FastAPI) -> None:
    from shiming.entrypoints.http_api import routes_of

    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = _SECURITY
    for route in routes_of(app):
        for method in route.methods or ():
            operation = made["paths"].get(str(route.path_format), {}).get(method.lower())
            if operation is not None:
                _complete_operation(operation, route)


def _complete_operation(operation: dict[str, Any], route: RouteContext) -> None:
    responses = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    closed = any(isinstance(gate, Asked) for gate in gates_of(route.dependant))
    statuses = [*_ALWAYS, *(_WITH_CALLER if closed else ())]
    if "requestBody" in operation:
        statuses += _WITH_BODY
        if "multipart/form-data" in operation["requestBody"].get("content", {}):
            statuses.append(415)
    elif operation.get("parameters"):
        statuses.append(422)
    for status, response in problem_responses(*statuses).items():
        responses.setdefault(str(status), response)
    for response in responses.values():
        for media_type in response.get("content", {}):
            if media_type == MEDIA_TYPE:
                response["headers"] = {"X-Request-Id": {"schema": {"type": "string"}}}
    if closed:
        operation["security"] = [{name: []} for name in _SECURITY]
    operation["responses"] = dict(sorted(responses.items()))
