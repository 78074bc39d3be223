"""Open one customer's journey in one transaction: session, number, order, card - all of it or nothing."""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.counter import offers
from shiming.entrypoints.pages.counter.standing import CounterPlatform, counter_platform
from shiming.identity_proofing.api_platform import desk_of
from shiming.identity_proofing.use_cases import challenges
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.jurisdictions.model import Channel, Policy, Route
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineIdentifier, SimForm, read_identifier
from shiming.registrations.model.numbers import NumberNotGiven
from shiming.registrations.model.ordering import (
    ADDRESS_CHARACTERS_MAX,
    NewOrder,
    OrderDetails,
    OrderRefused,
    OrderTaken,
)
from shiming.registrations.model.orders import AwaitedRepresentative, RepresentativeRole
from shiming.registrations.model.registration import check_operator
from shiming.registrations.use_cases import numbers, orders
from shiming.registrations.use_cases.representation import await_representative
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid

_TYPED_MAX = 70  # the longest identifier with separators
_CARD = frozenset({OrderRefusal.SIM_TAKEN})
_NUMBER = frozenset(
    {
        OrderRefusal.NUMBER_RESERVED,
        OrderRefusal.NUMBER_RESTING,
        OrderRefusal.NUMBER_EXCLUDED,
        OrderRefusal.NUMBER_NOT_IN_POOL,
        RefusalCode.NUMBER_TAKEN,
    }
)


class NumberAndCard(BaseModel):
    """Which number and which card; what a kind of line does not have stays empty."""

    identifier: Annotated[str | None, Field(max_length=_TYPED_MAX)] = None
    iccid: Annotated[str | None, Field(max_length=_TYPED_MAX)] = None
    sim_form: SimForm = SimForm.PHYSICAL
    install_address: Annotated[str | None, Field(max_length=ADDRESS_CHARACTERS_MAX)] = None


class OpeningForm(NumberAndCard):
    """What is opened, for whom; `key`: of this form, so that sending it twice opens one."""

    key: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    operator: Annotated[str, Field(max_length=32)] = ""
    channel: Channel = Channel.SHOP
    offer: Annotated[str, Field(pattern=r"^[a-z_]{1,30}\.[a-z_]{1,30}$")]
    holder: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    organisation: Annotated[str | None, Field(max_length=40)] = None
    contract: Annotated[str | None, Field(max_length=40)] = None


class NotOpened(Exception):
    """Nothing was opened, for all these reasons; `lost`: the fields that must be chosen anew."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__()
        self.refusals = refusals
        codes = {refusal.code for refusal in refusals}
        self.lost = frozenset(
            name for name, lost in (("identifier", _NUMBER), ("iccid", _CARD)) if codes & lost
        )


def open_journey(request: Request, connection: Connection, wanted: OpeningForm, policy: Policy) -> str:
    """Open everything and return where to go next; raise NotOpened, so that nothing is written.

    (1) what is offered, to whom  (2) the session of the proof  (3) the number is kept for it
    (4) the order, which keeps the card
    (5) that a proxy will come, where one does
    """
    platform, desk = counter_platform(request), desk_of(request)
    check_operator(wanted.operator)
    offer, holder = _chosen(wanted, policy)
    identifier = read_line(platform, wanted, offer)
    application = Application(wanted.channel, Route.STANDARD, holder.category, wanted.operator)
    session = challenges.open_session(desk.tools, connection, application, policy)
    if isinstance(identifier, Msisdn):
        keep_number(platform, connection, identifier, wanted.operator, session.id, policy)
    order = NewOrder(
        session_id=session.id,
        operator=wanted.operator,
        kind=offer.kind,
        product_class=offer.product,
        channel=wanted.channel,
        organisation=wanted.organisation if holder.code == offers.ORGANISATION else None,
        contract=wanted.contract if holder.code == offers.ORGANISATION else None,
        details=details_of(wanted, offer, identifier),
    )
    now = platform.clock.now()
    outcome = orders.open_order(platform.registrations, connection, order, policy=policy, now=now)
    require(outcome)
    if holder.code == offers.PROXY:
        proxy = AwaitedRepresentative(RepresentativeRole.PROXY)
        await_representative(platform.registrations, connection, session.id, proxy, now=now)
    return f"/counter/{session.id}"


def read_line(platform: CounterPlatform, wanted: NumberAndCard, offer: offers.Offer) -> LineIdentifier:
    """Return the number, or the account of an internet access; raise BadInput."""
    if not wanted.identifier:
        raise BadInput(
            "NUMBER_NOT_CHOSEN",
            Text(zh="尚未选择号码。", en="No number is chosen."),
            Text(zh="请选择一个空闲号码。", en="Choose one of the free numbers."),
        )
    policy = platform.registration_policy
    regions = policy.number_regions
    region = regions[0] if len(regions) == 1 else None
    return read_identifier(wanted.identifier, offer.kind, region, also=policy.number_series)


def details_of(wanted: NumberAndCard, offer: offers.Offer, identifier: LineIdentifier) -> OrderDetails:
    """Return what belongs to this kind of line; raise BadInput for what can be no card."""
    card = wanted.iccid if offer.has_sim else None
    return OrderDetails(
        identifier=identifier,
        iccid=Iccid.parse(card) if card else None,
        sim_form=wanted.sim_form if offer.has_sim else None,
        install_address=wanted.install_address if offer.has_place else None,
    )


def keep_number(
    platform: CounterPlatform,
    connection: Connection,
    number: Msisdn,
    operator: str,
    session_id: str,
    policy: Policy,
) -> None:
    """Keep a number for a session; raise NotOpened."""
    now = platform.clock.now()
    kept = numbers.reserve_number(
        platform.registrations,
        connection,
        number,
        operator=operator,
        held_for=session_id,
        now=now,
        policy=policy,
    )
    if isinstance(kept, NumberNotGiven):
        raise NotOpened(kept.refusals)


def require(outcome: OrderTaken | OrderRefused) -> OrderTaken:
    """Return what was taken; raise NotOpened."""
    if isinstance(outcome, OrderRefused):
        raise NotOpened(outcome.refusals)
    return outcome


def _chosen(wanted: OpeningForm, policy: Policy) -> tuple[offers.Offer, offers.Holder]:
    offer = next(
        (each for each in offers.offers_of(policy, wanted.channel) if each.code == wanted.offer), None
    )
    found = offers.holders_of(policy, offer) if offer else ()
    holder = next((each for each in found if each.code == wanted.holder), None)
    if offer is None or holder is None:
        raise BadInput(
            "OFFER_UNKNOWN",
            Text(
                zh="此处不办理该产品，或该类用户不能办理。",
                en="Not offered here, or not to such a holder.",
            ),
            Text(zh="请重新选择产品和使用人。", en="Choose the product and the holder again."),
        )
    return offer, holder
