"""Sessions that want the same number or card: who asks, who keeps, and all at one moment."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.idempotency import Kept
from shiming.jurisdictions.model import Channel, ProductClass
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderRefused, OrderTaken
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegisterLine
from shiming.registrations.store.sims import sim_holds
from shiming.registrations.use_cases import orders
from shiming.registrations.use_cases.drafting import Wanted
from shiming.registrations.use_cases.hot_path import Outcome, open_registrar
from shiming.registrations.use_cases.numbers import reserve_number
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_card_of,
    a_desk,
    a_number,
    a_session,
    add_block,
    an_order,
    prepare_order,
)
from tests.registrations.orders_builders import IDENTITY, PACK, RULES

CARD, OTHER_CARD = a_card_of("one")[0], a_card_of("another")[0]
KEPT_FOR = timedelta(
    minutes=max(RULES.time_limits.session_minutes.value, RULES.numbering.reservation_minutes.value)
)


def a_desk_with_numbers(folder: Path, url: str) -> Iterator[Desk]:
    """A desk whose pool has numbers, for as long as a fixture needs it."""
    desk = a_desk(folder, PACK, url)
    with unit_of_work(desk.engine) as connection:
        add_block(connection, a_number())
    yield desk
    desk.engine.dispose()


def proven(desk: Desk, session_id: str, *, when: datetime = NOW) -> None:
    session = replace(a_session(session_id, subject=f"p1.{session_id}"), decided_at=when)
    desk.sessions.add(session)
    desk.keep_identity(session, IDENTITY)


def ordered(desk: Desk, session_id: str, number: Msisdn, **changes: Any) -> LineOrder:
    """A proof and a complete order of this session."""
    proven(desk, session_id)
    order = an_order(session_id, number, **changes)
    with unit_of_work(desk.engine) as connection:
        prepare_order(connection, order)
    return order


def reserve(desk: Desk, connection: Connection, number: Msisdn, session_id: str) -> object:
    return reserve_number(
        desk.tools, connection, number, operator=OPERATOR, held_for=session_id, now=NOW, policy=RULES
    )


def keep(desk: Desk, number: Msisdn, session_id: str) -> object:
    return transact(desk.engine, lambda connection: reserve(desk, connection, number, session_id))


def codes(outcome: object) -> list[str]:
    return [refusal.code.value for refusal in getattr(outcome, "refusals", ())]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Begin all at one moment, each in a thread of its own; return their outcomes in order."""
    start = threading.Barrier(len(works), timeout=60)

    def begin(work: Callable[[], object]) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


async def registered_by_a_server(
    desk: Desk, wanted: Sequence[tuple[str, Msisdn]], now: datetime
) -> list[Outcome]:
    registrar = open_registrar(desk.tools, desk.engine)
    try:
        return await asyncio.gather(
            *(
                registrar.register(
                    Wanted(
                        RegisterLine(OPERATOR, number, session_id), PACK, now, lambda *_: Kept(201, "{}", {})
                    )
                )
                for session_id, number in wanted
            )
        )
    finally:
        await registrar.close()


def a_new_order(session_id: str, iccid: str = CARD, number: Msisdn | None = None) -> NewOrder:
    details = OrderDetails(number, Iccid(iccid), sim_form=SimForm.PHYSICAL)
    return NewOrder(session_id, OPERATOR, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, details=details)


def open_order(desk: Desk, wanted: NewOrder, now: datetime = NOW) -> OrderTaken | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: orders.open_order(desk.tools, connection, wanted, policy=RULES, now=now),
    )


def on_order(desk: Desk, session_id: str, verb: Callable[..., Any], *more: object) -> Any:
    def work(connection: Connection) -> object:
        order = orders.hold_order(connection, session_id, operator=OPERATOR)
        return verb(desk.tools, connection, order, *more, policy=RULES, now=NOW)

    return transact(desk.engine, work)


def holds(desk: Desk) -> dict[str, str]:
    """Whose the cards are: of a line for good, or of an order."""
    with reading(desk.engine) as connection:
        return {row.iccid: row.line_id or row.session_id for row in connection.execute(sim_holds.select())}
