"""Which checks a channel asks for on a route."""

from shiming.jurisdictions.model import Channel, CheckName, Policy, Route

#: Not in any pack: an answer proves nothing unless the question was fresh. Asked for with gestures or digits.
CHALLENGE = "challenge"
_ON_LIVE_EVIDENCE = frozenset(
    {
        CheckName.FACE_CLIP_DOCUMENT,
        CheckName.FACE_CLIP_AUTHORITY,
        CheckName.SAME_PERSON,
        CheckName.GESTURES,
        CheckName.DIGITS,
        CheckName.PRESENTATION_ATTACK,
    }
)


def required_checks(policy: Policy, channel: Channel, route: Route) -> tuple[str, ...]:
    """Return the checks without which nobody is verified, in the pack's order.

    A route may replace a check by another one; what replaces two stands once.
    """
    replaced = policy.routes[route].checks_replaced.value
    asked = [replaced.get(check, check) for check in policy.channels[channel].required_checks.value]
    names = [check.value for check in dict.fromkeys(asked)]
    live = {CheckName.GESTURES.value, CheckName.DIGITS.value} & set(names)
    return (*names, CHALLENGE) if live else tuple(names)


def advisory_checks(policy: Policy, channel: Channel, route: Route) -> tuple[str, ...]:
    """Return the checks that only send to people when they speak against the person."""
    required = required_checks(policy, channel, route)
    advisory = policy.channels[channel].advisory_checks.value
    return tuple(check.value for check in advisory if check.value not in required)


def live_evidence_wanted(policy: Policy, channel: Channel, route: Route) -> bool:
    """Say whether any check looks at a clip or listens to digits; if none does, none may be collected."""
    checks = (*required_checks(policy, channel, route), *advisory_checks(policy, channel, route))
    return any(check in _ON_LIVE_EVIDENCE for check in checks)
