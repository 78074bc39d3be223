"""Decide whether a proofing session can carry a registration.

It is a numbered recipe; every reason is collected, and a session that is not there is the only one alone.
"""

from datetime import datetime

from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.registration import (
    DRAWN,
    VERIFIED,
    ProvenSession,
    RegistrationPolicy,
    SessionNotUsable,
    SessionUsable,
)
from shiming.vocabulary.refusals import Refusal


def decide_session_usable(
    session: ProvenSession | None,
    *,
    operator: str,
    policy: RegistrationPolicy,
    sandbox: bool,
    now: datetime,
    kept_until: datetime | None = None,
) -> SessionUsable | SessionNotUsable:
    """Say whether this session can register a line at `operator` now.

    `kept_until`: its order waits for a card that is on its way; the proof is good at least so long.
    """
    if session is None:
        return SessionNotUsable((Refusal(RefusalCode.SESSION_UNKNOWN, policy.session_citation),))
    codes = []
    #  (1) it ended in Verified, and says who and when
    if session.outcome != VERIFIED or session.subject is None or session.decided_at is None:
        codes.append(RefusalCode.SESSION_NOT_VERIFIED)
    #  (2) nothing was registered with it before
    if session.consumed_by is not None:
        codes.append(RefusalCode.SESSION_CONSUMED)
    #  (3) it is fresh, or kept for an order whose card is on its way; and not from the future
    if session.decided_at is not None:
        fresh_until = session.decided_at + policy.session_age_max
        if not session.decided_at <= now <= max(fresh_until, kept_until or fresh_until):
            codes.append(RefusalCode.SESSION_TOO_OLD)
    #  (4) it was made for this operator
    if session.operator not in {None, operator}:
        codes.append(RefusalCode.SESSION_OF_OTHER_OPERATOR)
    #  (5) its challenge, if its route asks for one, was drawn by the server; a rehearsal stays in the sandbox
    rehearsal = session.challenge_origin not in {None, DRAWN}
    if rehearsal and not sandbox:
        codes.append(RefusalCode.CHALLENGE_CHOSEN)
    if codes or session.subject is None:
        return SessionNotUsable(tuple(Refusal(code, policy.session_citation) for code in codes))
    return SessionUsable(session.subject, session.level, session.receipt_hash, rehearsal)
