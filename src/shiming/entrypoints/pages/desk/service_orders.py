"""Orders to the network: which wait, which failed, and to order a failed one anew."""

from datetime import datetime
from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.desk.desk_page import Refused, Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table, gather
from shiming.entrypoints.pages.desk.words import options, word
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.registrations.errors.provisioning import WaitReason, order_unknown
from shiming.registrations.model.provisioning import OrderState, ServiceOrder
from shiming.registrations.permissions.provisioning import (
    MayConfirmProvisioning,
    MayManageProvisioning,
    MayReadProvisioning,
)
from shiming.registrations.use_cases import service_orders
from shiming.vocabulary.errors import Text

router = page_router()
Reading = Annotated[Asking, asked(MayReadProvisioning)]
Managing = Annotated[Asking, asked(MayReadProvisioning, MayManageProvisioning)]
Confirming = Annotated[Asking, asked(MayReadProvisioning, MayConfirmProvisioning)]
OrderId = Annotated[str, Path(max_length=40)]
_TONES = {
    OrderState.FAILED: "bad",
    OrderState.HELD: "bad",
    OrderState.COMPLETED: "good",
    OrderState.WAITING: "waiting",
}


def _why(order: ServiceOrder) -> Text | None:
    """Return why an order is not with the network in words; a code of the network stands as it is."""
    if order.reason in set(WaitReason):
        return word(WaitReason(order.reason))
    return Text(zh=order.reason, en=order.reason) if order.reason else None


TABLE: Table[ServiceOrder] = Table(
    "service-orders",
    Text(zh="开通工单", en="Service orders"),
    (
        Column(
            "id",
            Text(zh="编号", en="Reference"),
            lambda order: order.order_id,
            href=lambda order: f"/desk/service-orders/{order.order_id}",
        ),
        Column("line", Text(zh="线路", en="Line"), lambda order: order.line_id, look="code"),
        Column("action", Text(zh="动作", en="Action"), lambda order: word(order.action)),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda order: word(order.state),
            look="state",
            tone=lambda order: _TONES.get(order.state, ""),
        ),
        Column("reason", Text(zh="原因", en="Reason"), _why),
        Column("attempts", Text(zh="尝试次数", en="Attempts"), lambda order: order.attempts, look="number"),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda order: order.operator),
        Column("created", Text(zh="下单时间", en="Ordered"), lambda order: order.created_at),
    ),
    filters=(
        Choice("state", Text(zh="状态", en="State"), options(OrderState), lambda order: order.state.value),
    ),
    empty=Text(zh="没有需要处理的工单。", en="No order needs a person."),
    order="created",
)


class ConfirmationForm(BaseModel):
    """On what ground a person says that the network did it, and that this is meant."""

    model_config = ConfigDict(extra="ignore")
    reference: Annotated[str, Field(max_length=64)]
    sure: bool


@router.get("/desk/service-orders")
def list_orders(request: Request, asking: Reading) -> Response:
    """List the orders that are not done; those that failed or are held need a person."""
    operator = asking.caller.operator
    asking.allow(MayReadProvisioning(operator or ""))
    engine = request.app.state.platform.engine
    states = tuple(state for state in OrderState if state not in {OrderState.COMPLETED, OrderState.CANCELLED})

    def fetch(after: tuple[datetime, str] | None, limit: int) -> tuple[ServiceOrder, ...]:
        with reading(engine) as connection:
            return service_orders.list_orders(
                connection, operator=operator, states=states, after=after, limit=limit
            )

    rows = gather(fetch, lambda order: (order.created_at, order.order_id))
    return table_page(request, asking, "desk/service_orders.html", Shown(TABLE, rows))


@router.get("/desk/service-orders/{order}")
def show_order(request: Request, order: OrderId, asking: Reading) -> Response:
    """Show an order."""
    asking.allow(MayReadProvisioning(asking.caller.operator or ""))
    return _shown(request, asking, _find(request, asking, order))


@router.post("/desk/service-orders/{order}/retry")
def retry(request: Request, order: OrderId, asking: Managing) -> Response:
    """Order again what a failed order wanted."""
    asking.allow(MayManageProvisioning(asking.caller.operator or ""))
    found, platform = _find(request, asking, order), request.app.state.platform
    now = platform.clock.now()
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: service_orders.retry_order(
                platform.provisioning, connection, found.order_id, now=now
            ),
        )
    )
    if refused:
        return _shown(request, asking, found, refused)
    return see_other("/desk/service-orders", said="retried")


@router.post("/desk/service-orders/{order}/confirmation")
def confirm(
    request: Request,
    order: OrderId,
    asking: Confirming,
    wanted: Annotated[Filled[ConfirmationForm], form(ConfirmationForm)],
) -> Response:
    """Note that the network did what is ordered, where the operator has no BSS here."""
    asking.allow(MayConfirmProvisioning(asking.caller.operator or ""))
    found, platform = _find(request, asking, order), request.app.state.platform
    if wanted.value is None:
        return _shown(request, asking, found, wanted=wanted)
    reference = wanted.value.reference
    refused = tried(
        lambda: transact(
            platform.engine,
            lambda connection: service_orders.confirm_by_hand(
                platform.provisioning,
                connection,
                found.order_id,
                reference=reference,
                by=asking.caller.reference,
                now=platform.clock.now(),
            ),
        )
    )
    if refused:
        return _shown(request, asking, found, refused)
    return see_other("/desk/service-orders", said="confirmed")


def _find(request: Request, asking: Asking, order_id: str) -> ServiceOrder:
    with reading(request.app.state.platform.engine) as connection:
        found = service_orders.find_order(connection, order_id)
    if found is None or asking.caller.operator not in {None, found.operator}:
        raise order_unknown()
    return found


def _shown(
    request: Request,
    asking: Asking,
    found: ServiceOrder,
    refused: Refused | None = None,
    wanted: Filled[ConfirmationForm] | None = None,
) -> Response:
    facts = {
        "order": found,
        "action": word(found.action),
        "state": word(found.state),
        "why": _why(found),
        "tone": _TONES.get(found.state, ""),
        "may_retry": found.state is OrderState.FAILED
        and asking.gatekeeper.allow(asking.caller, MayManageProvisioning(found.operator)),
        "may_confirm": found.state is OrderState.HELD
        and asking.gatekeeper.allow(asking.caller, MayConfirmProvisioning(found.operator)),
        "refused": refused,
        **(wanted.again() if wanted else {}),
    }
    status = 422 if wanted else 409 if refused else 200
    return desk_page(request, asking, "desk/service_order.html", facts, status=status)
