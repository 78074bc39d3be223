from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.accounts.rules.lockout import Locked, LockoutPolicy, MayTry, decide_lockout

AT = datetime(2026, 5, 1, tzinfo=UTC)
POLICY = LockoutPolicy()
FAILURES = st.integers(0, POLICY.failures_max - 1)
WAITED = st.timedeltas(timedelta(0), timedelta(hours=3))


def decided(failures: int, waited: timedelta = timedelta(0)) -> MayTry | Locked:
    return decide_lockout(failures=failures, last_failed_at=AT, now=AT + waited)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(0, POLICY.free_failures), WAITED)
def test_the_first_failures_are_free(failures: int, waited: timedelta) -> None:
    assert decided(failures, waited) == MayTry()


@settings(deadline=None)  # a loaded machine is no failure
@given(FAILURES, WAITED)
def test_more_failures_never_shorten_the_wait(failures: int, waited: timedelta) -> None:
    fewer, more = decided(failures, waited), decided(failures + 1, waited)
    if isinstance(fewer, Locked):
        assert isinstance(more, Locked)
        assert fewer.until is not None
        assert more.until is None or more.until >= fewer.until


@settings(deadline=None)  # a loaded machine is no failure
@given(FAILURES)
def test_every_wait_ends_within_the_cap(failures: int) -> None:
    locked = decided(failures)
    assert decided(failures, POLICY.wait_max) == MayTry()
    if isinstance(locked, Locked):
        assert locked.until is not None
        waited = locked.until - AT
        assert POLICY.first_wait <= waited <= POLICY.wait_max
        assert isinstance(decided(failures, waited - timedelta(seconds=1)), Locked)
        assert decided(failures, waited) == MayTry()


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(POLICY.failures_max, 10**9), st.timedeltas(timedelta(0), timedelta(days=9_000)))
def test_after_a_hundred_no_time_helps(failures: int, waited: timedelta) -> None:
    assert decided(failures, waited) == Locked(None)


def test_the_wait_doubles_up_to_the_cap() -> None:
    waits = [decided(failures) for failures in range(5, 15)]
    seconds = [(wait.until - AT).total_seconds() for wait in waits if isinstance(wait, Locked) and wait.until]
    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_nobody_who_never_failed_waits() -> None:
    assert decide_lockout(failures=50, last_failed_at=None, now=AT) == MayTry()
