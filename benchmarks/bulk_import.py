"""How fast 100 000 lines of an organisation are entered from a CSV, beside a raw copy of the same rows.

The reference writes the very rows that the import left behind - the lines and the kept numbers - into the
same tables by PostgreSQL's COPY, on SQLite by `executemany`: no reading of a file, no checks, no ledger, one
transaction. Rounds alternate, each on an emptied pair of tables. Memory: how much the import grows the
process, watched while it runs, which has to stay under `MEMORY_GROWTH_MB_MAX` however long the file is.

python -m benchmarks.bulk_import [--engine sqlite|postgresql] [--rows 100000] [--json]
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from benchmarks.report import report
from shiming.infrastructure.database import reading, unit_of_work
from shiming.registrations.model.enterprise_lines import ImportReport
from shiming.registrations.store.enterprise_lines import enterprise_contracts, enterprise_imports
from shiming.registrations.store.enterprise_lines import enterprise_lines as lines
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.use_cases.enterprise_import import import_enterprise_lines
from tests.databases import ENGINES, a_database
from tests.registrations.enterprise_builders import Enterprise, an_enterprise, some_numbers

ROWS = 100_000
ROUNDS = 3
GOAL = 0.25  # issue: rows/s at least 0.25 of a raw copy of the same rows
MEMORY_GROWTH_MB_MAX = 48.0  # batches of 5000 rows, the reader's buffers, and what the allocator keeps
WATCH_EVERY_S = 0.02


def write_table(file: Path, rows: int) -> None:
    """Write the CSV: number, kind, product and a staff number."""
    with file.open("w", encoding="utf-8") as table:
        table.write("number,kind,product,user\n")
        table.writelines(
            f"{number},mobile,voice,staff-{at:06d}\n" for at, number in enumerate(some_numbers(rows))
        )


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def watched(work: Callable[[], object]) -> tuple[float, float]:
    """Do some work; return its seconds and by how many MB the process grew meanwhile at most."""
    done = threading.Event()
    seen = [resident_mb()]

    def watch() -> None:
        while not done.wait(WATCH_EVERY_S):
            seen.append(resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    seconds = timed(work)
    done.set()
    watcher.join()
    return seconds, max(seen) - seen[0]


def resident_mb() -> float:
    """Return the present resident memory in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def empty(engine: Engine) -> None:
    """Take all lines and kept numbers away."""
    with unit_of_work(engine) as connection:
        for table in (lines, numbers_held, enterprise_imports):
            connection.execute(table.delete())
        connection.execute(enterprise_contracts.update().values(lines_entered=0))
    if engine.dialect.name == "postgresql":  # dead rows of the round before are nobody's cost
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM enterprise_lines, numbers_held"))


def raw_rows(engine: Engine, table: sa.Table) -> list[tuple[Any, ...]]:
    """Return the rows of a table as its driver takes them."""
    names = ", ".join(column.name for column in table.c)
    with reading(engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {names} FROM {table.name}")]  # noqa: S608


def copy_raw(engine: Engine, rows: dict[sa.Table, list[tuple[Any, ...]]]) -> None:
    """Write rows with nothing around them."""
    with unit_of_work(engine) as connection:
        for table, values in rows.items():
            _copy(connection, table, values)


def _copy(connection: Connection, table: sa.Table, values: list[tuple[Any, ...]]) -> None:
    names = ", ".join(column.name for column in table.c)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.c))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def measure(kind: str, count: int) -> dict[str, Any]:
    """Alternate imports and raw copies on one engine."""
    with tempfile.TemporaryDirectory() as name, a_database(kind, Path(name) / "database") as url:
        folder = Path(name)
        enterprise = an_enterprise(folder, url, lines=count)
        file = folder / "lines.csv"
        write_table(file, count)
        imports, copies, growths, ratios = [], [], [], []
        for _ in range(ROUNDS + 1):
            seconds, growth = watched(lambda: run_import(enterprise, file, count))
            rows = {table: raw_rows(enterprise.engine, table) for table in (numbers_held, lines)}
            empty(enterprise.engine)
            copied = timed(lambda rows=rows: copy_raw(enterprise.engine, rows))  # type: ignore[misc]
            empty(enterprise.engine)
            imports.append(count / seconds)
            copies.append(count / copied)
            ratios.append(copied / seconds)
            growths.append(growth)
        enterprise.engine.dispose()
    # the first round warms caches and imports modules
    return {
        f"{kind}_ratio": round(median(ratios[1:]), 3),
        f"{kind}_rows_a_second": round(median(imports[1:])),
        f"{kind}_raw_rows_a_second": round(median(copies[1:])),
        f"{kind}_memory_growth_mb": round(max(growths), 1),
    }


def run_import(enterprise: Enterprise, file: Path, count: int) -> None:
    """Import the file and see that all of it went in."""
    with file.open("rb") as stream:
        done = import_enterprise_lines(
            enterprise.desk, enterprise.engine, enterprise.contract_id, stream=stream, name=file.name
        )
    if not isinstance(done, ImportReport) or done.entered != count:
        raise SystemExit(done)


def main() -> None:
    """Measure and report the slower engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    kinds = [asked.engine] if asked.engine else list(ENGINES)
    figures: dict[str, Any] = {"rows": asked.rows}
    for kind in kinds:
        figures |= measure(kind, asked.rows)
    growth = max(figures[f"{kind}_memory_growth_mb"] for kind in kinds)
    if growth > MEMORY_GROWTH_MB_MAX:
        raise SystemExit(f"the import grew the process by {growth} MB, more than {MEMORY_GROWTH_MB_MAX}")
    ratio = min(figures[f"{kind}_ratio"] for kind in kinds)
    report("bulk_import", ratio, GOAL, "at_least", **figures)


if __name__ == "__main__":
    main()
