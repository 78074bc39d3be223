"""An order that goes on with another session: where it is, and what is said of it by the former one."""

from sqlalchemy.engine import Connection

from shiming.registrations.model.orders import LineOrder
from shiming.registrations.store.order_moves import find_present_session
from shiming.registrations.store.orders import find_order
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import inside

_WHY = "shared by the verbs about orders"


@inside(_WHY)
def find_moved(connection: Connection, former: str) -> LineOrder | None:
    """Return the order that a session had before; None: it had none, or that was given up since."""
    present = find_present_session(connection, former)
    return None if present is None else find_order(connection, present)


@inside(_WHY)
def order_moved(present: LineOrder) -> BadInput:
    """Return the error for a change by a former session; `details.session` is the present one."""
    return BadInput(
        "ORDER_MOVED",
        Text(
            zh="该会话已超时，订单已转到新的核验会话。",
            en="The time of this session ran out, and the order goes on with another one.",
        ),
        Text(
            zh="请改用 details.session 中的会话编号。",
            en="Use the session that `details.session` names.",
        ),
        {"session": present.session_id},
    )
