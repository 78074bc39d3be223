"""What sealing costs the writers of the ledger, and how fast and in how much memory it is verified.

Writers: each transaction of eight clients appends one leaf and does nothing else, so that the share of the
sealer is as large as it can be; the sealer runs every second in a process of its own, as in the worker.
Rounds with and without it alternate. The reference of the verification reads the same rows and hashes them.

python -m benchmarks.ledger [--engine sqlite|postgresql] [--leaves 1000000] [--json]
"""

import argparse
import hashlib
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from benchmarks.report import report
from shiming.infrastructure.clock import SystemClock
from shiming.infrastructure.database import open_database, reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.signed_notes import NoteSigner, log_signer
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.model import LedgerVerified
from shiming.privacy.store.ledger import ledger_lanes, ledger_leaves
from shiming.privacy.store.ledger_tree import ledger_batches
from shiming.privacy.use_cases.ledger import draft_leaf, record
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.privacy.use_cases.verifying import verify_ledger
from tests.databases import ENGINES, a_database

CLIENTS = 8
ROUNDS = 5
ROUND_S = 4.0
SEAL_EVERY_S = 1.0
WATCH_EVERY_S = 0.05
WRITERS_GOAL = 0.85  # sealing costs writers less than 15 %
MINUTES_GOAL = 5.0  # "1 M leaves in minutes"
LANES = 4
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEYS = InMemoryKeys({KeyUse.LEDGER: {"l1": b"l" * 32}})
FACTS = {"case": "SES-0081-0G3G-50C7-1", "decision": "verified", "receipt": hashlib.sha256(b"").hexdigest()}


def the_log() -> NoteSigner:
    """Return the signer of the benchmark's checkpoints."""
    return log_signer(Ed25519Signer.from_seed(bytes(32)))


def seal_every_second(url: str, running: Any, stop: Any, busy: Any) -> None:
    """Seal while `running` is set; this is a process of its own."""
    engine = open_database(url)
    while not stop.is_set():
        if running.is_set():
            started = time.perf_counter()
            seal_ledger(engine, KEYS, the_log(), SystemClock())
            busy.value += time.perf_counter() - started
        stop.wait(SEAL_EVERY_S)


