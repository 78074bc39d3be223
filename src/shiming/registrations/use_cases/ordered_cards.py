"""The card that an order names is kept for it: no other order and no other line gets it meanwhile."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.rules.sims import is_card_free
from shiming.registrations.rules.stops import no_rule
from shiming.registrations.store.sims import hold_for_order, release_holds, standing_of
from shiming.vocabulary.permissions import inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid


@inside("shared by opening and changing an order")
def keep_card(
    connection: Connection,
    order: LineOrder,
    card: Iccid | None,
    *,
    policy: Policy,
    now: datetime,
    free: bool,
) -> tuple[Refusal, ...]:
    """Keep the card that an order names now in the place of the one before, or say why not.

    `free`: nothing else speaks against the order; otherwise nothing is kept.
    """
    if card is None:
        return ()
    iccid = card.reveal("kept for the order")
    standing = standing_of(connection, iccid)
    kept = is_card_free(standing, operator=order.operator, session_id=order.session_id, now=now)
    if kept and free:
        release_holds(connection, order.session_id, besides=iccid)
        kept = hold_for_order(
            connection,
            iccid,
            operator=order.operator,
            session_id=order.session_id,
            until=now + _kept_for(policy),
            now=now,
        )
    return () if kept else (Refusal(OrderRefusal.SIM_TAKEN, no_rule(policy)),)


def _kept_for(policy: Policy) -> timedelta:
    """As long as an order may take: its proof does not last longer, nor the number kept for it."""
    minutes = (policy.time_limits.session_minutes.value, policy.numbering.reservation_minutes.value)
    return timedelta(minutes=max(minutes))
