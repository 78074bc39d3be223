from datetime import UTC, datetime

import pytest

from shiming.jurisdictions.model import ClockStart
from shiming.privacy.model import RetentionClass, RetentionEvents
from shiming.privacy.rules.retention import decide_retention_end
from tests.privacy.builders import NOW, a_retention_policy, a_retention_rule


@pytest.mark.parametrize("retention_class", list(RetentionClass))
def test_nothing_ends_before_its_clock_starts(retention_class: RetentionClass) -> None:
    assert decide_retention_end(retention_class, a_retention_policy(), RetentionEvents()) is None


def test_identity_ends_two_years_after_service_and_a_clip_at_the_decision() -> None:
    policy = a_retention_policy()
    events = RetentionEvents(decided_at=NOW, service_ended_at=NOW.replace(year=2030))
    assert decide_retention_end(RetentionClass.IDENTITY, policy, events) == NOW.replace(year=2032)
    assert decide_retention_end(RetentionClass.CLIP, policy, events) == NOW


def test_the_policy_says_which_clock_and_which_period() -> None:
    policy = a_retention_policy().model_copy(update={"audio": a_retention_rule("P1M1D", ClockStart.ACCESS)})
    events = RetentionEvents(accessed_at=datetime(2026, 1, 31, 8, 30, tzinfo=UTC))
    assert decide_retention_end(RetentionClass.AUDIO, policy, events) == datetime(
        2026, 3, 1, 8, 30, tzinfo=UTC
    )
