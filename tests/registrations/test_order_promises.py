"""What an order was promised: its terms, what it keeps, its receipt, and holders above the cap."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import CapScope, HolderKind
from shiming.registrations.model.numbers import NumberReserved
from shiming.registrations.model.ordering import OrderTaken
from shiming.registrations.model.orders import Representative, RepresentativeRole
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.model.terms import PublishedTerms, Terms
from shiming.registrations.store import numbers as number_store
from shiming.registrations.store.representation import claim_principal, proxy_principals
from shiming.registrations.store.tables import cap_counters
from shiming.registrations.store.terms import add_terms
from shiming.registrations.use_cases import orders, places
from shiming.registrations.use_cases.organisation_lines import register_organisation_lines
from shiming.vocabulary.errors import Text
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    OPERATOR,
    Desk,
    a_number,
    a_registration_policy,
    an_order,
)
from tests.registrations.orders_builders import PACK
from tests.registrations.promise_builders import (
    CARD,
    KEPT_FOR,
    a_desk_with_numbers,
    a_new_order,
    codes,
    holds,
    keep,
    on_order,
    open_order,
    ordered,
    proven,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    yield from a_desk_with_numbers(tmp_path, database_url)


def publish(desk: Desk, version: str, since: datetime, content_hash: str) -> None:
    terms = Terms(OPERATOR, version, since.date(), Text(zh="服务协议", en="Terms"), ())
    with unit_of_work(desk.engine) as connection:
        assert add_terms(connection, PublishedTerms(terms, content_hash, NOW))


def test_terms_that_took_effect_since_they_were_accepted_are_accepted_anew(desk: Desk) -> None:
    accepted = ordered(desk, "SES-1", a_number()).terms
    assert accepted is not None
    publish(desk, "1", NOW - timedelta(days=9), accepted.content_hash)
    publish(desk, "3", NOW + timedelta(days=9), "sha256:of-later")  # of a day to come
    ordered(desk, "SES-2", a_number(2))
    assert isinstance(desk.register("SES-2", a_number(2)), LineRegistered)
    publish(desk, "2", NOW, "sha256:of-today")
    assert codes(desk.register("SES-1", a_number())) == ["TERMS_VERSION_NOT_CURRENT"]
    ordered(desk, "SES-3", a_number(3), terms=replace(accepted, version="2", content_hash="sha256:of-today"))
    assert isinstance(desk.register("SES-3", a_number(3)), LineRegistered)


def test_an_abandoned_order_lets_go_at_once_of_all_that_it_kept(desk: Desk) -> None:
    for session_id in ("SES-1", "SES-2"):
        proven(desk, session_id)
    wanted = a_new_order("SES-1", CARD, a_number())
    assert isinstance(open_order(desk, wanted), OrderTaken)
    assert isinstance(keep(desk, a_number(), "SES-1"), NumberReserved)
    assert isinstance(keep(desk, a_number(9), "SES-2"), NumberReserved)

    def act(connection: Connection) -> None:
        order = orders.hold_order(connection, "SES-1", operator=OPERATOR)
        places.keep_place(desk.tools, connection, order, policy=PACK, now=NOW)
        for session_id in ("SES-1", "SES-2"):
            claim_principal(
                connection,
                session_id,
                operator=OPERATOR,
                proxy="p1.proxy",
                principal=session_id,
                now=NOW,
                held_until=NOW + KEPT_FOR,
            )

    transact(desk.engine, act)
    assert on_order(desk, "SES-1", orders.abandon_order) is None
    assert holds(desk) == {}
    with reading(desk.engine) as connection:
        claims = connection.execute(sa.select(proxy_principals.c.session_id)).scalars().all()
        left = connection.execute(sa.select(schema.tables["line_orders"].c.session_id)).scalars().all()
        held = number_store.number_facts(connection, a_number().reveal("test")).hold
        of_other = number_store.number_facts(connection, a_number(9).reveal("test")).hold
        told = connection.execute(sa.select(schema.tables["outbox"].c.type)).scalars().all()
    assert (claims, left, held) == (["SES-2"], [], None)
    assert of_other is not None
    assert sorted(told).count("number.released") == 1
    assert isinstance(keep(desk, a_number(), "SES-2"), NumberReserved)
    assert isinstance(open_order(desk, replace(wanted, session_id="SES-2")), OrderTaken)


def test_a_receipt_names_who_acted_and_the_organisation(desk: Desk) -> None:
    behalf = Representative(RepresentativeRole.HANDLER, "SES-1", "p1.SES-1", "EVD-power-of-attorney")
    proven(desk, "SES-1")
    order = an_order(
        "SES-1",
        identifier=None,
        representative=behalf,
        holder_kind=HolderKind.ORGANISATION,
        organisation="ORG-1",
    )
    (line,) = transact(
        desk.engine,
        lambda connection: register_organisation_lines(
            desk.tools,
            connection,
            replace(order, identifier=None, confirmation=None),
            [OrganisationLine(a_number())],
            standing=OrganisationStanding("ORG-1", lines_confirmed=1),
            policy=PACK,
            now=NOW,
        ),
    )
    with reading(desk.engine) as connection:
        (text,) = connection.execute(sa.select(schema.tables["registrations"].c.receipt)).scalars()
    assert '"organisation":"ORG-1"' in text, line
    named = (
        '"representative":{"authority_evidence":"EVD-power-of-attorney","role":"handler","session":"SES-1"}'
    )
    assert named in text
    ordered(desk, "SES-2", a_number(2))
    own = desk.register("SES-2", a_number(2))
    assert isinstance(own, LineRegistered)
    assert (own.receipt["representative"], own.receipt["organisation"]) == (None, None)


def test_an_operator_sees_of_holders_above_a_national_cap_those_of_its_own_lines(desk: Desk) -> None:
    generous = desk.under(a_registration_policy(5, scope=CapScope.NATIONAL))
    for person, operator in (("p1.a", OPERATOR), ("p1.b", "cn-unicom")):
        for index in range(2):
            number = a_number(index + 10 * (person == "p1.b"))
            generous.register_for(person, f"SES-{person}{index}".replace(".", ""), number, operator=operator)
    lowered = a_registration_policy(1, scope=CapScope.NATIONAL)
    with reading(desk.engine) as connection:
        assert len(connection.execute(cap_counters.select()).all()) == 2
        seen = {
            operator: [
                over.subject for over in places.list_over_cap(connection, lowered, operator=operator, limit=9)
            ]
            for operator in (None, OPERATOR, "cn-unicom", "cn-telecom")
        }
    assert seen == {None: ["p1.a", "p1.b"], OPERATOR: ["p1.a"], "cn-unicom": ["p1.b"], "cn-telecom": []}
