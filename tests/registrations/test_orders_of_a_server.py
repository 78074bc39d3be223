"""Orders that a server registers by its hot path: by the short way and by the long way."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading
from shiming.infrastructure.idempotency import Kept, Repeated, idempotency_keys
from shiming.privacy.model import LeafRef
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import Representative, RepresentativeRole
from shiming.registrations.model.registration import RegisterLine
from shiming.registrations.use_cases.drafting import ClientKey, Wanted
from shiming.registrations.use_cases.hot_path import Outcome, open_registrar
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_desk,
    a_number,
    a_registration_policy,
    a_session,
    an_order,
)
from tests.registrations.orders_builders import PACK, codes, organisation_order, prepared, proven


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = a_desk(tmp_path, PACK, database_url)
    yield desk
    desk.engine.dispose()


def reply(line: Line, leaf: LeafRef) -> Kept:
    return Kept(201, f'{{"line": "{line.line_id}", "leaf": "{leaf.leaf_id}"}}')


def serve(desk: Desk, *wanted: Wanted) -> list[Outcome]:
    async def work() -> list[Outcome]:
        registrar = open_registrar(desk.tools, desk.engine)
        try:
            return [await registrar.register(each) for each in wanted]
        finally:
            await registrar.close()

    return asyncio.run(work())


def test_servers_register_orders_by_the_short_way_and_by_the_long_way(desk: Desk) -> None:
    proven(desk, "SES-1", "SES-2", "SES-3")
    behalf = Representative(RepresentativeRole.PROXY, "SES-9")
    prepared(
        desk,
        an_order("SES-1", a_number(1)),
        replace(an_order("SES-2", a_number(2)), representative=behalf),
        organisation_order("SES-3"),
    )
    wanted = [
        Wanted(
            RegisterLine(OPERATOR, a_number(n), f"SES-{n}"),
            PACK,
            NOW,
            reply,
            ClientKey("CLI-1", f"k{n}", "h"),
        )
        for n in (1, 2, 3)
    ]
    short, proxy, organisation = serve(desk, *wanted)
    assert isinstance(short, Kept), short
    assert "REPRESENTATIVE_UNKNOWN" in codes(proxy)
    assert codes(organisation) == [OrderRefusal.ORGANISATION_NOT_EXAMINED]
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(idempotency_keys.c.key)).scalars().all() == ["k1"]
    (again,) = serve(desk, wanted[0])
    assert isinstance(again, Repeated)
    assert again.text == short.text


def test_what_takes_the_long_way_is_answered_once(desk: Desk) -> None:
    """Under rules without orders an order with a representative still goes the long way, and is kept."""
    desk = desk.under(a_registration_policy())
    desk.sessions.add(a_session("SES-1"))
    behalf = Representative(RepresentativeRole.PROXY, "SES-9")
    prepared(desk, replace(an_order("SES-1"), representative=behalf))
    key = ClientKey("CLI-1", "k", "h")
    wanted = Wanted(RegisterLine(OPERATOR, a_number(), "SES-1"), desk.policy, NOW, reply, key)
    first, again = serve(desk, wanted, wanted)
    assert isinstance(first, Kept)
    assert not isinstance(first, Repeated)
    assert isinstance(again, Repeated)
    assert again.text == first.text
    (other_key,) = serve(desk, replace(wanted, key=ClientKey("CLI-1", "k2", "h")))
    assert isinstance(other_key, Repeated)
