"""Decide which checks a channel requires on a route."""

from dataclasses import dataclass

from shiming.jurisdictions.model import Channel, CheckName, Policy, Route


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check that has to pass; `stands_for` names the required checks that it replaces on this route."""

    name: CheckName
    citation: str
    stands_for: tuple[CheckName, ...] = ()


@dataclass(frozen=True, slots=True)
class ChecksRequired:
    """All of `required` have to pass; `advisory` only inform a reviewer."""

    required: tuple[RequiredCheck, ...]
    advisory: tuple[CheckName, ...]
    level: str
    citation: str


@dataclass(frozen=True, slots=True)
class NotOffered:
    """The pack does not know this channel or route."""

    what: Channel | Route


def decide_required_checks(channel: Channel, route: Route, policy: Policy) -> ChecksRequired | NotOffered:
    """Take the channel's checks in their order and let the route's replacements stand in, each once."""
    rules = policy.channels.get(channel)
    way = policy.routes.get(route)
    if rules is None or way is None:
        return NotOffered(channel if rules is None else route)
    replaced = way.checks_replaced.value
    stands_for: dict[CheckName, tuple[CheckName, ...]] = {}
    for check in rules.required_checks.value:
        stand_in = replaced.get(check, check)
        stands_for[stand_in] = stands_for.get(stand_in, ()) + ((check,) if stand_in != check else ())
    return ChecksRequired(
        required=tuple(
            RequiredCheck(
                name, way.checks_replaced.citation if instead else rules.required_checks.citation, instead
            )
            for name, instead in stands_for.items()
        ),
        advisory=tuple(check for check in rules.advisory_checks.value if check not in stands_for),
        level=way.level.value,
        citation=rules.required_checks.citation,
    )
