"""One customer who waits for people to look: what the tour's reviewer finds in the queue.

They showed the specimen card, looked into the camera and asked that people compare. All of it goes through
recognition, rules and the pretended authority, as anybody's proof does. That takes some seconds of models, so
it is done in a thread beside the open tour, and ends with it.
"""

import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from shiming.entrypoints.demo_processes import SPECIMENS
from shiming.entrypoints.tour_world import OPERATOR

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform
    from shiming.identity_proofing.use_cases.desk import Desk

_LOG = logging.getLogger(__name__)


class CaseState(StrEnum):
    """How far the customer came."""

    COMING = "coming"
    WAITING = "waiting"
    FAILED = "failed"  # models or authority are not there: the log of the tour says why


@dataclass(slots=True)
class WaitingCase:
    """Takes the steps of a case beside the tour, once `begin` was called; no step begins after the block."""

    steps: Callable[[], Iterator[object]]
    state: CaseState = CaseState.COMING
    _ending: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._take_steps, name="tour-case")
        self._thread.start()

    def __enter__(self) -> Self:
        """Return the case."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the step that is being taken: seconds at most; an engine cannot be interrupted."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _take_steps(self) -> None:
        try:
            for _ in self.steps():
                if self._ending.is_set():
                    return
            self.state = CaseState.WAITING
        except Exception:  # noqa: BLE001 - the tour goes on, and says that nobody waits
            self.state = CaseState.FAILED
            _LOG.exception("no case for the reviewer")


def steps_of_case(platform: "Platform", authority: Any, folder: Path) -> Iterator[object]:
    """Take a customer from the card to the queue, step by step; `folder`: for what is there for a moment."""
    from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
    from shiming.identity_proofing.use_cases import challenges, route_taking, stepwise
    from shiming.jurisdictions.model import Channel, Route

    demo = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
    desk = _desk_of(platform, authority)
    application = challenges.Application(Channel.SHOP, Route.STANDARD, operator=OPERATOR)
    policy = platform.policy(platform.default_pack, desk.on)
    with platform.begin() as connection:
        session = challenges.open_session(desk.tools, connection, application, policy).id
    front, back = (SPECIMENS / demo[side] for side in ("document_front", "document_back"))
    yield stepwise.take_document(desk, session, front, back, DeclaredIdentity())
    challenge = _challenge(desk, session, demo)
    yield stepwise.take_clip(desk, session, SPECIMENS / demo["clip"], challenge, digits_spoken_in_clip=True)
    with platform.begin() as connection:
        route_taking.take_other_route(desk, connection, session, Route.ASSISTED)
    with tempfile.TemporaryDirectory(dir=folder) as room:  # the authority's word stands beside the pictures
        yield stepwise.decide(desk, session, Path(room))


def _desk_of(platform: "Platform", authority: Any) -> "Desk":
    from shiming.identity_proofing.held_pieces import HoldingTools
    from shiming.identity_proofing.use_cases.desk import Desk

    tools = platform.proofing_tools(authority)
    holding = HoldingTools(platform.privacy.objects, platform.keys, tools.new_reference)
    return Desk(tools, holding, platform.begin, platform.policy, platform.today())


def _challenge(desk: "Desk", session_id: str, demo: dict[str, Any]) -> dict[str, Any]:
    """Return the challenge that the specimen clip answers, given out for this session."""
    from shiming.identity_proofing import store
    from shiming.identity_proofing.model.challenge import Language
    from shiming.identity_proofing.rules.challenge_document import challenge_document
    from shiming.identity_proofing.use_cases import challenges
    from shiming.jurisdictions.model import Gesture

    with desk.begin() as connection:
        session = store.get_session(connection, session_id)
        given = challenges.give_chosen_challenge(
            desk.tools,
            connection,
            session,
            desk.policies(session.pack_id, desk.on),
            language=Language(demo["digits_language"]),
            steps=tuple(Gesture(name) for name in demo["gestures"]),
            digits=demo["digits"],
        )
    return challenge_document(given)
