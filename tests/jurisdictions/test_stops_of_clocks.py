"""A pack whose clocks could not stop a line, or could not let it go again, is refused when it is read."""

import pytest

from shiming.jurisdictions.model import Policy, StopActor, StopReason
from shiming.jurisdictions.policy_consistency import inconsistencies
from tests.identity_proofing.proofing_builders import a_policy

CLOCKED = (StopReason.HANDOVER_MISSED, StopReason.DOCUMENT_EXPIRED, StopReason.DISPUTE)


def with_stop(reason: StopReason, **actors: tuple[StopActor, ...]) -> Policy:
    """The policy with other actors for one reason; none: the reason is missing."""
    policy = a_policy()
    stops = dict(policy.stops)
    rule = stops.pop(reason)
    if actors:
        cited = {name: getattr(rule, name).model_copy(update={"value": who}) for name, who in actors.items()}
        stops[reason] = rule.model_copy(update=cited)
    return policy.model_copy(update={"stops": stops})


def test_the_pack_itself_is_consistent() -> None:
    assert list(inconsistencies(a_policy())) == []


@pytest.mark.parametrize("reason", CLOCKED)
def test_a_clock_needs_its_stop(reason: StopReason) -> None:
    assert list(inconsistencies(with_stop(reason))) == [f"stops.{reason}: missing"]
    (set_by,) = inconsistencies(with_stop(reason, set_by=(StopActor.CLERK,)))
    assert set_by.startswith(f"stops.{reason}.set_by")
    (lifted_by,) = inconsistencies(with_stop(reason, lifted_by=(StopActor.HOLDER,)))
    assert lifted_by.startswith(f"stops.{reason}.lifted_by")
