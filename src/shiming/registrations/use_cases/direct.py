"""Registering by a server on PostgreSQL: one read and one function call through a driver of its own."""

import asyncio
import contextlib

from sqlalchemy.engine import Engine

from shiming.infrastructure.idempotency import Kept
from shiming.registrations.model.registration import RegistrationRefused
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.store.postgresql_hot_path import HotConnection, HotConnections
from shiming.registrations.store.writing import Changed
from shiming.registrations.use_cases.drafting import Wanted, draft_with_leaf, parameters_of
from shiming.registrations.use_cases.hot_path import (
    GoesTheLongWay,
    Outcome,
    answered_before,
    refused_or_former,
    register_the_long_way,
    require_the_short_way,
)
from shiming.registrations.use_cases.registering import LOOKS_MAX, too_busy
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks


class PostgresRegistrar:
    """Registers through connections of its own; what is rare goes the way of everything else."""

    def __init__(self, tools: RegistrationTools, engine: Engine, connections: HotConnections) -> None:
        self._tools = tools
        self._engine = engine
        self._connections = connections

    @asks(MayRegisterLine)
    async def register(self, wanted: Wanted) -> Outcome:
        """Register: one read, the rules, one write; again when something had changed between the two."""
        outcome: Outcome | None = None
        async with self._connections.connection() as connection:
            with contextlib.suppress(GoesTheLongWay):
                outcome = await self._on(connection, wanted)
        if outcome is None:
            return await asyncio.to_thread(register_the_long_way, self._tools, self._engine, wanted)
        if isinstance(outcome, Kept):
            return outcome
        return await asyncio.to_thread(refused_or_former, self._tools, self._engine, wanted, outcome)

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _on(self, connection: HotConnection, wanted: Wanted) -> Outcome:
        command, policy, now = wanted.command, wanted.policy, wanted.now
        parameters = parameters_of(command, policy, now, wanted.key)
        for _ in range(LOOKS_MAX):
            seen = await connection.read_facts(parameters)
            if seen.answered is not None:
                return answered_before(seen, wanted.key)
            require_the_short_way(seen.facts)
            session = decide_registration(command, seen.facts, policy, sandbox=self._tools.sandbox, now=now)
            if isinstance(session, RegistrationRefused):
                return session
            draft, answer = draft_with_leaf(
                self._tools, wanted, session, seen.facts, lane=connection.lane, last=connection.last
            )
            try:
                await connection.write(draft)
            except Changed:
                continue
            return answer
        raise too_busy()
