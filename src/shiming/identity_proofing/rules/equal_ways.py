"""The ways that somebody may take to the same level, and which of them are open now."""

from dataclasses import dataclass

from shiming.identity_proofing.model.session import EvidenceKind, Session
from shiming.identity_proofing.rules.requirements import required_checks
from shiming.identity_proofing.rules.sessions import attempts_max, take_route
from shiming.identity_proofing.rules.vouching import route_offered
from shiming.jurisdictions.model import CheckName, DigitsMode, Gesture, Policy, Route


@dataclass(frozen=True, slots=True)
class Way:
    """One way: what one does there. `open`: attempts are left, or none are needed."""

    route: Route
    gestures: tuple[Gesture, ...]
    digits: DigitsMode
    by_people: bool
    level: str
    open: bool
    current: bool


def people_decide(policy: Policy, session: Session) -> bool:
    """Say whether staff compare by eye on the session's route."""
    return CheckName.ASSISTED_REVIEW.value in required_checks(policy, session.channel, session.route)


def equal_ways(session: Session, policy: Policy) -> tuple[Way, ...]:
    """Return every way that the pack has, the usual one first, whatever was tried before.

    None is kept back until attempts are used up: who asks at once gets it at once.
    """
    return tuple(
        _way(session, policy, route)
        for route in Route
        if route in policy.routes and route_offered(policy, session.channel, route)
    )


def _way(session: Session, policy: Policy, route: Route) -> Way:
    rules, taken = policy.routes[route], take_route(session, route, policy)
    needed = [
        *([EvidenceKind.CLIP] if rules.gestures.value else []),
        *([EvidenceKind.DIGITS] if rules.digits.value is not DigitsMode.NONE else []),
    ]
    return Way(
        route=route,
        gestures=rules.gestures.value,
        digits=rules.digits.value,
        by_people=people_decide(policy, taken),
        level=rules.level.value,
        open=all(taken.attempts_at(kind) < attempts_max(policy, kind) for kind in needed),
        current=route is session.route,
    )
