"""Many at once: threads and processes hammer few people, and one is killed in the middle of its work."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from shiming.privacy.model import AccessRequest, EvidenceContent, IdentityRecord, LedgerVerified, Purpose
from shiming.privacy.store.evidence import evidence
from shiming.privacy.use_cases.vault import read_evidence
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.registration import LineRegistered, RegisterLine
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use
from shiming.registrations.use_cases.registering import register_line
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
TRIES_EACH = 12
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
SPAWN = multiprocessing.get_context("spawn")  # a fork would copy open database connections


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, a_registration_policy(CAP), database_url)
    yield desk
    desk.engine.dispose()


def hammer(desk: Desk, worker: int) -> int:
    """Try to register for every person in turn; return how many succeeded."""
    done = 0
    for turn in range(TRIES_EACH):
        person, session_id = turn % PEOPLE, f"SES-{worker}-{turn}"
        outcome = desk.register_for(f"p1.{person}", session_id, a_number(worker * 100 + turn))
        done += isinstance(outcome, LineRegistered)
    return done


def hammer_process(folder: str, url: str, worker: int) -> None:
    desk = a_desk(Path(folder), a_registration_policy(CAP), url)
    hammer(desk, worker)
    desk.engine.dispose()


def die_inside(folder: str, url: str) -> None:
    """Do the whole work of one registration, and be killed before the commit."""
    desk = a_desk(Path(folder), a_registration_policy(CAP), url)
    with unit_of_work(desk.engine) as connection:
        command = RegisterLine(OPERATOR, a_number(77), "SES-dying")
        outcome = register_line(desk.tools, connection, command, policy=desk.policy, now=NOW)
        assert isinstance(outcome, LineRegistered)
        os.kill(os.getpid(), signal.SIGKILL)


def register_and_tell(folder: str, url: str, worker: int) -> None:
    """Register without end; write the reference of each acknowledged line to a file, durably."""
    desk = a_desk(Path(folder), a_registration_policy(1), url)
    with (Path(folder) / f"acknowledged-{worker}").open("a", encoding="ascii") as told:
        for turn in range(10_000):
            session = a_session(f"SES-{worker}x{turn}", subject=f"p1.{worker}x{turn}")
            desk.keep_identity(session, IDENTITY)
            desk.sessions.add(session)
            outcome = desk.register(session.session_id, a_number(worker * 10_000 + turn))
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
    with reading(desk.engine) as connection:
        active = lines.c.status != "terminated"
        held = Counter(connection.execute(sa.select(lines.c.subject).where(active)).scalars())
        counters = {row.subject: row.active for row in connection.execute(cap_counters.select())}
        numbers = set(connection.execute(sa.select(numbers_in_use.c.line_id)).scalars())
        registered = set(connection.execute(sa.select(lines.c.line_id).where(active)).scalars())
    assert {who: many for who, many in counters.items() if many} == held
    assert numbers == registered
    assert max(held.values()) <= CAP
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def test_threads_never_pass_the_cap(desk: Desk) -> None:
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.005):
            with reading(desk.engine) as connection:
                query = sa.select(sa.func.count()).select_from(lines).group_by(lines.c.subject)
                seen.append(max(connection.execute(query).scalars(), default=0))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(6) as pool:
        registered = sum(pool.map(lambda worker: hammer(desk, worker), range(6)))
    stop.set()
    watcher.join()
    assert registered == CAP * PEOPLE
    assert max(seen) <= CAP
    assert_exact(desk)


def test_processes_never_pass_the_cap(tmp_path: Path, database_url: str) -> None:
    desk = a_desk(tmp_path, a_registration_policy(CAP), database_url)  # one key file for all
    arguments = [(str(tmp_path), database_url, worker) for worker in range(2)]
    assert join_all([SPAWN.Process(target=hammer_process, args=each) for each in arguments]) == [0, 0]
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one() == CAP * PEOPLE
    assert_exact(desk)
    desk.engine.dispose()


def test_one_session_registers_once_however_often_it_is_sent_at_once(desk: Desk) -> None:
    desk.sessions.add(a_session("SES-only"))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: desk.register("SES-only", a_number()), range(16)))
    assert all(isinstance(outcome, LineRegistered) for outcome in outcomes)
    receipts = [outcome.receipt for outcome in outcomes if isinstance(outcome, LineRegistered)]
    assert all(receipt == receipts[0] for receipt in receipts)


def test_registering_and_ending_the_same_lines_never_waits_in_a_circle(desk: Desk) -> None:
    """Churn: everybody wants the same four numbers for the same people, and ends what they got."""

    def churn(worker: int) -> int:
        ended = 0
        for turn in range(TRIES_EACH):
            session_id = f"SES-{worker}-{turn}"
            outcome = desk.register_for(f"p1.{turn % PEOPLE}", session_id, a_number((worker + turn) % 4))
            if isinstance(outcome, LineRegistered):
                desk.terminate(outcome.receipt["line"]["id"])
                ended += 1
        return ended

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(churn, range(6))) > TRIES_EACH
    with reading(desk.engine) as connection:
        left = connection.execute(sa.select(sa.func.sum(cap_counters.c.active))).scalar_one()
        assert (left, connection.execute(numbers_in_use.select()).all()) == (0, [])
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def test_without_the_counter_the_race_is_lost(desk: Desk) -> None:
    """Negative control: counting first and writing later, as two transactions, does pass the cap."""
    everyone_counted = threading.Barrier(4, timeout=30)

    def naive(index: int) -> None:
        with reading(desk.engine) as connection:
            held = connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one()
        everyone_counted.wait()
        if held < 1:
            with unit_of_work(desk.engine) as connection:
                connection.execute(lines.insert().values(**a_line(index)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(naive, range(4)))
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one() > 1


def a_line(index: int) -> dict[str, object]:
    return {
        "line_id": f"L{index}",
        "number": str(index),
        "operator": OPERATOR,
        "product_class": "voice",
        "cap_scope": "x",
        "subject": "p1.x",
        "session_id": f"S{index}",
        "status": "active",
        "registered_at": NOW,
    }


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a POSIX signal")
def test_a_killed_registration_leaves_nothing_half_done(
    desk: Desk, tmp_path: Path, database_url: str
) -> None:
    desk.sessions.add(a_session("SES-dying", subject="p1.0"))
    (exit_code,) = join_all([SPAWN.Process(target=die_inside, args=(str(tmp_path), database_url))])
    assert exit_code == -signal.SIGKILL
    with reading(desk.engine) as connection:
        for table in (lines, cap_counters, numbers_in_use):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
    assert verify_ledger(desk.engine, desk.vault.keys) == LedgerVerified(0, 0)
    assert isinstance(desk.register("SES-dying", a_number(77)), LineRegistered)


@pytest.mark.skipif(os.name != "posix", reason="kills a process by a POSIX signal")
def test_whatever_was_acknowledged_before_a_kill_is_there_whole(
    desk: Desk, tmp_path: Path, database_url: str
) -> None:
    """Two processes register for different people and are killed at no chosen moment."""
    processes = [
        SPAWN.Process(target=register_and_tell, args=(str(tmp_path), database_url, worker))
        for worker in range(2)
    ]
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

    with reading(desk.engine) as connection:
        registered = set(connection.execute(sa.select(lines.c.line_id)).scalars())
        active = connection.execute(sa.select(sa.func.sum(cap_counters.c.active))).scalar_one()
        kept = list(connection.execute(sa.select(evidence.c.evidence_id)).scalars())
    assert acknowledged <= registered
    assert len(registered) - len(acknowledged) <= 2  # committed, but the answer was killed
    assert active == len(registered)
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)
    request = AccessRequest("STF-1", Purpose.INSPECTION, "INS-1")
    with unit_of_work(desk.engine) as connection:
        for evidence_id in kept:  # no row without its object
            found = read_evidence(desk.vault.tools, connection, evidence_id, request, now=NOW)
            assert isinstance(found, EvidenceContent)
