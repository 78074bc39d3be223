"""The registrars of servers: the same promises as one at a time, with many at once and faults in between."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading
from shiming.infrastructure.idempotency import Kept, Repeated
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import LeafRef, LedgerVerified
from shiming.privacy.store import ledger
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import Line
from shiming.registrations.model.registration import RegisterLine, RegistrationRefused
from shiming.registrations.store.postgresql_function import numbered
from shiming.registrations.store.postgresql_hot_path import LANE_LOCK, HotConnections
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use, registrations
from shiming.registrations.use_cases.direct import PostgresRegistrar
from shiming.registrations.use_cases.drafting import ClientKey, Wanted
from shiming.registrations.use_cases.hot_path import Outcome, Registrar, open_registrar
from shiming.vocabulary.errors import BadInput, Unavailable
from shiming.vocabulary.refusals import ReasonCode
from tests.databases import a_database
from tests.privacy.builders import NOW
from tests.registrations.builders import Desk, a_desk, a_number, a_registration_policy, a_session

CAP = 3
PEOPLE, OPERATORS, CLIENTS, TRIES = 6, 2, 64, 4


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, a_registration_policy(CAP), database_url)
    yield desk
    desk.engine.dispose()


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[str]:
    with a_database("postgresql", tmp_path) as url:
        yield url


def reply(line: Line, leaf: LeafRef) -> Kept:
    return Kept(201, f'{{"line": "{line.line_id}", "leaf": "{leaf.leaf_id}"}}')


def wanted(desk: Desk, session: str, number: int, operator: str = "cn-one", key: str | None = None) -> Wanted:
    client = None if key is None else ClientKey("CLI-1", key, f"{session} {number}")
    return Wanted(RegisterLine(operator, a_number(number), session), desk.policy, NOW, reply, client)


def run(desk: Desk, work: Callable[[Registrar], Awaitable[object]]) -> object:
    async def with_registrar() -> object:
        registrar = open_registrar(desk.tools, desk.engine)
        try:
            return await work(registrar)
        finally:
            await registrar.close()

    return asyncio.run(with_registrar())


def rows(engine: Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def codes(outcomes: list[Outcome]) -> set[ReasonCode]:
    refused = [outcome for outcome in outcomes if isinstance(outcome, RegistrationRefused)]
    return {refusal.code for outcome in refused for refusal in outcome.refusals}


def most_lines_of_one_person(engine: Engine) -> int:
    with reading(engine) as connection:
        query = sa.select(sa.func.count()).select_from(lines).group_by(lines.c.subject, lines.c.operator)
        return max(connection.execute(query).scalars(), default=0)


def test_many_clients_never_pass_the_cap_and_everything_is_counted(desk: Desk) -> None:
    everyone = [(client, turn) for client in range(CLIENTS) for turn in range(TRIES)]
    desk.sessions.add(
        *(
            a_session(f"SES-{client}-{turn}", subject=f"p1.{(client + turn) % PEOPLE}")
            for client, turn in everyone
        )
    )
    seen: list[int] = []
    done: Counter[str] = Counter()

    async def client(registrar: Registrar, number: int) -> None:
        for turn in range(TRIES):
            outcome = await registrar.register(
                wanted(desk, f"SES-{number}-{turn}", number * TRIES + turn, f"cn-{turn % OPERATORS}")
            )
            done[type(outcome).__name__] += 1

    async def all_clients(registrar: Registrar) -> None:
        async def watch() -> None:
            while True:
                seen.append(await asyncio.to_thread(most_lines_of_one_person, desk.engine))
                await asyncio.sleep(0.01)

        watcher = asyncio.create_task(watch())
        await asyncio.gather(*(client(registrar, number) for number in range(CLIENTS)))
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)

    run(desk, all_clients)
    assert done == {"Kept": PEOPLE * OPERATORS * CAP, "RegistrationRefused": 64 * 4 - 36}
    assert max(seen) <= CAP
    with reading(desk.engine) as connection:
        counters = connection.execute(sa.select(cap_counters.c.active)).scalars().all()
    assert (len(counters), set(counters)) == (PEOPLE * OPERATORS, {CAP})
    for table in (lines, registrations, numbers_in_use, outbox):
        assert rows(desk.engine, table) == 36, table.name
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def test_a_number_goes_to_one_of_all_who_want_it_at_any_operator(desk: Desk) -> None:
    desk.sessions.add(*(a_session(f"SES-{index}", subject=f"p1.{index}") for index in range(24)))

    async def all_at_once(registrar: Registrar) -> list[Outcome]:
        return await asyncio.gather(
            *(registrar.register(wanted(desk, f"SES-{index}", 7, f"cn-{index % 3}")) for index in range(24))
        )

    outcomes = run(desk, all_at_once)
    assert isinstance(outcomes, list)
    assert sum(isinstance(outcome, Kept) for outcome in outcomes) == 1
    assert codes(outcomes) == {RefusalCode.NUMBER_TAKEN}
    assert rows(desk.engine, lines) == 1


def test_a_session_is_used_up_once(desk: Desk) -> None:
    desk.sessions.add(a_session("SES-1"))

    async def all_at_once(registrar: Registrar) -> list[Outcome]:
        return await asyncio.gather(*(registrar.register(wanted(desk, "SES-1", n)) for n in range(16)))

    outcomes = run(desk, all_at_once)
    assert isinstance(outcomes, list)
    assert sum(isinstance(outcome, Kept) for outcome in outcomes) == 1
    assert codes(outcomes) == {RefusalCode.SESSION_CONSUMED}


def test_a_key_is_answered_once_and_not_for_something_else(desk: Desk) -> None:
    desk.sessions.add(*(a_session(f"SES-{index}") for index in range(2)))

    async def repeat(registrar: Registrar) -> None:
        asked = [registrar.register(wanted(desk, "SES-0", 0, key="k")) for _ in range(12)]
        outcomes = await asyncio.gather(*asked)
        texts = [outcome.text for outcome in outcomes if isinstance(outcome, Kept)]
        assert texts == [texts[0]] * 12
        assert sum(isinstance(outcome, Repeated) for outcome in outcomes) == 11
        with pytest.raises(BadInput, match="IDEMPOTENCY_KEY_REUSED"):
            await registrar.register(wanted(desk, "SES-1", 1, key="k"))
        other = await registrar.register(wanted(desk, "SES-1", 1, key="k2"))
        assert isinstance(other, Kept)

    run(desk, repeat)
    assert rows(desk.engine, lines) == 2


def test_both_ways_write_the_same_rows(desk: Desk) -> None:
    desk.sessions.add(a_session("SES-0"), a_session("SES-1"))

    async def one(registrar: Registrar) -> Outcome:
        return await registrar.register(wanted(desk, "SES-0", 0))

    assert isinstance(run(desk, one), Kept)
    desk.register("SES-1", a_number(1), operator="cn-one")
    own = {"line_id", "number", "session_id", "event_id", "subject", "facts", "receipt"}
    with reading(desk.engine) as connection:
        for table in (lines, registrations, outbox):
            kept = [column for column in table.c if column.name not in own]
            first, second = connection.execute(sa.select(*kept)).all()
            assert first == second, table.name


def test_a_lane_that_moved_is_read_again(tmp_path: Path, postgresql: str) -> None:
    desk = a_desk(tmp_path, url=postgresql)
    desk.sessions.add(a_session("SES-0"), a_session("SES-1"))

    async def move() -> None:
        connections = HotConnections(desk.engine.url, desk.vault.keys, size=1)
        registrar = PostgresRegistrar(desk.tools, desk.engine, connections)
        assert isinstance(await registrar.register(wanted(desk, "SES-0", 0)), Kept)
        async with connections.connection() as connection:
            connection.last += 5  # as if somebody had written to the lane, or a commit was not heard of
        assert isinstance(await registrar.register(wanted(desk, "SES-1", 1)), Kept)
        await registrar.close()

    asyncio.run(move())
    assert verify_ledger(desk.engine, desk.vault.keys) == LedgerVerified(2, 0)
    desk.engine.dispose()


def test_a_connection_that_the_server_closed_is_replaced(tmp_path: Path, postgresql: str) -> None:
    desk = a_desk(tmp_path, url=postgresql)
    desk.sessions.add(*(a_session(f"SES-{index}") for index in range(3)))

    async def lose(registrar: Registrar) -> None:
        assert isinstance(await registrar.register(wanted(desk, "SES-0", 0)), Kept)
        with desk.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'shiming registrations' AND datname = current_database()"
                )
            )
        try:
            outcome = await registrar.register(wanted(desk, "SES-1", 1, key="k"))
        except Unavailable:  # the loss was noticed only while it was used: the client repeats
            outcome = await registrar.register(wanted(desk, "SES-1", 1, key="k"))
        assert isinstance(outcome, Kept)

    run(desk, lose)
    assert rows(desk.engine, lines) == 2
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)
    desk.engine.dispose()


def test_a_registration_that_is_cancelled_happened_or_not_and_harms_no_other(desk: Desk) -> None:
    desk.sessions.add(*(a_session(f"SES-{index}", subject=f"p1.{index}") for index in range(40)))

    async def cancel_some(registrar: Registrar) -> int:
        tasks = [
            asyncio.ensure_future(registrar.register(wanted(desk, f"SES-{index}", index)))
            for index in range(40)
        ]
        await asyncio.sleep(0.02)
        for task in tasks[::3]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return sum(isinstance(outcome, Kept) for outcome in outcomes)

    acknowledged = run(desk, cancel_some)
    assert isinstance(acknowledged, int)
    assert acknowledged >= 26
    assert acknowledged <= rows(desk.engine, lines) <= 40
    assert isinstance(verify_ledger(desk.engine, desk.vault.keys), LedgerVerified)


def test_no_database_is_told_as_such(tmp_path: Path, postgresql: str) -> None:
    desk = a_desk(tmp_path, url=postgresql)

    async def ask() -> None:
        nowhere = desk.engine.url.set(database="shiming_no_such_database")
        registrar = PostgresRegistrar(desk.tools, desk.engine, HotConnections(nowhere, desk.vault.keys))
        with pytest.raises(Unavailable, match="DATABASE_UNAVAILABLE"):
            await registrar.register(wanted(desk, "SES-0", 0))

    asyncio.run(ask())
    desk.engine.dispose()


def test_the_lock_of_a_lane_is_the_ledgers() -> None:
    assert LANE_LOCK == ledger.LANE_LOCK
    assert numbered("a = :one AND b = :two OR c = :one::text") == (
        "a = $1 AND b = $2 OR c = $1::text",
        ("one", "two"),
    )
