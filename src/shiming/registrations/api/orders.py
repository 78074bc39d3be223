"""Orders over HTTP: what is asked for with one proof, gathered until it is registered.

POST  /v1/orders                            open the order of a session
GET   /v1/orders/{session}
PATCH /v1/orders/{session}                  number, SIM, install address; with If-Match
POST  /v1/orders/{session}/abandonment      with If-Match
POST  /v1/orders/{session}/cap-reservation  keep one place under the cap for a while

An order of another operator is not found. One that went on with another session (`order.begun_again`) is read
by its former one too; who changes it by that gets ORDER_MOVED, whose `details.session` is the present one.
"""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.line_platform import line_platform, refused, rules_of
from shiming.registrations.api.order_schemas import (
    SESSION_PATTERN,
    OrderAbandoned,
    OrderChange,
    OrderShown,
    OrderWanted,
    PlaceShown,
)
from shiming.registrations.model.lines import LineKind, read_identifier
from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderRefused, OrderTaken, PlaceKept
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy, check_operator
from shiming.registrations.permissions.orders import MayManageOrders, MayReadOrder
from shiming.registrations.use_cases import orders, places
from shiming.vocabulary.errors import Text
from shiming.vocabulary.sim_identifiers import Iccid, Imsi

router = APIRouter(prefix="/v1/orders", tags=["orders"])

OrderSession = Annotated[str, Path(pattern=SESSION_PATTERN, examples=["SES-0082-0C20-A1G7-D"])]
Managing = Annotated[Asking, asked(MayManageOrders)]
Key = Annotated[str | None, idempotency_key()]
Version = Annotated[str, if_match()]


@router.post("", status_code=201, response_model=OrderShown, responses=problem_responses(404, 409))
def open_order(request: Request, wanted: OrderWanted, asking: Managing, key: Key) -> Response:
    """Open the order of a session; refused with ORDER_REFUSED and every reason in `details.reasons`."""
    check_operator(wanted.operator)
    asking.allow(MayManageOrders(wanted.operator))
    platform = line_platform(request)
    now, policy, new = platform.clock.now(), rules_of(platform), _new(wanted, platform.registration_policy)

    def work(connection: Connection) -> Answer:
        outcome = orders.open_order(platform.registrations, connection, new, policy=policy, now=now)
        taken = _taken(outcome)
        location = f"{router.prefix}/{taken.order.session_id}"
        return Answer.of(201, shown(taken.order), location=location, etag=version_of(taken.order))

    client, asked_for = asking.caller.reference, hash_of(request, wanted)
    return idempotent(platform.engine, client, key, asked_for, work, now=now)


@router.get("/{session}", responses=problem_responses(404))
def read_order(
    request: Request,
    response: Response,
    session: OrderSession,
    asking: Annotated[Asking, asked(MayReadOrder)],
) -> OrderShown:
    """Return the order of a session, also by one that it had before; `session` names the present one."""
    asking.allow(MayReadOrder(asking.caller.operator or ""))
    with reading(line_platform(request).engine) as connection:
        found = orders.find_order(connection, session, operator=asking.caller.operator)
    if found is None:
        raise orders.order_unknown()
    response.headers["etag"] = version_of(found)
    return shown(found)


@router.patch("/{session}", response_model=OrderShown, responses=problem_responses(404, 409, 412, 428))
def change_order(
    request: Request, session: OrderSession, wanted: OrderChange, asking: Managing, version: Version
) -> Response:
    """Change number, SIM or install address; another number takes the customer's confirmation back."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)

    def work(connection: Connection) -> OrderTaken | OrderRefused:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        require_version(version, version_of(order))
        return orders.change_order(
            platform.registrations,
            connection,
            order,
            _details(wanted, order.kind, platform.registration_policy),
            policy=rules_of(platform),
            now=platform.clock.now(),
        )

    order = _taken(transact(platform.engine, work)).order
    headers = {"etag": version_of(order)}
    return Response(shown(order).model_dump_json(), headers=headers, media_type="application/json")


@router.post("/{session}/abandonment", responses=problem_responses(404, 409, 412, 428))
def abandon_order(
    request: Request, session: OrderSession, asking: Managing, version: Version
) -> OrderAbandoned:
    """Give the order up, and the place that it keeps."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)

    def work(connection: Connection) -> OrderRefused | None:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        require_version(version, version_of(order))
        now, policy = platform.clock.now(), rules_of(platform)
        return orders.abandon_order(platform.registrations, connection, order, policy=policy, now=now)

    outcome = transact(platform.engine, work)
    if outcome is not None:
        raise _refused(outcome)
    return OrderAbandoned(session=session)


