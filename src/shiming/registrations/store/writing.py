"""Writing one registration: one function call on PostgreSQL, a few statements in a row on SQLite."""

from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from shiming.registrations.store.postgresql_function import CALL, PARAMETERS, REFUSED
from shiming.registrations.store.sqlite_statements import write_on_sqlite


class Changed(Exception):
    """Something is not as it was when the facts were read; nothing was written. `what` is a code."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything that one registration writes; None where a part is not wanted or written elsewhere."""

    line_id: str
    operator: str
    number: str
    kind: str
    status: str
    product_class: str
    cap_scope: str
    cap_name: str | None  # None: the line is not counted
    cap: int
    counter_version: int  # of the counter that was decided on
    day: str
    position: int  # of the line among those of its session: later ones find it used up by the first
    place_kept: bool  # the session kept a place, which this line takes
    pooled: bool  # the number is the pool's: it is not taken from whom it is kept for, nor from its rest
    iccid: str | None  # of the card that becomes this line's
    subject: str
    session_id: str
    registered_at: datetime
    pack_hash: str
    receipt: str
    lane: int | None = None
    sequence: int | None = None
    leaf: str | None = None
    leaf_hash: str | None = None
    leaf_mac: str | None = None
    head_mac: str | None = None
    mac_key_id: str | None = None
    event_id: str
    event_facts: str
    client: str | None = None
    key: str | None = None
    request_hash: str | None = None
    response: str | None = None
    headers: str | None = None
    response_hash: str | None = None


in_order = attrgetter(*PARAMETERS)  # the values of a draft as the function takes them
_CALL = sa.text(CALL)


class _Failed(Protocol):
    sqlstate: str | None
    diag: Any


def write(connection: Connection, draft: Draft) -> int | None:
    """Write in a savepoint of the caller; return how many lines the holder has; raise `Changed`."""
    if connection.dialect.name != "postgresql":
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        try:
            active = write_on_sqlite(cursor, by_name(draft))
        finally:
            cursor.close()
        if isinstance(active, str):
            raise Changed(active)
        return active
    try:
        result: int | None = connection.execute(_CALL, by_name(draft)).scalar_one()
    except DBAPIError as problem:
        failed: _Failed | Any = problem.orig
        if getattr(failed, "sqlstate", None) == REFUSED:
            raise Changed(str(failed.diag.message_primary)) from None
        raise
    return result


def by_name(draft: Draft) -> dict[str, Any]:
    """Return the values of a draft by name."""
    return dict(zip(PARAMETERS, in_order(draft), strict=True))


if {field.name for field in fields(Draft)} != set(PARAMETERS):  # pragma: no cover - found at import
    raise AssertionError(PARAMETERS)
