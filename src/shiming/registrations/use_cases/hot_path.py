"""Registering by servers: the same facts, rules and records as `registering`, at the speed of the driver.

On PostgreSQL (`direct`) a registration is one read and one function call through asyncpg; on SQLite
(`grouped`) a thread that writes takes many waiting registrations into one transaction. Both answer with
what is kept for a repeat.
"""

from typing import Protocol

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.idempotency import Kept, Repeated, claim, keep, reused
from shiming.privacy.model import LeafRef
from shiming.registrations.model.registration import (
    RegisterLine,
    RegistrationFacts,
    RegistrationRefused,
)
from shiming.registrations.permissions.registration import MayRegisterLine
from shiming.registrations.store.facts import Found
from shiming.registrations.store.lines import find_by_session, find_receipt
from shiming.registrations.use_cases.drafting import ClientKey, Reply, Wanted
from shiming.registrations.use_cases.registering import is_same, record_refusal, register_line
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


@asks(MayRegisterLine)
def open_registrar(tools: RegistrationTools, engine: Engine) -> Registrar:
    """Return the registrar that belongs to a database; it opens its connections when they are needed.

    On PostgreSQL it belongs to the event loop that first uses it.
    """
    if engine.dialect.name == "postgresql":
        from shiming.registrations.store.postgresql_hot_path import HotConnections  # noqa: PLC0415 - its driver
        from shiming.registrations.use_cases.direct import PostgresRegistrar  # noqa: PLC0415 - is optional

        return PostgresRegistrar(tools, engine, HotConnections(engine.url, tools.privacy.keys))
    from shiming.registrations.use_cases.grouped import GroupingRegistrar  # noqa: PLC0415 - imports this one

    return GroupingRegistrar(tools, engine)


class GoesTheLongWay(Exception):
    """Somebody acts for the holder, or the holder is an organisation: `register_the_long_way`."""


@inside("shared by the ways of registering")
def require_the_short_way(facts: RegistrationFacts) -> None:
    """Raise `GoesTheLongWay` when one read does not give everything that decides this order."""
    order = facts.order
    if order is not None and (order.representative is not None or order.organisation is not None):
        raise GoesTheLongWay


@inside("shared by the ways of registering")
def register_the_long_way(tools: RegistrationTools, engine: Engine, wanted: Wanted) -> Outcome:
    """Register through the connection that everything else uses; the key of the client in its transaction."""

    def once(connection: Connection) -> Outcome:
        key = wanted.key
        with connection.begin_nested() as attempt:
            found = key and claim(connection, key.client, key.key, key.request_hash, wanted.now)
            if isinstance(found, Repeated):
                return found
            outcome = register_line(tools, connection, wanted.command, policy=wanted.policy, now=wanted.now)
            if isinstance(outcome, RegistrationRefused):
                attempt.rollback()  # a refusal leaves no key behind
        if isinstance(outcome, RegistrationRefused):
            record_refusal(tools, connection, wanted.command, outcome, now=wanted.now)
            return outcome
        answer = former_answer(connection, wanted.command, wanted.reply)
        if answer is None:
            raise LookupError(wanted.command.session_id)
        if key is not None:
            keep(connection, key.client, key.key, answer)
        return answer if outcome.repeated else Kept(answer.status, answer.text, answer.headers)

    return transact(engine, once)


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
