"""Orders under the Chinese pack: proofs, orders and places that tests ask for."""

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Channel, HolderKind, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderRefused, OrderTaken, PlaceKept
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy, RegistrationRefused
from shiming.registrations.use_cases import orders, places
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import ReasonCode
from shiming.vocabulary.sim_identifiers import Iccid
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    ICCID,
    OPERATOR,
    Desk,
    a_number,
    a_registration_policy,
    a_session,
    an_order,
    prepare_order,
)

RULES = policy_on(read_pack("cn"), NOW.date())
PACK = RegistrationPolicy.of(RULES, number_regions=("CN",), time_zone="Asia/Shanghai")
IDENTITY = IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市")
PERSON = "p1.someone"
ORG = "ORG-0082-0C20-A1G7-D"


def proven(desk: Desk, *sessions: str, subject: str = PERSON) -> None:
    for session_id in sessions:
        desk.sessions.add(a_session(session_id, subject=subject))
        desk.keep_identity(a_session(session_id, subject=subject), IDENTITY)


def prepared(desk: Desk, *made: LineOrder) -> None:
    with unit_of_work(desk.engine) as connection:
        for order in made:
            prepare_order(connection, order)


def a_new_order(session_id: str = "SES-1", number: Msisdn | None = None) -> NewOrder:
    details = OrderDetails(number or a_number(), Iccid.parse(ICCID), sim_form=SimForm.ESIM)
    return NewOrder(session_id, OPERATOR, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, details=details)


def an_internet_order(session_id: str, index: int) -> LineOrder:
    account = AccessAccount.parse(f"gz{index:06d}@example.net")
    return replace(
        an_order(session_id, account),
        kind=LineKind.INTERNET,
        product_class=ProductClass.INTERNET,
        install_address="EVD-1",
    )


def organisation_order(session_id: str = "SES-1") -> LineOrder:
    return replace(
        an_order(session_id), identifier=None, confirmation=None,
        holder_kind=HolderKind.ORGANISATION, organisation=ORG,
    )  # fmt: skip


def two_places() -> RegistrationPolicy:
    return replace(PACK, caps=a_registration_policy(2).caps)


def opened(desk: Desk, wanted: NewOrder) -> OrderTaken | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: orders.open_order(desk.tools, connection, wanted, policy=RULES, now=NOW),
    )


def keep(desk: Desk, session_id: str, *, minutes: int = 0) -> PlaceKept | OrderRefused:
    return transact(
        desk.engine,
        lambda connection: places.keep_place(
            desk.tools,
            connection,
            orders.hold_order(connection, session_id, operator=None),
            policy=desk.policy,
            now=NOW + timedelta(minutes=minutes),
        ),
    )


def codes(outcome: object) -> list[ReasonCode]:
    assert isinstance(outcome, RegistrationRefused | OrderRefused), outcome
    return [refusal.code for refusal in outcome.refusals]


def kinds_of_events(desk: Desk) -> list[str]:
    with reading(desk.engine) as connection:
        return list(connection.execute(sa.select(outbox.c.type).order_by(outbox.c.type)).scalars())
