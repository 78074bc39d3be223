"""What a page says of a line beside its stops: its cards, its orders to the network, whether both agree."""

from typing import Any

from fastapi import Request

from shiming.entrypoints.pages.desk.desk_page import platform_of
from shiming.entrypoints.pages.desk.words import word
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.provisioning import ServiceOrder
from shiming.registrations.permissions.provisioning import MayReadProvisioning
from shiming.registrations.use_cases import service_orders, sims

ORDERS_SHOWN_MAX = 100  # of one line; more would be a fault of its own
TONES = {
    LineStatus.PENDING: "waiting",
    LineStatus.ACTIVE: "good",
    LineStatus.ONE_WAY_STOPPED: "bad",
    LineStatus.TWO_WAY_STOPPED: "bad",
}


def facts_of_line(request: Request, asking: Asking, line: Line) -> dict[str, Any]:
    """Return what the template names; the network's side only for who may see it."""
    sees_network = asking.gatekeeper.allow(asking.caller, MayReadProvisioning(line.operator))
    with reading(platform_of(request).engine) as connection:
        cards = sims.sims_of_line(connection, line.line_id)
        orders: tuple[ServiceOrder, ...] = ()
        network = None
        if sees_network:
            orders = service_orders.list_orders(
                connection, operator=line.operator, line_id=line.line_id, limit=ORDERS_SHOWN_MAX
            )
            network = service_orders.network_state(connection, line.line_id, line.operator)
    return {
        "number": line.number.masked(),
        "kind": word(line.kind),
        "cards": cards,
        "sees_network": sees_network,
        "orders": [(order, word(order.action), word(order.state)) for order in orders],
        "network": None if network is None else word(network.status),
        "agrees": network is not None and network.status is line.status,
    }
