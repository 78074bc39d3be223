"""Many at once: threads and processes hammer few people, and one is killed in the middle of its work."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from shiming.privacy.model import AccessRequest, EvidenceContent, IdentityRecord, LedgerVerified, Purpose
from shiming.privacy.store import evidence
from shiming.privacy.use_cases.ledger import verify_ledger
from shiming.privacy.use_cases.vault import read_evidence
from shiming.registrations.model import LineRegistered, RegisterLine
from shiming.registrations.store import cap_counters, lines
from shiming.registrations.use_cases import register_line
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_desk,
    a_number,
    a_registration_policy,
    a_session,
)

CAP = 3
PEOPLE = 4
TRIES_EACH = 15
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
SPAWN = multiprocessing.get_context("spawn")  # a fork would copy open database connections


def hammer(desk: Desk, worker: int) -> int:
    """Try to register for every person in turn; return how many succeeded."""
    done = 0
    for turn in range(TRIES_EACH):
        session_id = f"SES-{turn % PEOPLE}-{worker}-{turn}"
        outcome = desk.register(session_id, a_number(worker * 100 + turn))
        done += isinstance(outcome, LineRegistered)
    return done


def hammer_process(folder: str, worker: int) -> None:
    desk = a_desk(Path(folder), a_registration_policy(CAP), any_subject=True)
    hammer(desk, worker)
    desk.vault.engine.dispose()


def die_inside(folder: str) -> None:
    """Do the whole work of one registration, and be killed before the commit."""
    desk = a_desk(Path(folder), a_registration_policy(CAP), any_subject=True)
    with unit_of_work(desk.vault.engine) as connection:
        command = RegisterLine(OPERATOR, a_number(77), "SES-0-dying")
        outcome = register_line(desk.tools, connection, command, policy=desk.policy, now=NOW)
        assert isinstance(outcome, LineRegistered)
        os.kill(os.getpid(), signal.SIGKILL)


def register_and_tell(folder: str, worker: int) -> None:
    """Register without end; write the reference of each acknowledged line to a file, durably."""
    desk = a_desk(Path(folder), a_registration_policy(1), any_subject=True)
    with (Path(folder) / f"acknowledged-{worker}").open("a", encoding="ascii") as told:
        for turn in range(10_000):
            desk.keep_identity(a_session(f"SES-{worker}x{turn}-x", subject=f"p1.{worker}x{turn}"), IDENTITY)
            outcome = desk.register(f"SES-{worker}x{turn}-x", a_number(worker * 10_000 + turn))
            assert isinstance(outcome, LineRegistered)
            told.write(outcome.receipt["line"]["id"] + "\n")
            told.flush()


def join_all(processes: Sequence[multiprocessing.process.BaseProcess]) -> list[int | None]:
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def assert_exact(desk: Desk) -> None:
    with reading(desk.vault.engine) as connection:
        held = Counter(connection.execute(sa.select(lines.c.subject)).scalars())
        counters = {row.subject: row.active for row in connection.execute(cap_counters.select())}
    assert counters == held
    assert set(held.values()) == {CAP}
    assert len(held) == PEOPLE
    assert isinstance(verify_ledger(desk.vault.engine, desk.vault.keys), LedgerVerified)


def test_threads_never_pass_the_cap(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, a_registration_policy(CAP), any_subject=True)
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            with reading(desk.vault.engine) as connection:
                query = sa.select(sa.func.count()).select_from(lines).group_by(lines.c.subject)
                seen.append(max(connection.execute(query).scalars(), default=0))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(8) as pool:
        registered = sum(pool.map(lambda worker: hammer(desk, worker), range(8)))
    stop.set()
    watcher.join()
    assert registered == CAP * PEOPLE
    assert max(seen) <= CAP
    assert_exact(desk)


def test_processes_never_pass_the_cap(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=hammer_process, args=(str(tmp_path), worker)) for worker in range(3)]
    assert join_all(processes) == [0, 0, 0]
    assert_exact(a_desk(tmp_path))


def test_one_session_registers_once_however_often_it_is_sent_at_once(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, any_subject=True)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: desk.register("SES-0-only", a_number()), range(16)))
    assert all(isinstance(outcome, LineRegistered) for outcome in outcomes)
    receipts = [outcome.receipt for outcome in outcomes if isinstance(outcome, LineRegistered)]
    assert all(receipt == receipts[0] for receipt in receipts)


def test_without_the_counter_the_race_is_lost(tmp_path: Path) -> None:
    """Negative control: counting first and writing later, as two transactions, does pass the cap."""
    desk = a_desk(tmp_path, any_subject=True)
    everyone_counted = threading.Barrier(4, timeout=30)

    def naive(index: int) -> None:
        with reading(desk.vault.engine) as connection:
            held = connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one()
        everyone_counted.wait()
        if held < 1:
            with unit_of_work(desk.vault.engine) as connection:
                connection.execute(
                    lines.insert().values(
                        line_id=f"L{index}", number=str(index), operator=OPERATOR, product_class="voice",
                        cap_scope="x", subject="p1.x", session_id=f"S{index}", status="active",
                        registered_at=NOW, receipt="{}",
                    )
                )  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(naive, range(4)))
    with reading(desk.vault.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one() > 1


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a POSIX signal")
def test_a_killed_registration_leaves_nothing_half_done(tmp_path: Path) -> None:
    (exit_code,) = join_all([SPAWN.Process(target=die_inside, args=(str(tmp_path),))])
    assert exit_code == -signal.SIGKILL
    desk = a_desk(tmp_path, a_registration_policy(CAP), any_subject=True)
    with reading(desk.vault.engine) as connection:
        for table in (lines, cap_counters):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
    found = verify_ledger(desk.vault.engine, desk.vault.keys)
    assert isinstance(found, LedgerVerified)
    assert found.head.sequence == 0
    assert isinstance(desk.register("SES-0-dying", a_number(77)), LineRegistered)


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a POSIX signal")
def test_whatever_was_acknowledged_before_a_kill_is_there_whole(tmp_path: Path) -> None:
    """Two processes register for different people and are killed at no chosen moment."""
    processes = [SPAWN.Process(target=register_and_tell, args=(str(tmp_path), worker)) for worker in range(2)]
    for process in processes:
        process.start()
    files = [tmp_path / f"acknowledged-{worker}" for worker in range(2)]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not all(
        file.exists() and file.read_text().count("\n") >= 5 for file in files
    ):
        time.sleep(0.01)
    for process in processes:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(60)
    acknowledged = {line for file in files for line in file.read_text().split("\n")[:-1]}
    assert len(acknowledged) >= 10

    desk = a_desk(tmp_path, a_registration_policy(1), any_subject=True)
    with reading(desk.vault.engine) as connection:
        registered = set(connection.execute(sa.select(lines.c.line_id)).scalars())
        active = connection.execute(sa.select(sa.func.sum(cap_counters.c.active))).scalar_one()
        kept = list(connection.execute(sa.select(evidence.c.evidence_id)).scalars())
    assert acknowledged <= registered
    assert len(registered) - len(acknowledged) <= 2  # committed, but the answer was killed
    assert active == len(registered)
    assert isinstance(verify_ledger(desk.vault.engine, desk.vault.keys), LedgerVerified)
    request = AccessRequest("STF-1", Purpose.INSPECTION, "INS-1")
    with unit_of_work(desk.vault.engine) as connection:
        for evidence_id in kept:  # no row without its object
            found = read_evidence(desk.vault.tools, connection, evidence_id, request, now=NOW)
            assert isinstance(found, EvidenceContent)
