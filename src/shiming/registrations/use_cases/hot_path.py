"""Registering by servers: the same facts, rules and records as `registering`, at the speed of the driver.

On PostgreSQL a registration is one read and one function call through asyncpg; on SQLite a thread that
writes takes many waiting registrations into one transaction. Both answer with what is kept for a repeat.
"""

import asyncio
from typing import Protocol

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.idempotency import Kept, Repeated, reused
from shiming.privacy.model import LeafRef
from shiming.privacy.use_cases.ledger import draft_leaf
from shiming.registrations.model import (
    RegisterLine,
    RegistrationRefused,
)
from shiming.registrations.permissions import MayRegisterLine
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.facts import Found
from shiming.registrations.store.lines import find_by_session, find_receipt
from shiming.registrations.store.postgresql_hot_path import HotConnection, HotConnections
from shiming.registrations.store.writing import Changed
from shiming.registrations.use_cases.drafting import (
    LEAF_KIND,
    ClientKey,
    Reply,
    Wanted,
    draft_registration,
    leaf_facts,
    new_line,
    parameters_of,
)
from shiming.registrations.use_cases.registering import LOOKS_MAX, is_same, record_refusal, too_busy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

Outcome = Kept | RegistrationRefused


class Registrar(Protocol):
    """Registers lines for a server. A repeat answers `Repeated`."""

    async def register(self, wanted: Wanted) -> Outcome:
        """Register a line as `registering.register_line` does; raise BadInput for a key used before."""
        ...

    async def close(self) -> None:
        """Give up what it holds open."""
        ...


class PostgresRegistrar:
    """Registers through connections of its own; what is rare goes the way of everything else."""

    def __init__(self, tools: RegistrationTools, engine: Engine, connections: HotConnections) -> None:
        self._tools = tools
        self._engine = engine
        self._connections = connections

    @asks(MayRegisterLine)
    async def register(self, wanted: Wanted) -> Outcome:
        """Register: one read, the rules, one write; again when something had changed between the two."""
        async with self._connections.connection() as connection:
            outcome = await self._on(connection, wanted)
        if isinstance(outcome, Kept):
            return outcome
        return await asyncio.to_thread(refused_or_former, self._tools, self._engine, wanted, outcome)

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _on(self, connection: HotConnection, wanted: Wanted) -> Outcome:
        command, policy, now = wanted.command, wanted.policy, wanted.now
        parameters = parameters_of(command, policy, wanted.key)
        for _ in range(LOOKS_MAX):
            seen = await connection.read_facts(parameters)
            if seen.answered is not None:
                return answered_before(seen, wanted.key)
            session = decide_registration(command, seen.facts, policy, sandbox=self._tools.sandbox, now=now)
            if isinstance(session, RegistrationRefused):
                return session
            line = new_line(self._tools, command, session, policy=policy, now=now)
            leaf = draft_leaf(
                self._tools.privacy.keys,
                lane=connection.lane,
                sequence=connection.last + 1,
                kind=LEAF_KIND,
                facts=leaf_facts(line, session, policy),
                now=now,
                operator=line.operator,
            )
            answer = wanted.reply(line, leaf.ref)
            draft, _content = draft_registration(
                line, session, seen.facts, policy=policy, leaf=leaf, key=wanted.key, answer=answer
            )
            try:
                await connection.write(draft)
            except Changed:
                continue
            return answer
        raise too_busy()


@inside("shared by the ways of registering")
def refused_or_former(
    tools: RegistrationTools, engine: Engine, wanted: Wanted, refused: RegistrationRefused
) -> Outcome:
    """Record a refusal - unless this very registration used the session up before: then answer as then."""
    with reading(engine) as connection:
        former = former_answer(connection, wanted.command, wanted.reply)
    if former is not None:
        return former
    transact(
        engine,
        lambda connection: record_refusal(tools, connection, wanted.command, refused, now=wanted.now),
    )
    return refused


@inside("shared by the ways of registering")
def answered_before(seen: Found, key: ClientKey | None) -> Repeated:
    """Return the answer that the key got before; raise BadInput when it was for another request."""
    if seen.answered is None or key is None:
        raise LookupError
    request_hash, answer = seen.answered
    if request_hash != key.request_hash:
        raise reused()
    return Repeated(answer.status, answer.text, answer.headers)


@inside("shared by the ways of registering")
def former_answer(connection: Connection, command: RegisterLine, reply: Reply) -> Repeated | None:
    """Return the answer for a registration that this session already made for the same number."""
    former = find_by_session(connection, command.session_id, command.operator)
    if former is None or not is_same(former, command):
        return None
    content = find_receipt(connection, former)
    if content is None:
        return None
    lane, _, sequence = content["ledger"]["leaf"].partition("-")
    answer = reply(former, LeafRef(int(lane), int(sequence), content["ledger"]["hash"]))
    return Repeated(answer.status, answer.text, answer.headers)
