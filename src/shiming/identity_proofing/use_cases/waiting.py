"""A session that waits for somebody at home: its time begins when they do, and they may leave it."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.model.session import Session, SessionState
from shiming.identity_proofing.rules.sessions import begin_session
from shiming.identity_proofing.use_cases.stepwise import Desk
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.permissions import inside

_TOKEN = "a link's token is the permission, for this one session"  # noqa: S105 - a reason
#: Somebody who comes back to a session that runs gets no new time; one with less than this left does.
_ONLY_WHEN_LEFT = timedelta(minutes=10)


@inside(_TOKEN)
def begin_waiting_session(
    tools: ProofingTools, connection: Connection, session_id: str, policy: Policy
) -> Session:
    """Let the time of a session begin now, under the rules of today, if nothing was handed in yet."""
    held_pieces.lock_session(connection, session_id)
    session, now = store.get_session(connection, session_id), tools.clock.now()
    untouched = session.state is SessionState.CREATED and not session.attempts
    if not untouched or session.expires_at - now > _ONLY_WHEN_LEFT:
        return session
    begun = begin_session(
        session.id, policy, channel=session.channel, route=session.route, subject=session.subject, now=now
    )
    begun = replace(begun, opened_at=session.opened_at)
    store.save_session(connection, begun)
    return begun


@inside(_TOKEN)
def leave_session(desk: Desk, session_id: str) -> bool:
    """Let the applicant leave: what was handed in is unreadable at once and removed. False: it was decided.

    What the law wants kept of a decided session stays under its own clock of retention.
    """
    with desk.begin() as connection:
        held_pieces.lock_session(connection, session_id)
        session = store.get_session(connection, session_id)
        if session.state.is_final:
            return False
        store.save_session(connection, replace(session, state=SessionState.ABANDONED))
        held_pieces.destroy_key(connection, session_id)
        facts = {"session": session_id, "channel": session.channel.value, "pack": session.pack_hash}
        operator = store.find_decided_session(connection, session_id)
        named = (operator.operator if operator else None) or ""
        desk.tools.record(connection, kind="proofing.left", facts=facts, operator=named)
    held_pieces.remove_pieces(desk.holding, desk.begin, session_id)
    return True
