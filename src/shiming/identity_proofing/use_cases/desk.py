"""What every step of a session shares: where it works, may it go on, hold pieces, take figures in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy.engine import Connection

from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.errors import refused, rules_changed
from shiming.identity_proofing.held_forms import image_of
from shiming.identity_proofing.held_pieces import Begin, HoldingTools
from shiming.identity_proofing.model.session import EvidenceGiven, EvidenceKind, Session, StepRefused
from shiming.identity_proofing.rules.sessions import decide_step
from shiming.identity_proofing.use_cases.steps import Step
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.jurisdictions.model import Policy
from shiming.recognition.measurements import Image
from shiming.vocabulary.permissions import inside

_STEPS = inside("shared by the steps, which ask")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the steps of one session work with; `policies(pack, day)` gives the rules."""

    tools: ProofingTools
    holding: HoldingTools
    begin: Begin
    policies: Callable[[str, date], Policy]
    on: date


@_STEPS
def going_on(desk: Desk, session_id: str) -> tuple[Session, Policy]:
    """Return a session that can go on, and the rules that it was opened under."""
    with desk.begin() as connection:
        session = store.get_session(connection, session_id)
    if session.state.is_final:
        raise refused("SESSION_CLOSED")
    if desk.tools.clock.now() >= session.expires_at:
        raise refused("SESSION_EXPIRED")
    policy = desk.policies(session.pack_id, desk.on)
    if policy.content_hash != session.pack_hash:
        raise rules_changed()
    return session, policy


@_STEPS
def require_step(desk: Desk, session: Session, policy: Policy, kind: EvidenceKind, mark: str) -> None:
    """Refuse before measuring what would be refused after it."""
    result = decide_step(session, EvidenceGiven(kind, mark), policy, desk.tools.clock.now())
    if isinstance(result, StepRefused):
        raise refused(result.code)


@_STEPS
def take_in(
    desk: Desk,
    session: Session,
    policy: Policy,
    pieces: Mapping[str, bytes | Path],
    take: Callable[[Step], Session | StepRefused],
) -> Session:
    """Hold the pieces, then take the measured evidence in; nothing of it counts unless all of it does."""
    held = (
        held_pieces.hold(desk.holding, desk.begin, session.id, session.expires_at, pieces) if pieces else ()
    )
    with desk.begin() as connection:
        taken = take(step_of(desk, connection, session.id, policy))
        if isinstance(taken, StepRefused):
            raise refused(taken.code)
        held_pieces.make_present(connection, session.id, held)
    return taken


@_STEPS
def step_of(desk: Desk, connection: Connection, session_id: str, policy: Policy) -> Step:
    """Hold the session for this transaction and return where the step happens."""
    held_pieces.lock_session(connection, session_id)
    return Step(desk.tools, connection, policy, session_id, desk.on)


@_STEPS
def held_of(desk: Desk, session_id: str, names: Iterable[str]) -> dict[str, Iterator[bytes]]:
    """Return the content of the held pieces of these names; those that are not there are left out."""
    return held_pieces.open_pieces(desk.holding, desk.begin, session_id, names)


@_STEPS
def held_image(desk: Desk, session_id: str, name: str) -> Image | None:
    """Return a held picture."""
    held = held_of(desk, session_id, (name,))
    return image_of(b"".join(held[name])) if name in held else None
