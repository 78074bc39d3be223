"""An order whose proof ran out goes on with a new session: number and card move over where they may."""

from dataclasses import replace

from fastapi import Request
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.counter.journey import Standing
from shiming.entrypoints.pages.counter.opening import NotOpened, keep_number, require
from shiming.entrypoints.pages.counter.standing import CounterPlatform, counter_platform, rules_of
from shiming.identity_proofing.api_platform import desk_of
from shiming.identity_proofing.use_cases import challenges
from shiming.identity_proofing.use_cases.challenges import Application
from shiming.infrastructure.database import transact
from shiming.jurisdictions.model import Channel, Policy, Route
from shiming.registrations.model.ordering import NewOrder, OrderDetails
from shiming.registrations.model.orders import AwaitedRepresentative, LineOrder, RepresentativeRole
from shiming.registrations.use_cases import orders
from shiming.registrations.use_cases.representation import await_representative
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid


def restart(request: Request, standing: Standing) -> str:
    """Give the former order up, open the same once more, and return where that begins.

    What somebody else has taken meanwhile is left out, and chosen anew on the page of number and card.
    """
    platform, desk = counter_platform(request), desk_of(request)
    policy, session = rules_of(platform), standing.status.session
    former = standing.order
    application = Application(session.channel, Route.STANDARD, session.subject, standing.operator or None)

    def work(connection: Connection) -> tuple[str, bool]:
        now = platform.clock.now()
        if former is not None:
            held = orders.hold_order(connection, former.session_id, operator=former.operator)
            orders.abandon_order(platform.registrations, connection, held, policy=policy, now=now)
        opened = challenges.open_session(desk.tools, connection, application, policy)
        if former is None:
            return opened.id, False
        return opened.id, _reopen(platform, connection, former, opened.id, session.channel, policy)

    session_id, complete = transact(platform.engine, work)
    return f"/counter/{session_id}" if complete else f"/counter/{session_id}/number"


def _reopen(
    platform: CounterPlatform,
    connection: Connection,
    former: LineOrder,
    session_id: str,
    channel: Channel,
    policy: Policy,
) -> bool:
    """Open the order again; False when number or card are not free any more and were left out."""
    number_kept = _number_kept(platform, connection, former, session_id, policy)
    details = OrderDetails(
        identifier=former.identifier if number_kept else None,
        iccid=Iccid.parse(former.iccid) if former.iccid else None,
        sim_form=former.sim_form,
    )
    order = NewOrder(
        session_id=session_id,
        operator=former.operator,
        kind=former.kind,
        product_class=former.product_class,
        channel=channel,
        organisation=former.organisation,
        contract=former.contract,
        details=details,
    )
    now = platform.clock.now()
    complete = number_kept and not former.kind.has_place  # an address stands in the vault of the former case
    try:
        with connection.begin_nested():
            require(orders.open_order(platform.registrations, connection, order, policy=policy, now=now))
    except NotOpened:  # the card went to somebody else
        bare = replace(order, details=replace(details, iccid=None))
        require(orders.open_order(platform.registrations, connection, bare, policy=policy, now=now))
        complete = False
    acting = former.awaited or former.representative
    if acting is not None and acting.role is RepresentativeRole.PROXY:  # who comes is proven anew
        proxy = AwaitedRepresentative(RepresentativeRole.PROXY)
        await_representative(platform.registrations, connection, session_id, proxy, now=now)
    return complete


def _number_kept(
    platform: CounterPlatform, connection: Connection, former: LineOrder, session_id: str, policy: Policy
) -> bool:
    if not isinstance(former.identifier, Msisdn):
        return former.identifier is not None
    try:
        with connection.begin_nested():
            keep_number(platform, connection, former.identifier, former.operator, session_id, policy)
    except NotOpened:
        return False
    return True
