"""Writing a batch of enterprise lines: one look for conflicts, one statement for the numbers, one for lines.

On PostgreSQL lines are copied (COPY), and so are the holds of numbers that nobody had: an INSERT that minds
conflicts takes twice as long, and is the way out where another transaction was quicker. On SQLite lines are
inserted by the driver's `executemany`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.tables import UtcInstant
from shiming.registrations.model.enterprise_lines import EnterpriseLineState, Taken, WantedLine

_LIST = {
    "postgresql": "unnest(CAST(:numbers AS varchar[])) AS w(number)",
    "sqlite": "(SELECT value AS number FROM json_each(:numbers)) AS w",
}
_AMONG = {
    "postgresql": "= ANY(CAST(:numbers AS varchar[]))",
    "sqlite": "IN (SELECT value FROM json_each(:numbers))",
}
#: Each table is asked by its own key: joined to the wanted numbers, PostgreSQL reads all of a filled table.
_TAKEN = """
SELECT number, u.line_id, h.state, h.held_for, h.until, e.contract_id, e.kind, e.product_class,
       e.user_reference, e.iccid
FROM (SELECT number, line_id FROM numbers_in_use WHERE number {among}) AS u
FULL JOIN (SELECT number, state, held_for, until FROM numbers_held WHERE number {among}) AS h USING (number)
FULL JOIN (SELECT number, contract_id, kind, product_class, user_reference, iccid
           FROM enterprise_lines WHERE number {among}) AS e USING (number)
"""
#: What ran out or is kept for this organisation already is taken over; a row of another transaction is not.
_HOLD = """
INSERT INTO numbers_held (number, operator, state, held_for, until)
SELECT w.number, :operator, 'reserved', :organisation, :until FROM {wanted} WHERE true
ON CONFLICT (number) DO UPDATE
SET operator = excluded.operator, state = excluded.state, held_for = excluded.held_for, until = excluded.until
WHERE numbers_held.until <= :now
   OR (numbers_held.held_for = excluded.held_for AND numbers_held.state = 'reserved')
