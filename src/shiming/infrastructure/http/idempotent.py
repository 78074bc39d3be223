"""A POST that creates: sent twice, it happens once and answers the same twice.

    key: Annotated[str | None, idempotency_key()]
    return idempotent(engine, asking.caller.reference, key, hash_of(request, body), work, now=clock.now())

`work(connection)` runs in the transaction that also holds the key; it returns an `Answer`. An answer never
carries a name or an identity number, because it is stored for the repeat.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import transact
from shiming.infrastructure.http.problems import MEDIA_TYPE
from shiming.infrastructure.idempotency import Kept, Repeated, claim, keep, request_hash

_PROBLEMS_FROM = 400
_KEY_PATTERN = r"^[\x21-\x7E]{1,80}$"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: status, JSON text, and headers worth repeating (Location, ETag)."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, body: BaseModel, **headers: str) -> "Answer":
        """Return the answer with this body; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, body.model_dump_json(), named)

    def response(self, *, repeated: bool = False) -> Response:
        """Return it as a response; a repeat says that it is one."""
        headers = {**self.headers, **({"idempotency-replayed": "true"} if repeated else {})}
        media_type = "application/json" if self.status < _PROBLEMS_FROM else MEDIA_TYPE
        return Response(self.text, self.status, headers=headers, media_type=media_type)


def idempotency_key() -> Any:
    """Return the dependency that reads the header `Idempotency-Key`; None without it."""
    return Depends(_idempotency_key)


async def _idempotency_key(  # async: a thread would cost more than the work
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=_KEY_PATTERN,
            description="Any unique text, such as a UUID: a repeat with the same key does nothing twice.",
        ),
    ] = None,
) -> str | None:
    return idempotency_key


def hash_of(request: Request, content: BaseModel | bytes) -> str:
    """Return the hash of what is asked: method, path and content."""
    body = content if isinstance(content, bytes) else content.model_dump_json().encode()
    return request_hash(request.method, request.url.path, body)


def idempotent(
    engine: Engine,
    client: str,
    key: str | None,
    wanted: str,
    work: Callable[[Connection], Answer],
    *,
    now: datetime,
) -> Response:
    """Run `work` in one transaction, once for each key of a client; a repeat gets the first answer.

    A duplicate that arrives while the first is at work waits for it: the key's row is claimed before the
    work, in the same transaction. The same key with another request raises IDEMPOTENCY_KEY_REUSED.
    """

    def once(connection: Connection) -> Response:
        if key is None:
            return work(connection).response()
        found = claim(connection, client, key, wanted, now)
        if isinstance(found, Repeated):
            return Answer(found.status, found.text, found.headers).response(repeated=True)
        answer = work(connection)
        keep(connection, client, key, Kept(answer.status, answer.text, answer.headers))
        return answer.response()

    return transact(engine, once)
