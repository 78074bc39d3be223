"""64 clients want lines for 50 people at 3 operators, for ten seconds, on both engines.

Watched by snapshots all the while: nobody may ever hold more lines than the cap. Afterwards every counter
equals the rows it counts, and every number and every ledger leaf is there once. The negative control counts
the rows instead of raising the counter, in one transaction with the insert: it must break the cap on
PostgreSQL, to show that the race is real. (On SQLite transactions begin immediately, one at a time, so even
counting is right there; its control counts in a transaction before.)
"""

import asyncio
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from benchmarks.registration_desk import reply
from benchmarks.report import report
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.idempotency import Kept
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.registration import RegisterLine
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use, registrations
from shiming.registrations.use_cases.drafting import Wanted
from shiming.registrations.use_cases.hot_path import Registrar, open_registrar
from shiming.registrations.use_cases.lines import terminate_line
from shiming.vocabulary.msisdn import Msisdn
from tests.databases import a_database
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_registration_policy, a_session

CLIENTS, PEOPLE, OPERATORS, CAP = 64, 50, 3, 5
SECONDS = 10.0
SESSIONS = 40_000  # more than ten seconds use up
NUMBERS = 2_000  # few enough to collide
ENDED_IN_A_HUNDRED = 30  # lines that are ended again, so that the counters move in both directions
_ACTIVE = lines.c.status != "terminated"


def main() -> None:
    """Race on both engines; the ratio is the most lines that anybody was ever seen with to the cap."""
    figures: dict[str, Any] = {}
    for kind in ("postgresql", "sqlite"):
        with TemporaryDirectory() as folder, a_database(kind, Path(folder) / "database") as url:
            desk = a_desk(Path(folder), a_registration_policy(CAP), url)
            figures[kind] = asyncio.run(race(desk))
            figures[kind]["control_most_lines"] = control(desk)
            desk.engine.dispose()
    exact = all(figures[kind]["exact"] for kind in figures)
    broke = figures["postgresql"]["control_most_lines"] > CAP
    most = max(figures[kind]["most_lines"] for kind in figures)
    report("hot_race", most / CAP if exact and broke else 99.0, 1.0, "at_most", **figures)


async def race(desk: Desk) -> dict[str, Any]:
    """Let everybody race; return what was seen and whether everything adds up."""
    write_sessions(desk)
    registrar = open_registrar(desk.tools, desk.engine)
    sessions = iter(range(SESSIONS))
    outcomes: Counter[str] = Counter()
    seen: list[int] = []
    ends = time.monotonic() + SECONDS

    async def client(number: int) -> None:
        dice = random.Random(number)
        while time.monotonic() < ends:
            await turn(desk, registrar, dice, next(sessions), outcomes)

    async def watch() -> None:
        while time.monotonic() < ends:
            seen.append(await asyncio.to_thread(most_lines, desk))
            await asyncio.sleep(0.02)

    await asyncio.gather(watch(), *(client(number) for number in range(CLIENTS)))
    await registrar.close()
    return {
        "most_lines": max(*seen, most_lines(desk)),
        "snapshots": len(seen),
        "outcomes": dict(outcomes),
        "exact": is_exact(desk, outcomes),
    }


async def turn(
    desk: Desk, registrar: Registrar, dice: random.Random, session: int, outcomes: Counter[str]
) -> None:
    """Register one line for whoever the session is of, and perhaps end it again."""
    number = Msisdn(f"+86138{dice.randrange(NUMBERS):08d}")
    command = RegisterLine(f"op-{dice.randrange(OPERATORS)}", number, f"SES-{session}")
    outcome = await registrar.register(Wanted(command, desk.policy, NOW, reply, None))
    if not isinstance(outcome, Kept):
        for refusal in outcome.refusals:
            outcomes[refusal.code.value] += 1
        return
    outcomes["registered"] += 1
    if dice.randrange(100) < ENDED_IN_A_HUNDRED:
        line = outcome.headers["location"].rpartition("/")[2]
        await asyncio.to_thread(end, desk, line)
        outcomes["ended"] += 1


def end(desk: Desk, line: str) -> None:
    """End a line; a deadlock would raise, because nothing is tried again here."""
    with unit_of_work(desk.engine) as connection:
        terminate_line(desk.tools, connection, line, why="holder_asked", policy=desk.policy, now=NOW)


def write_sessions(desk: Desk) -> None:
    """Write sessions of all people in turn."""
    for first in range(0, SESSIONS, 2_000):
        desk.sessions.add(
            *(a_session(f"SES-{n}", subject=f"p1.{n % PEOPLE}") for n in range(first, first + 2_000))
        )


def most_lines(desk: Desk) -> int:
    """Return the most lines that anybody holds at one operator, by one snapshot of the rows."""
    query = sa.select(sa.func.count()).select_from(lines).where(_ACTIVE)
    with reading(desk.engine) as connection:
        found = connection.execute(query.group_by(lines.c.subject, lines.c.operator)).scalars()
        return max(found, default=0)


def is_exact(desk: Desk, outcomes: Counter[str]) -> bool:
    """Say whether counters, numbers, registrations and ledger agree with the lines and with the answers."""
    with reading(desk.engine) as connection:
        counted = sa.select(lines.c.subject, lines.c.cap_scope, sa.func.count().label("n")).where(_ACTIVE)
        rows = {
            (row.subject, row.cap_scope): row.n
            for row in connection.execute(counted.group_by(lines.c.subject, lines.c.cap_scope))
        }
        counters = {
            (row.subject, row.cap_scope): row.active
            for row in connection.execute(cap_counters.select())
            if row.active
        }
        active = set(connection.execute(sa.select(lines.c.line_id).where(_ACTIVE)).scalars())
        in_use = set(connection.execute(sa.select(numbers_in_use.c.line_id)).scalars())
        acts = connection.execute(sa.select(sa.func.count()).select_from(registrations)).scalar_one()
    verified = isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)
    return (
        rows == counters
        and active == in_use
        and acts == outcomes["registered"]
        and len(active) == outcomes["registered"] - outcomes["ended"]
        and verified
    )


def control(desk: Desk) -> int:
    """Race without the counter; return the most lines that anybody got."""
    counted = threading.Barrier(8, timeout=60) if desk.engine.dialect.name == "sqlite" else None

    def naive(worker: int) -> None:
        dice = random.Random(worker)
        for turn_ in range(40):
            person, line = f"p1.control-{dice.randrange(4)}", f"CONTROL-{worker}-{turn_}"
            if counted is not None:
                with reading(desk.engine) as connection:
                    held = holds(connection, person)
                counted.wait()
                with unit_of_work(desk.engine) as connection:
                    insert_unless(connection, person, line, held)
            else:
                with unit_of_work(desk.engine) as connection:
                    insert_unless(connection, person, line, holds(connection, person))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(naive, range(8)))
    return most_lines(desk)


def holds(connection: Connection, person: str) -> int:
    """Count a person's lines."""
    query = sa.select(sa.func.count()).select_from(lines).where(lines.c.subject == person)
    return connection.execute(query).scalar_one()


def insert_unless(connection: Connection, person: str, line: str, held: int) -> None:
    """Add a line when the count allows."""
    if held < CAP:
        connection.execute(
            lines.insert().values(
                line_id=line, number=line[-16:], operator="op-0", product_class="voice", cap_scope="control",
                subject=person, session_id=line, status="active", registered_at=datetime.now(UTC),
            )
        )  # fmt: skip


if __name__ == "__main__":
    main()