RETURNING number
"""
#: Places that nobody else ever sees: who registers such a number meanwhile waits, then sees the hold
#: (as in `numbers.hold`). SQLite has one writer, which has just looked.
_PLACES = """
INSERT INTO numbers_in_use (number, operator, line_id)
SELECT w.number, :operator, '' FROM {wanted} ON CONFLICT DO NOTHING RETURNING number
"""
_PLACES_BACK = "DELETE FROM numbers_in_use WHERE line_id = '' AND number = ANY(CAST(:numbers AS varchar[]))"
_COLUMNS = (
    "number", "operator", "contract_id", "organisation", "kind", "product_class", "user_reference",
    "state", "entered_at", "iccid", "contact_evidence",
)  # fmt: skip
_COPY_LINES = f"COPY enterprise_lines ({', '.join(_COLUMNS)}) FROM STDIN"
_COPY_PLACES = "COPY numbers_in_use (number, operator, line_id) FROM STDIN"
_COPY_HOLDS = "COPY numbers_held (number, operator, state, held_for, until) FROM STDIN"
_INSERT = f"INSERT INTO enterprise_lines ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_UNIQUE_VIOLATION = "23505"  # SQLSTATE


@dataclass(frozen=True, slots=True)
class BatchOwner:
    """Whose lines they are, and until when their numbers are kept."""

    contract_id: str
    organisation: str
    operator: str
    now: datetime
    until: datetime


def find_taken(connection: Connection, numbers: Sequence[str]) -> Mapping[str, Taken]:
    """Return what is known of those numbers that are in a line, kept, or entered already."""
    statement = sa.text(_TAKEN.format(among=_AMONG[connection.dialect.name])).columns(until=UtcInstant)
    found = connection.execute(statement, {"numbers": _as_list(connection, numbers)})
    return {
        row.number: Taken(
            line_id=row.line_id,
            held_state=row.state,
            held_for=row.held_for,
            held_until=row.until,
            contract_id=row.contract_id,
            content=(row.kind, row.product_class, row.user_reference, row.iccid) if row.contract_id else None,
        )
        for row in found
    }


def hold_numbers(
    connection: Connection, owner: BatchOwner, numbers: Sequence[str], *, nobodys: bool
) -> frozenset[str]:
    """Keep numbers for the organisation; return those that it has now, without those another one took.

    `nobodys`: none of them was kept for anybody when one looked, which says how to try first.
    """
    wanted = sorted(numbers)  # one order, so that two imports cannot lock up
    in_turn = connection.dialect.name == "postgresql"
    if in_turn and nobodys and _copy_holds(connection, owner, wanted):
        return frozenset(wanted)
    if in_turn:
        places = sa.text(_PLACES.format(wanted=_LIST["postgresql"]))
        placed = connection.execute(places, {"numbers": wanted, "operator": owner.operator}).scalars()
        wanted = sorted(placed)
    statement = sa.text(_HOLD.format(wanted=_LIST[connection.dialect.name])).bindparams(
        sa.bindparam("until", type_=UtcInstant), sa.bindparam("now", type_=UtcInstant)
    )
    values = {
        "numbers": _as_list(connection, wanted),
        "operator": owner.operator,
        "organisation": owner.organisation,
        "until": owner.until,
        "now": owner.now,
    }
    held = frozenset(connection.execute(statement, values).scalars())
    if in_turn:
        connection.execute(sa.text(_PLACES_BACK), {"numbers": wanted})
    return held


def _copy_holds(connection: Connection, owner: BatchOwner, numbers: Sequence[str]) -> bool:
    """Keep numbers by COPY; False, with nothing written, where another transaction has one of them now."""
    held = f"\t{owner.operator}\treserved\t{owner.organisation}\t{owner.until.isoformat()}\n"
    placed = f"\t{owner.operator}\t\n"
    attempt = connection.begin_nested()
    try:
        _copy(connection, _COPY_PLACES, "".join([number + placed for number in numbers]))
        _copy(connection, _COPY_HOLDS, "".join([number + held for number in numbers]))
    except Exception as problem:
        attempt.rollback()
        if getattr(problem, "sqlstate", None) != _UNIQUE_VIOLATION:
            raise
        return False
    connection.execute(sa.text(_PLACES_BACK), {"numbers": numbers})
    attempt.commit()
    return True


def write_lines(
    connection: Connection, owner: BatchOwner, lines: Sequence[WantedLine], contact_evidence: str | None
) -> None:
    """Write lines that await their users; the caller has kept their numbers."""
    if connection.dialect.name == "postgresql":
        _copy(connection, _COPY_LINES, _as_copied(owner, lines, contact_evidence))
        return
    at = owner.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")  # as UtcInstant is kept there
    state = EnterpriseLineState.AWAITING.value
    connection.exec_driver_sql(
        _INSERT,
        [
            (
                line.number, owner.operator, owner.contract_id, owner.organisation, line.kind,
                line.product_class, line.user_reference, state, at, line.iccid,
                contact_evidence if line.contact else None,
            )
            for line in lines
        ],
    )  # fmt: skip


def _as_copied(owner: BatchOwner, lines: Sequence[WantedLine], contact_evidence: str | None) -> str:
    whose = f"{owner.operator}\t{owner.contract_id}\t{owner.organisation}"
    when = f"{EnterpriseLineState.AWAITING.value}\t{owner.now.isoformat()}"
    contacts = contact_evidence or _NULL
    return "".join(
        [
            f"{line.number}\t{whose}\t{line.kind}\t{line.product_class}\t"
            f"{line.user_reference.translate(_ESCAPES)}\t{when}\t{line.iccid or _NULL}\t"
            f"{contacts if line.contact else _NULL}\n"
            for line in lines
        ]
    )


def _copy(connection: Connection, statement: str, text: str) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(text)


def _as_list(connection: Connection, numbers: Sequence[str]) -> Any:
    return list(numbers) if connection.dialect.name == "postgresql" else json.dumps(list(numbers))