@router.post(
    "/{session}/cap-reservation",
    status_code=201,
    response_model=PlaceShown,
    responses=problem_responses(404, 409),
)
def keep_place(request: Request, session: OrderSession, asking: Managing, key: Key) -> Response:
    """Keep one place under the cap for the proven holder; it runs out by itself."""
    asking.allow(MayManageOrders(asking.caller.operator or ""))
    platform = line_platform(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        order = orders.hold_order(connection, session, operator=asking.caller.operator)
        kept = places.keep_place(
            platform.registrations, connection, order, policy=platform.registration_policy, now=now
        )
        if not isinstance(kept, PlaceKept):
            raise _refused(kept)
        return Answer.of(201, PlaceShown(session=session, until=kept.until, remaining=kept.remaining))

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, b""), work, now=now)


def shown(order: LineOrder) -> OrderShown:
    """Return an order as programs see it."""
    return OrderShown(
        session=order.session_id,
        operator=order.operator,
        entry=order.entry,
        kind=order.kind,
        product_class=order.product_class,
        channel=order.channel,
        holder_kind=order.holder_kind,
        organisation=order.organisation,
        contract=order.contract,
        category=order.category,
        identifier=order.identifier.reveal("shown to who orders") if order.identifier else None,
        iccid=order.iccid,
        imsi=order.imsi,
        sim_form=order.sim_form,
        install_address=order.install_address,
        representative=order.representative.role if order.representative else None,
        terms_version=order.terms.version if order.terms else None,
        confirmed=order.confirmation.method if order.confirmation else None,
        place_kept_until=order.cap_reserved_until,
        review=order.review,
        created_at=order.created_at,
    )


def version_of(order: LineOrder) -> str:
    """Return the version of an order: whatever of it changes, changes it."""
    return etag(hashlib.sha256(shown(order).model_dump_json().encode()).hexdigest()[:32])


def _new(wanted: OrderWanted, policy: RegistrationPolicy) -> NewOrder:
    return NewOrder(
        session_id=wanted.session,
        operator=wanted.operator,
        kind=wanted.kind,
        product_class=wanted.product_class,
        channel=wanted.channel,
        entry=wanted.entry,
        organisation=wanted.organisation,
        contract=wanted.contract,
        details=_details(wanted, wanted.kind, policy),
    )


def _details(wanted: OrderChange, kind: LineKind, policy: RegistrationPolicy) -> OrderDetails:
    regions = policy.number_regions
    region = regions[0] if len(regions) == 1 else None
    return OrderDetails(
        identifier=(
            read_identifier(wanted.identifier, kind, region, also=policy.number_series)
            if wanted.identifier
            else None
        ),
        iccid=Iccid.parse(wanted.iccid) if wanted.iccid else None,
        imsi=Imsi.parse(wanted.imsi) if wanted.imsi else None,
        sim_form=wanted.sim_form,
        install_address=wanted.install_address,
    )


def _taken(outcome: OrderTaken | OrderRefused) -> OrderTaken:
    if isinstance(outcome, OrderRefused):
        raise _refused(outcome)
    return outcome


def _refused(outcome: OrderRefused) -> Exception:
    text = Text(zh="不能受理该订单。", en="This cannot be done with the order.")
    return refused("ORDER_REFUSED", text, outcome.refusals)