def leaves_a_second(engine: Engine, seconds: float) -> float:
    """Let all clients write for a while; return leaves a second."""
    until = time.perf_counter() + seconds
    counts = [0] * CLIENTS

    def write(client: int) -> None:
        while time.perf_counter() < until:
            with unit_of_work(engine) as connection:
                record(connection, KEYS, kind="session.decided", facts=FACTS, now=NOW, operator=f"op{client}")
            counts[client] += 1

    threads = [threading.Thread(target=write, args=(client,)) for client in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def measure_writers(kind: str, url: str) -> dict[str, Any]:
    """Alternate rounds with and without the sealer."""
    context = multiprocessing.get_context("spawn")
    running, stop, busy = context.Event(), context.Event(), context.Value("d", 0.0)
    sealer = context.Process(target=seal_every_second, args=(url, running, stop, busy))
    sealer.start()
    engine = open_database(url)
    leaves_a_second(engine, 1.0)  # connections and lanes
    ratios: list[float] = []
    without: list[float] = []
    sealing: list[float] = []
    for number in range(ROUNDS):
        for with_sealer in (True, False) if number % 2 else (False, True):
            (running.set if with_sealer else running.clear)()
            time.sleep(SEAL_EVERY_S)  # what is left of the other round is sealed, or its seal ends
            (sealing if with_sealer else without).append(leaves_a_second(engine, ROUND_S))
        ratios.append(sealing[-1] / without[-1])
    stop.set()
    sealer.join()
    seal_ledger(engine, KEYS, the_log(), SystemClock())
    found = verify_ledger(engine, KEYS, (the_log().key,))
    with reading(engine) as connection:
        batches = connection.execute(sa.select(sa.func.count()).select_from(ledger_batches)).scalar_one()
    engine.dispose()
    found_here = {
        "writers_ratio": round(median(ratios), 3),
        "leaves_a_second_without": round(median(without)),
        "leaves_a_second_sealing": round(median(sealing)),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "sealer_busy_share": round(busy.value / (ROUNDS * (ROUND_S + SEAL_EVERY_S)), 3),
        "batches": batches,
        "verified": isinstance(found, LedgerVerified) and found.leaves == found.sealed,
    }
    return {f"{kind}_{name}": value for name, value in found_here.items()}


def fill(engine: Engine, leaves: int) -> None:
    """Write leaves in bulk, as if four connections had written them."""
    each = leaves // LANES
    for lane in range(1, LANES + 1):
        for first in range(1, each + 1, 10_000):
            drafts = [
                draft_leaf(KEYS, lane=lane, sequence=number, kind="session.decided", facts=FACTS, now=NOW)
                for number in range(first, min(first + 10_000, each + 1))
            ]
            rows = [
                {
                    "operator": "",
                    "lane": lane,
                    "sequence": draft.ref.sequence,
                    "leaf": draft.text,
                    "hash": draft.ref.hash,
                    "mac": draft.mac,
                    "key_id": draft.key_id,
                }
                for draft in drafts
            ]
            with unit_of_work(engine) as connection:
                connection.execute(ledger_leaves.insert(), rows)
        with unit_of_work(engine) as connection:
            head = {"lane": lane, "sequence": each, "mac": drafts[-1].head_mac, "key_id": drafts[-1].key_id}
            connection.execute(ledger_lanes.insert().values(head))


def measured(url: str, answers: Any, what: str) -> None:
    """Do one thing in a process of its own; answer its seconds and by how much its memory grew (MB)."""
    engine = open_database(url)
    with reading(engine) as connection:
        connection.execute(sa.text("SELECT 1"))
    things: dict[str, Callable[[Engine], object]] = {"seal": _seal, "verify": _verify, "read": _read}
    done = threading.Event()
    seen = [resident_mb()]

    def watch() -> None:
        while not done.wait(WATCH_EVERY_S):
            seen.append(resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    things[what](engine)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    answers.put((seconds, max(seen) - seen[0]))


def resident_mb() -> float:
    """Return the present resident memory in MB; the peak of a spawned process begins with its parent's."""
    return float(psutil.Process().memory_info().rss) / 1e6


def _seal(engine: Engine) -> None:
    seal_ledger(engine, KEYS, the_log(), SystemClock())


def _verify(engine: Engine) -> None:
    found = verify_ledger(engine, KEYS, (the_log().key,), progress=lambda *_: None)
    if not isinstance(found, LedgerVerified):
        raise SystemExit(found)


def _read(engine: Engine) -> None:
    """Read and hash the same rows: what any verification costs at least."""
    query = ledger_leaves.select().order_by(ledger_leaves.c.lane, ledger_leaves.c.sequence)
    with reading(engine) as connection:
        for row in connection.execute(query.execution_options(yield_per=1000)):
            hashlib.sha256(b"\x00" + row.leaf.encode()).hexdigest()


def measure_verification(kind: str, url: str, leaves: int) -> dict[str, Any]:
    """Fill, seal the backlog, verify; each in a fresh process."""
    engine = open_database(url)
    fill(engine, leaves)
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    found = {}
    for what in ("seal", "read", "verify"):
        process = context.Process(target=measured, args=(url, answers, what))
        process.start()
        found[what] = answers.get()
        process.join()
    seconds, memory = found["verify"]
    figures = {
        "verify_minutes_a_million": round(seconds / 60 * 1_000_000 / leaves, 2),
        "leaves": leaves,
        "minutes_are": "measured" if leaves >= 1_000_000 else f"for 1 M, extrapolated from {leaves}",
        "verify_seconds": round(seconds, 1),
        "leaves_a_second": round(leaves / seconds),
        "of_reading_and_hashing": round(seconds / found["read"][0], 2),
        "memory_growth_mb": round(memory, 1),
        "backlog_seal_leaves_a_second": round(leaves / found["seal"][0]),
        "seal_memory_growth_mb": round(found["seal"][1], 1),
    }
    return {f"{kind}_{name}": value for name, value in figures.items()}


def main() -> None:
    """Measure on one engine or both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--leaves", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {}
    for kind in [chosen.engine] if chosen.engine else ENGINES:
        with tempfile.TemporaryDirectory() as folder, a_database(kind, Path(folder) / "writers") as url:
            figures |= measure_writers(kind, url)
        with tempfile.TemporaryDirectory() as folder, a_database(kind, Path(folder) / "verify") as url:
            figures |= measure_verification(kind, url, chosen.leaves)
    writers = min(value for name, value in figures.items() if name.endswith("writers_ratio"))
    minutes = max(value for name, value in figures.items() if name.endswith("verify_minutes_a_million"))
    goals = {"writers_ratio": WRITERS_GOAL, "verify_minutes_a_million": MINUTES_GOAL}
    worst = min(writers / WRITERS_GOAL, MINUTES_GOAL / minutes)
    report("ledger", worst, 1.0, "at_least", goals=goals, **figures)


if __name__ == "__main__":
    main()
