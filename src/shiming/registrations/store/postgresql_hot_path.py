"""Connections of the hot path on PostgreSQL: asyncpg, two prepared statements, a ledger lane each.

A connection takes its lane by the protocol of `privacy.store.ledger` (the session's advisory lock `LANE_LOCK`
on the number of the lane), so no other connection of any process writes to it; the lane's last number
is therefore known here and need not be read. Should it ever be wrong, the function refuses (`LANE_MOVED`)
and it is read again.

The pool is our own: asyncpg's resets a connection on its return, which would give the lane away.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from sqlalchemy.engine import URL

from shiming.infrastructure.encryption import KeyProvider, KeyUse
from shiming.privacy.use_cases.ledger import head_message
from shiming.registrations.store.facts import Found, facts_query, found
from shiming.registrations.store.postgresql_function import CALL, LANE_MOVED, REFUSED, numbered
from shiming.registrations.store.writing import Changed, Draft, in_order
from shiming.vocabulary.errors import ShimingError, Text, Unavailable

POOL_SIZE = 8  # about four connections a core; more make it slower (docs/explanation/scale.md)
LANE_LOCK = 0x5348  # the class of advisory locks of `privacy.store.ledger`; a test holds the two equal
_TIMEOUT_S = 30.0  # as long as a writer waits on SQLite
_SETTINGS = {
    "application_name": "shiming registrations",
    "timezone": "UTC",
    "jit": "off",  # compiling costs more than these statements take
    "plan_cache_mode": "force_generic_plan",  # every call looks like every other
    "enable_seqscan": "off",  # all is found by key; a plan made while a table was empty would read all of it
}
PLAN_AGAIN_FIRST = 64  # registrations of a connection; then twice as many, and so on
_FACTS, _FACTS_NAMES = numbered(facts_query("postgresql"))
_CALL, _ = numbered(CALL)
_GIVEN_UP = {"40001", "40P01"}  # serialization_failure, deadlock_detected


@dataclass(slots=True)
class HotConnection:
    """One connection with its lane. Used by one task at a time."""

    driver: Any
    lane: int
    last: int
    _facts: Any = field(repr=False)
    _call: Any = field(repr=False)
    _written: int = 0
    _plan_again_at: int = PLAN_AGAIN_FIRST

    async def read_facts(self, parameters: Mapping[str, Any]) -> Found:
        """Read what a registration is decided on."""
        rows = await self._facts.fetch(*(parameters[name] for name in _FACTS_NAMES))
        return found(rows, parameters["number"])

    async def write(self, draft: Draft) -> int | None:
        """Write a registration whose leaf has the lane's next number; raise `Changed` when nothing was."""
        try:
            active: int | None = await self._call.fetchval(*in_order(draft))
        except asyncpg.PostgresError as problem:
            if problem.sqlstate == REFUSED:
                if str(problem) == LANE_MOVED:
                    self.last = await last_of(self.driver, self.lane)
                raise Changed(str(problem)) from None
            if problem.sqlstate in _GIVEN_UP:
                raise Changed("GIVEN_UP") from None
            raise
        self.last += 1
        await self._plan_again_when_grown()
        return active

    async def _plan_again_when_grown(self) -> None:
        """Let PostgreSQL plan anew, ever more rarely: a plan for small tables picks the wrong index."""
        self._written += 1
        if self._written >= self._plan_again_at:
            self._plan_again_at *= 2
            await self.driver.execute("DISCARD PLANS")


class HotConnections:
    """At most `size` connections of one event loop, made when they are needed."""

    def __init__(self, url: URL, keys: KeyProvider, size: int = POOL_SIZE) -> None:
        address = url.set(drivername="postgresql")
        self._address = address.render_as_string(hide_password=False)
        self._keys = keys
        self._idle: list[HotConnection] = []
        self._places = asyncio.Semaphore(size)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[HotConnection]:
        """Lend a connection; one that failed is closed, and the failure becomes `Unavailable`."""
        async with self._places:
            try:
                lent = self._still_open() or await self._open()
            except _BROKEN as problem:
                raise _unavailable(problem) from problem
            try:
                yield lent
            except ShimingError:
                self._idle.append(lent)
                raise
            except _BROKEN as problem:
                lent.driver.terminate()
                raise _unavailable(problem) from problem
            except BaseException:  # cancelled: whether the last statement happened is not known here
                lent.driver.terminate()
                raise
            self._idle.append(lent)

    async def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            await self._idle.pop().driver.close()

    def _still_open(self) -> HotConnection | None:
        while self._idle:
            lent = self._idle.pop()
            if not lent.driver.is_closed():  # the server may have been restarted meanwhile
                return lent
        return None

    async def _open(self) -> HotConnection:
        driver = await asyncpg.connect(
            self._address,
            timeout=_TIMEOUT_S,
            command_timeout=_TIMEOUT_S,
            server_settings=_SETTINGS,
            statement_cache_size=0,
        )
        try:
            lane = await self._take_lane(driver)
            # named: without a statement cache an unnamed one would be parsed and planned at every call
            last = await last_of(driver, lane)
            return HotConnection(
                driver,
                lane,
                last,
                await driver.prepare(_FACTS, name="shiming_facts"),
                await driver.prepare(_CALL, name="shiming_register"),
            )
        except BaseException:
            driver.terminate()
            raise

    async def _take_lane(self, driver: Any) -> int:
        """Return a lane that nobody holds, or a new one; it is held until the connection closes."""
        for row in await driver.fetch("SELECT lane FROM ledger_lanes ORDER BY lane"):
            if await driver.fetchval("SELECT pg_try_advisory_lock($1, $2)", LANE_LOCK, row["lane"]):
                lane: int = row["lane"]
                return lane
        mac = self._keys.mac(KeyUse.LEDGER, head_message(None))
        async with driver.transaction():  # held before anybody else can see it
            new: int = await driver.fetchval(
                "INSERT INTO ledger_lanes (sequence, mac, key_id) VALUES (0, $1, $2) RETURNING lane",
                mac.value,
                mac.key_id,
            )
            await driver.fetchval("SELECT pg_advisory_lock($1, $2)", LANE_LOCK, new)
        return new


async def last_of(driver: Any, lane: int) -> int:
    """Return the number of the last leaf of a lane."""
    last: int = await driver.fetchval("SELECT sequence FROM ledger_lanes WHERE lane = $1", lane)
    return last


_BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # a timeout is an OSError
_OUT_OF_RESOURCES = "53"  # class of SQLSTATE: disk full, out of memory, too many connections


def _unavailable(problem: Exception) -> Unavailable:
    """Return the error for a database that failed; without the server's words, which may quote a row."""
    if str(getattr(problem, "sqlstate", "")).startswith(_OUT_OF_RESOURCES):
        return Unavailable(
            "DATABASE_FULL",
            Text(zh="数据库资源不足，尚未写入任何内容。", en="The database is out of space or connections."),
            Text(zh="请释放磁盘空间或连接后重试。", en="Free space or connections, then try again."),
        )
    return Unavailable(
        "DATABASE_UNAVAILABLE",
        Text(zh="数据库不可用。", en="The database cannot be used."),
        Text(zh="请检查数据库服务后重试。", en="Check the database server, then try again."),
        {"reason": type(problem).__name__},
    )
