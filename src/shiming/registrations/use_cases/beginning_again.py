"""An order at home whose proof ran out of time goes on with a new session, by the same link.

The order is the same: its product, number, card and address. What rested on the former session does not
come along: terms, confirmation, place under the cap. What was handed in to it is deleted as of any session
that ran out. Whoever follows the order hears of it: `order.begun_again` names both sessions. Whoever does not
finds the order by its former session too, and is told the present one where they want to change it.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Channel, Policy, Route
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.applicant_links import ORDER_BEGUN_AGAIN
from shiming.registrations.model.applicant_links import ApplicantLinkRefused, AtHome
from shiming.registrations.model.numbers import NumberNotGiven
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.rules.applicant_links import decide_beginning_again, has_run_out
from shiming.registrations.rules.entry import draws_from_pool
from shiming.registrations.store import applicant_links as store
from shiming.registrations.store.actual_user_links import session_stands
from shiming.registrations.store.order_moves import note_move
from shiming.registrations.use_cases.applicant_links import find_at_home
from shiming.registrations.use_cases.numbers import reserve_number
from shiming.registrations.use_cases.ordered_cards import keep_card
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.permissions import inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid


@inside("the link's token is the permission: 256 bits that only its bearer has")
def begin_again(
    tools: RegistrationTools,
    proofing: ProofingTools,
    connection: Connection,
    token: str,
    *,
    policy: Policy,
    now: datetime,
) -> AtHome | ApplicantLinkRefused:
    """Open a new session for the order of a link; one whose session still runs, or was decided, stays.

    (1) the link works  (2) its time to prove is over  (3) number and card are still, or again, free for it
    (4) order, number, card and link move to a new session
    """
    found = find_at_home(connection, token, policy=policy, now=now, hold=True)
    if isinstance(found, ApplicantLinkRefused):
        return found
    stands = session_stands(connection, found.link.session_id)
    if stands is None or not has_run_out(stands[0], stands[2], now=now):
        return found
    refusals = decide_beginning_again(found.link, found.order, policy)
    refusals = refusals or _keep(tools, connection, found.order, policy=policy, now=now)
    if refusals:
        return ApplicantLinkRefused(refusals)
    _move(tools, proofing, connection, found, policy=policy, now=now)
    return find_at_home(connection, token, policy=policy, now=now)


def _keep(
    tools: RegistrationTools, connection: Connection, order: LineOrder, *, policy: Policy, now: datetime
) -> tuple[Refusal, ...]:
    """Keep number and card for the order, which may have had to let them go; or say who else has them."""
    if isinstance(order.identifier, Msisdn) and draws_from_pool(order, policy):
        kept = reserve_number(
            tools,
            connection,
            order.identifier,
            operator=order.operator,
            held_for=order.session_id,
            now=now,
            policy=policy,
        )
        if isinstance(kept, NumberNotGiven):
            return kept.refusals
    card = Iccid.parse(order.iccid) if order.iccid else None
    return keep_card(connection, order, card, policy=policy, now=now, free=True)


def _move(
    tools: RegistrationTools,
    proofing: ProofingTools,
    connection: Connection,
    found: AtHome,
    *,
    policy: Policy,
    now: datetime,
) -> None:
    link, former = found.link, found.order.session_id
    application = Application(Channel.ONLINE, Route.STANDARD, found.session.category, link.operator)
    session = open_session(proofing, connection, application, policy)
    store.move_order(connection, former, session.id)
    note_move(connection, former, session.id, now)
    store.keep_longer(connection, session.id, link.expires_at)
    store.change_link(
        connection, link.token_hash, session_id=session.id, sessions=link.sessions + 1, begun_at=now
    )
    facts: dict[str, Fact] = {"former": former, "sessions": link.sessions + 1}
    record(
        connection,
        tools.privacy.keys,
        kind=ORDER_BEGUN_AGAIN,
        facts={"session": session.id, **facts},
        now=now,
        operator=link.operator,
    )
    emit(connection, Event(ORDER_BEGUN_AGAIN, session.id, link.operator, now, facts))
