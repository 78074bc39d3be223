"""Take another way to the same level: at once on request, or after attempts; nobody says why."""

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.errors import refused
from shiming.identity_proofing.model.session import Session
from shiming.identity_proofing.permissions import MayConductSession
from shiming.identity_proofing.rules.equal_ways import people_decide
from shiming.identity_proofing.rules.sessions import take_route, wait_for_people
from shiming.identity_proofing.use_cases.challenges import Application, require_known
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Route
from shiming.vocabulary.permissions import asks

ROUTE_TAKEN = "proofing.route_taken"


@asks(MayConductSession)
def take_other_route(desk: Desk, connection: Connection, session_id: str, route: Route) -> Session:
    """Go on with a session on another route, without an attempt spent and without a reason.

    Where people decide on that route and the document is there, the session waits for them from now on.
    """
    held_pieces.lock_session(connection, session_id)
    session = store.get_session(connection, session_id)
    policy = desk.policies(session.pack_id, desk.on)
    require_known(Application(session.channel, route, session.subject), policy)
    now = desk.tools.clock.now()
    if session.state.is_final:
        raise refused("SESSION_CLOSED")
    if now >= session.expires_at:
        raise refused("SESSION_EXPIRED")
    taken = take_route(session, route, policy)
    evidence = store.find_evidence(connection, session_id)
    if evidence is not None and evidence.document is not None and people_decide(policy, taken):
        taken = wait_for_people(taken, policy, now)
        held_pieces.keep_until(connection, session_id, taken.expires_at)
    store.save_session(connection, taken)
    _tell(desk, connection, taken)
    return taken


def _tell(desk: Desk, connection: Connection, session: Session) -> None:
    found = store.find_decided_session(connection, session.id)
    operator = (found.operator if found else None) or ""
    facts = {"session": session.id, "route": session.route.value}
    desk.tools.record(connection, kind=ROUTE_TAKEN, facts=facts, operator=operator)
    emit(connection, Event(ROUTE_TAKEN, session.id, operator, desk.tools.clock.now(), facts))
