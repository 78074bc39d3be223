"""Provisioning over HTTP: where BSS are, and the orders to the network.

GET, POST /v1/bss · DELETE /v1/bss/{operator} · POST /v1/bss/{operator}/secret
GET  /v1/service-orders?state=&line= · GET /v1/service-orders/{order}
POST /v1/service-orders/{order}/retry · POST /v1/service-orders/{order}/confirmation
GET  /v1/lines/{line}/network

What belongs to another operator is not found.
"""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import PageAsked, paged
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.webhooks.destinations import Destinations
from shiming.registrations.api.provisioning_schemas import (
    OPERATOR,
    Bss,
    BssList,
    BssWanted,
    CallbackSecret,
    ConfirmationByHand,
    NetworkState,
    ServiceOrders,
    ServiceOrderShown,
)
from shiming.registrations.errors.provisioning import bss_unknown, line_unknown, order_unknown
from shiming.registrations.model.provisioning import OperatorBss, OrderState, ServiceOrder
from shiming.registrations.permissions.provisioning import (
    MayConfirmProvisioning,
    MayManageProvisioning,
    MayReadProvisioning,
)
from shiming.registrations.use_cases import bss_endpoints, lines, service_orders
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1", tags=["provisioning"])


class ProvisioningPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    destinations: Destinations
    provisioning: ProvisioningTools


Reading = Annotated[Asking, asked(MayReadProvisioning)]
Managing = Annotated[Asking, asked(MayManageProvisioning)]
Operator = Annotated[str, Path(pattern=OPERATOR, description="Code of the operator.")]
OrderId = Annotated[
    str, Path(max_length=40, description="Reference of the order.", examples=["PRV-0081-0G3G-50C7-1"])
]
LineId = Annotated[str, Path(max_length=40, description="Reference of the line.")]


@router.get("/bss", responses=problem_responses(400))
def list_bss(request: Request, asking: Reading, page: Annotated[PageAsked, paged("bss")]) -> BssList:
    """List where operators' BSS are."""
    mine = asking.caller.operator
    asking.allow(MayReadProvisioning(mine or ""))
    platform = _platform(request)
    with reading(platform.engine) as connection:
        found = bss_endpoints.list_bss(connection, operator=mine)
    after = str(page.after[0]) if page.after else ""
    rest = [_bss(platform, row) for row in found if row.operator > after]
    return BssList(**page.listing(rest[: page.size + 1], key=lambda each: (each.operator,)))


@router.post("/bss", status_code=201, response_model=Bss, responses=problem_responses(409))
def add_bss(
    request: Request,
    body: BssWanted,
    asking: Managing,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Say where an operator's BSS is. Take the secret of its callbacks by POST .../secret next."""
    asking.allow(MayManageProvisioning(body.operator))
    platform = _platform(request)
    now = platform.clock.now()
    platform.destinations.check_form(body.url)

    def work(connection: Connection) -> Answer:
        row = bss_endpoints.add_bss(
            platform.provisioning,
            connection,
            operator=body.operator,
            url=body.url,
            token=body.token.get_secret_value(),
            now=now,
        )
        return Answer.of(201, _bss(platform, row), location=f"/v1/bss/{row.operator}")

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, body), work, now=now)


@router.delete("/bss/{operator}", status_code=204, responses=problem_responses(404))
def remove_bss(request: Request, asking: Managing, operator: Operator) -> None:
    """Forget an operator's BSS and its secrets; its orders wait from now on."""
    _require_mine(asking, operator)
    platform = _platform(request)
    transact(
        platform.engine,
        lambda connection: bss_endpoints.remove_bss(
            platform.provisioning, connection, operator=operator, now=platform.clock.now()
        ),
    )


@router.post("/bss/{operator}/secret", responses=problem_responses(404))
def new_secret(request: Request, response: Response, asking: Managing, operator: Operator) -> CallbackSecret:
    """Return a new secret of the callbacks; the former one holds for a day."""
    _require_mine(asking, operator)
    platform = _platform(request)
    secret = transact(
        platform.engine,
        lambda connection: bss_endpoints.new_callback_secret(
            platform.provisioning, connection, operator=operator, now=platform.clock.now()
        ),
    )
    response.headers["cache-control"] = "no-store"
    return CallbackSecret(secret=secret)


@router.get("/service-orders", response_model=ServiceOrders)
def list_orders(
    request: Request,
    asking: Reading,
    page: Annotated[PageAsked, paged("service-orders")],
    state: Annotated[list[OrderState] | None, Query(description="Only in these states.")] = None,
    line: Annotated[str | None, Query(max_length=40, description="Only of this line.")] = None,
) -> dict[str, Any]:
    """List the orders to the network: `state=failed` and `state=held` are those that need a person."""
    mine = asking.caller.operator
    asking.allow(MayReadProvisioning(mine or ""))
    with reading(_platform(request).engine) as connection:
        found = service_orders.list_orders(
            connection,
            operator=mine,
            states=state or (),
            line_id=line,
            after=_after(page),
            limit=page.size + 1,
        )
    shown = [order.to_json() for order in found]
    return page.listing(shown, key=lambda row: (row["created_at"], row["id"]))


