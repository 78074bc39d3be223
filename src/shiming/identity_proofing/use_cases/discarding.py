"""Let go of what undecided sessions held, once their time is over."""

from datetime import datetime

from shiming.identity_proofing import held_pieces
from shiming.identity_proofing.held_pieces import Begin, HoldingTools
from shiming.vocabulary.permissions import inside


@inside("a schedule of the worker runs it")
def discard_held(holding: HoldingTools, begin: Begin, now: datetime) -> int:
    """Destroy the keys and remove the pieces of a batch of sessions; call again until it returns 0."""
    with begin() as connection:
        sessions = held_pieces.list_to_discard(connection, now)
        for session_id in sessions:
            held_pieces.destroy_key(connection, session_id)
    for session_id in sessions:
        held_pieces.remove_pieces(holding, begin, session_id)
    return len(sessions)
