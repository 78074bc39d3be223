"""Another number or another card, while nothing is registered; another number takes the customer's yes back.

GET  /counter/{session}/number
POST /counter/{session}/number
POST /counter/{session}/leave     gives everything up: the place, the number, the card
"""

from typing import Annotated, Any

from fastapi import Request, Response
from sqlalchemy.engine import Connection

from shiming.entrypoints.pages.counter.journey import Standing, Step, bar_of, step_of
from shiming.entrypoints.pages.counter.offers import Offer, product_words
from shiming.entrypoints.pages.counter.opening import (
    NotOpened,
    NumberAndCard,
    details_of,
    keep_number,
    read_line,
    require,
)
from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.counter.short_lived import forget
from shiming.entrypoints.pages.counter.standing import counter_platform, facts_of, rules_of, standing_of
from shiming.entrypoints.pages.counter.start import NUMBERS_SHOWN
from shiming.entrypoints.pages.counter.steps import SessionPath
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayReadSession
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.model.lines import LineKind
from shiming.registrations.permissions.numbers import MayReadNumbers, MayReserveNumber
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.use_cases import numbers, orders
from shiming.registrations.use_cases.free_numbers import NumbersWanted, find_free
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn

router = page_router()

_NOT_VALID, _CONFLICT = 422, 409
Changing = Annotated[Asking, asked(MayReadSession, MayManageOrders, MayReserveNumber, MayReadNumbers)]


@router.get("/counter/{session}/number")
def show_number(request: Request, session: SessionPath, asking: Changing) -> Response:
    """Show number and card, and other free numbers."""
    standing = _standing(request, session, asking)
    return see_other(standing.url) if _is_settled(standing) else _number_page(request, standing)


@router.post("/counter/{session}/number")
def change_number(
    request: Request,
    session: SessionPath,
    asking: Changing,
    filled: Annotated[Filled[NumberAndCard], form(NumberAndCard)],
) -> Response:
    """Take another number or another card."""
    standing, wanted = _standing(request, session, asking), filled.value
    if _is_settled(standing):
        return see_other(standing.url)
    if wanted is None:
        return _number_page(request, standing, status=_NOT_VALID, **filled.again())
    platform = counter_platform(request)
    try:
        transact(platform.engine, lambda connection: _change(request, connection, standing, wanted))
    except NotOpened as refused:
        shown = refusals_shown(refused.refusals, standing.policy)
        return _number_page(request, standing, status=_CONFLICT, refusals=shown, entered=filled.entered)
    except BadInput as error:
        return _number_page(request, standing, status=_NOT_VALID, error=error, entered=filled.entered)
    return see_other(standing.url)


@router.post("/counter/{session}/leave")
def leave(request: Request, session: SessionPath, asking: Changing) -> Response:
    """Give everything up and begin with the next customer."""
    standing = _standing(request, session, asking)
    platform = counter_platform(request)

    def work(connection: Connection) -> None:
        order = orders.hold_order(connection, standing.session_id, operator=standing.operator)
        now = platform.clock.now()
        orders.abandon_order(platform.registrations, connection, order, policy=rules_of(platform), now=now)

    if not _is_settled(standing):
        transact(platform.engine, work)
    answer = see_other("/counter", said="given_up")
    forget(answer, request, standing)
    return answer


def _standing(request: Request, session: str, asking: Asking) -> Standing:
    standing = standing_of(request, session, asking)
    for question in (MayManageOrders, MayReserveNumber, MayReadNumbers):
        asking.allow(question(standing.operator))
    return standing


def _is_settled(standing: Standing) -> bool:
    return standing.order is None or standing.line is not None


def _change(request: Request, connection: Connection, standing: Standing, wanted: NumberAndCard) -> None:
    """Keep the new number, let the former go, and write the order - all or nothing."""
    platform, policy = counter_platform(request), rules_of(counter_platform(request))
    order = orders.hold_order(connection, standing.session_id, operator=standing.operator)
    offer = _offer_of(standing)
    identifier = read_line(platform, wanted, offer)
    now = platform.clock.now()
    if isinstance(identifier, Msisdn) and identifier != order.identifier:
        keep_number(platform, connection, identifier, order.operator, order.session_id, policy)
    details = details_of(wanted, offer, identifier)
    require(orders.change_order(platform.registrations, connection, order, details, policy=policy, now=now))
    if isinstance(order.identifier, Msisdn) and identifier != order.identifier:
        numbers.release_number(
            platform.registrations,
            connection,
            order.identifier,
            operator=order.operator,
            held_for=order.session_id,
            now=now,
        )


def _offer_of(standing: Standing) -> Offer:
    order = standing.order
    if order is None:  # routes have looked
        raise orders.order_unknown()
    return Offer(
        order.product_class,
        order.kind,
        product_words(order.product_class),
        has_sim=order.kind.has_sim,
        has_place=order.kind.has_place,
        has_number=order.kind is not LineKind.INTERNET,
    )


def _number_page(request: Request, standing: Standing, *, status: int = 200, **shown: Any) -> Response:
    platform, order = counter_platform(request), standing.order
    offer = _offer_of(standing)
    with reading(platform.engine) as connection:
        found = (
            find_free(
                platform.registrations,
                connection,
                NumbersWanted.parse(standing.operator, offer.kind),
                limit=NUMBERS_SHOWN - 1,
                now=platform.clock.now(),
            ).numbers
            if offer.has_number
            else ()
        )
    free = tuple(number.reveal("shown to who chooses") for number in found)
    own = order.identifier.reveal("shown to the clerk who opens it") if order and order.identifier else ""
    facts = facts_of(
        request,
        standing,
        bar=bar_of(Step.OVER, step_of(standing)),
        operator=standing.operator,
        offer=offer,
        numbers=(own, *free) if own.startswith("+") else free,
        chosen=own or (free[0] if free else ""),
        iccid=(order.iccid if order else None) or "",
        sim_form=(order.sim_form.value if order and order.sim_form else "physical"),
        mistake=None,
        refusals=(),
        error=None,
    )
    return page(request, "counter/number.html", {**facts, **shown}, status=status)