@router.get("/service-orders/{order}", response_model=ServiceOrderShown, responses=problem_responses(404))
def show_order(request: Request, response: Response, order: OrderId, asking: Reading) -> dict[str, Any]:
    """Return an order."""
    found = _find(request, order, asking, MayReadProvisioning)
    response.headers["etag"] = _version(found)
    return found.to_json()


@router.post(
    "/service-orders/{order}/retry",
    status_code=201,
    response_model=ServiceOrderShown,
    responses=problem_responses(404, 409),
)
def retry(
    request: Request,
    order: OrderId,
    asking: Managing,
    key: Annotated[str | None, idempotency_key()] = None,
) -> Response:
    """Order again what a failed order wanted; the answer is the new order."""
    _find(request, order, asking, MayManageProvisioning)
    platform = _platform(request)
    now = platform.clock.now()

    def work(connection: Connection) -> Answer:
        again = service_orders.retry_order(platform.provisioning, connection, order, now=now)
        return Answer.of(
            201, ServiceOrderShown(**again.to_json()), location=f"/v1/service-orders/{again.order_id}"
        )

    return idempotent(platform.engine, asking.caller.reference, key, hash_of(request, b""), work, now=now)


@router.post(
    "/service-orders/{order}/confirmation",
    response_model=ServiceOrderShown,
    responses=problem_responses(400, 404, 409, 412, 428),
)
def confirm(
    request: Request,
    order: OrderId,
    body: ConfirmationByHand,
    asking: Annotated[Asking, asked(MayConfirmProvisioning)],
    version: Annotated[str, if_match()],
) -> dict[str, Any]:
    """Note that the network did what is ordered, where the operator has no BSS here."""
    found = _find(request, order, asking, MayConfirmProvisioning)
    require_version(version, _version(found))
    platform = _platform(request)
    done = transact(
        platform.engine,
        lambda connection: service_orders.confirm_by_hand(
            platform.provisioning,
            connection,
            order,
            reference=body.reference,
            by=asking.caller.reference,
            now=platform.clock.now(),
        ),
    )
    return done.to_json()


@router.get("/lines/{line}/network", responses=problem_responses(404))
def show_network(request: Request, line: LineId, asking: Reading) -> NetworkState:
    """Return what the network has confirmed about a line, beside its status in the registry."""
    asking.allow(MayReadProvisioning(asking.caller.operator or ""))
    with reading(_platform(request).engine) as connection:
        found = lines.find_line(connection, line)
        if found is None or not asking.may(MayReadProvisioning(found.operator)):
            raise line_unknown()
        state = service_orders.network_state(connection, line, found.operator)
    network = None if state is None else {"status": state.status.value, "profile": dict(state.profile)}
    return NetworkState(line=line, registry_status=found.status.value, network=network)


def _platform(request: Request) -> ProvisioningPlatform:
    platform: ProvisioningPlatform = request.app.state.platform
    return platform


def _require_mine(asking: Asking, operator: str) -> None:
    """Another operator's BSS is as unknown as none."""
    asking.allow(MayManageProvisioning(asking.caller.operator or ""))
    if not asking.may(MayManageProvisioning(operator)):
        raise bss_unknown()


def _find(
    request: Request,
    order_id: str,
    asking: Asking,
    question: type[MayReadProvisioning | MayManageProvisioning | MayConfirmProvisioning],
) -> ServiceOrder:
    asking.allow(question(asking.caller.operator or ""))
    with reading(_platform(request).engine) as connection:
        found = service_orders.find_order(connection, order_id)
    if found is None or not asking.may(question(found.operator)):
        raise order_unknown()
    return found


def _bss(platform: ProvisioningPlatform, row: OperatorBss) -> Bss:
    url = bss_endpoints.callback_url(platform.provisioning.public_url, row.operator)
    return Bss(operator=row.operator, url=row.url, added_at=row.added_at, callback_url=url)


def _version(order: ServiceOrder) -> str:
    return etag(f"{order.state.value}-{order.attempts}")


def _after(page: PageAsked) -> tuple[datetime, str] | None:
    match page.after:
        case None:
            return None
        case (str(at), str(order_id)):
            try:
                return datetime.fromisoformat(at), order_id
            except ValueError:
                pass
    raise BadInput("CURSOR_INVALID", Text(zh="分页游标无效。", en="This is no cursor of this list."))
