"""Where somebody stands who came by a link: one journey for every kind of link.

journey = APPLICANT.journey(request, token)      raises the refusal of a link that does not work
journey.step                                     what comes next
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from fastapi import Request
from sqlalchemy.engine import Engine

from shiming.entrypoints.pages.counter import journey as counter
from shiming.entrypoints.pages.counter.journey import Standing
from shiming.entrypoints.pages.people.second_person import next_step
from shiming.identity_proofing.api_platform import desk_of, platform_of, status_of
from shiming.infrastructure.clock import Clock
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.rules.applicant_links import has_run_out
from shiming.registrations.use_cases.tools import RegistrationTools


class HomePlatform(Protocol):
    """What these pages need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    registration_policy: RegistrationPolicy
    default_pack: str
    settings: Settings

    def today(self) -> Any:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: Any) -> Policy:
        """Return the rules of a pack on a day."""
        ...

    def operator_name(self, operator: str) -> str:
        """Return the name of an operator as customers know it."""
        ...


class Step(StrEnum):
    """A step, named as its page is."""

    START = "start"
    DOCUMENT = "document"
    PERSON = "person"
    RESULT = "result"
    CONTRACT = "contract"
    ACTIVATION = "activation"


@dataclass(frozen=True, slots=True)
class Journey:
    """One link and how far it came. `order` None: a line of an organisation, whose order is not theirs."""

    base: str  # /a/TOKEN
    api: str  # /v1/applicant-links/TOKEN
    standing: Standing
    expires_at: datetime
    begun: bool
    order: LineOrder | None = field(default=None, repr=False)
    line: Line | None = field(default=None, repr=False)
    at_home: bool = True  # False: the clerk waits at the counter for the proof, or the user is recorded
    again: bool = False  # a proof that ran out of time can begin again by this link

    @property
    def step(self) -> Step:
        """Return what comes next."""
        if self.line is not None:
            return Step.ACTIVATION
        if self.late and not self.begun:
            return Step.START  # it waited for its applicant; beginning gives it its time
        found = next_step(self.standing) if self.order is None else counter.step_of(self.standing)
        if self.standing.decision is not None or found in {counter.Step.DECISION, counter.Step.OVER}:
            return self._decided() if self.standing.verified else Step.RESULT
        if not self.begun:
            return Step.START
        return Step(found.value) if found.value in {"document", "person"} else Step.RESULT

    @property
    def shown(self) -> tuple[Step, ...]:
        """Return the steps of the bar."""
        proof = (Step.DOCUMENT, Step.PERSON, Step.RESULT)
        return (*proof, Step.CONTRACT, Step.ACTIVATION) if self.order is not None and self.at_home else proof

    @property
    def late(self) -> bool:
        """Whether the time ended before anything was decided for good."""
        session = self.standing.status.session
        return has_run_out(session.state.value, session.expires_at, now=self.standing.now)

    @property
    def unsettled(self) -> bool:
        """Whether an actual user is proven and not recorded as the user of the line."""
        return self.order is None and self.at_home and self.standing.verified

    @property
    def is_active(self) -> bool:
        """Whether the network has taken the line up."""
        return self.line is not None and self.line.status is not LineStatus.PENDING

    def bar(self, current: Step) -> list[tuple[str, str]]:
        """Return the steps with how they stand: done, current, coming."""
        place = self.shown.index(current) if current in self.shown else -1
        states = ("done" if index < place else "coming" for index in range(len(self.shown)))
        return [
            (step.value, "current" if step is current else state)
            for step, state in zip(self.shown, states, strict=True)
        ]

    def _decided(self) -> Step:
        if self.order is None or not self.at_home:
            return Step.RESULT
        return Step.CONTRACT if self.order.delivery_until is None else Step.ACTIVATION


def home_platform(request: Request) -> HomePlatform:
    """Return the wired program."""
    platform: HomePlatform = request.app.state.platform
    return platform


def rules_of(platform: HomePlatform) -> Policy:
    """Return today's rules."""
    return platform.policy(platform.default_pack, platform.today())


def proof_of(request: Request, session: str, order: LineOrder | None, line: Line | None) -> Standing:
    """Return how the proof of a session stands."""
    desk = desk_of(request)
    status = status_of(desk, platform_of(request), session)
    policy = desk.policies(status.session.pack_id, desk.on)
    return Standing(status, order, line, policy, home_platform(request).clock.now())
