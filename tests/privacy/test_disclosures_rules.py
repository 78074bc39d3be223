from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shiming.privacy.model import Purpose
from shiming.privacy.rules.disclosure import (
    WORDS_CHARACTERS_MAX,
    Actor,
    Disclosure,
    DisclosureObstacle,
    DisclosureState,
    parse_words,
)
from shiming.privacy.rules.disclosure_steps import (
    BYTES_MAX,
    ITEMS_MAX,
    decide_approval,
    decide_execution,
    decide_refusal,
    visible_from,
)
from shiming.vocabulary.errors import BadInput
from tests.privacy.disclosure_builders import (
    ASKER,
    ASKER_AGAIN,
    FIRST,
    NOW,
    PROGRAM,
    SECOND,
    THIRD,
    a_disclosure,
    a_disclosure_policy,
    a_ref,
    a_request,
    request_of,
)

HOUR = timedelta(hours=1)
ACCOUNTS = [Actor(f"ACC-{person}{number}", f"person-{person}") for person in "ABCD" for number in (1, 2)]
HUMAN_OF = {actor.account: actor.person_key for actor in (*ACCOUNTS, ASKER)}


def approved(*, now: datetime = NOW + HOUR) -> Disclosure:
    once = decide_approval(a_disclosure(), FIRST, now)
    assert isinstance(once, Disclosure)
    twice = decide_approval(once, SECOND, now)
    assert isinstance(twice, Disclosure)
    return twice


def test_a_request_is_approved_by_two_others_and_happens_once() -> None:
    disclosure = approved()
    assert disclosure.state(NOW + HOUR) is DisclosureState.APPROVED
    done = decide_execution(disclosure, ASKER, NOW + 2 * HOUR)
    assert isinstance(done, Disclosure)
    assert (done.state(NOW + 2 * HOUR), done.executed_by) == (DisclosureState.EXECUTED, "ACC-A")
    assert decide_execution(done, ASKER, NOW + 3 * HOUR) is DisclosureObstacle.ALREADY_EXECUTED
    assert done.state(NOW + 1000 * HOUR) is DisclosureState.EXECUTED


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({"purpose": Purpose.DISPUTE}, DisclosureObstacle.PURPOSE_NOT_ALLOWED),
        ({"evidence_ids": ()}, DisclosureObstacle.NOTHING_LISTED),
        ({"evidence_ids": ("EVD-1", "EVD-1")}, DisclosureObstacle.TOO_MUCH_LISTED),
        (
            {"evidence_ids": tuple(f"EVD-{n}" for n in range(ITEMS_MAX + 1))},
            DisclosureObstacle.TOO_MUCH_LISTED,
        ),
        ({"evidence_ids": ("EVD-1", "EVD-9")}, DisclosureObstacle.NOT_OF_THE_SUBJECT),
        ({"subject": "ps1.other"}, DisclosureObstacle.NOT_OF_THE_SUBJECT),
        ({"deferred_until": NOW + timedelta(days=181)}, DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS),
        ({"deferred_until": NOW}, DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS),
    ],
)
def test_what_may_not_be_asked_for(changes: dict[str, Any], obstacle: DisclosureObstacle) -> None:
    assert request_of(a_request(**changes)) is obstacle


def test_nothing_erased_and_nothing_by_a_program_is_asked_for() -> None:
    assert request_of(a_request(), kept=(a_ref(erased_at=NOW),)) is DisclosureObstacle.NOT_OF_THE_SUBJECT
    assert request_of(a_request(), by=PROGRAM) is DisclosureObstacle.NOT_A_PERSON


def test_more_bytes_than_memory_is_meant_for_are_not_asked_for() -> None:
    assert isinstance(request_of(a_request(), kept=(a_ref(bytes_stored=BYTES_MAX),)), Disclosure)
    too_much = request_of(a_request(), kept=(a_ref(bytes_stored=BYTES_MAX + 1),))
    assert too_much is DisclosureObstacle.TOO_MUCH_LISTED


def test_a_deferral_within_the_bound_hides_it_until_then() -> None:
    until = NOW + timedelta(days=180)
    deferred = a_disclosure(deferred_until=until)
    assert visible_from(deferred, NOW + HOUR) == until
    assert visible_from(deferred, until + HOUR) == until + HOUR
    assert visible_from(a_disclosure(), NOW + HOUR) == NOW + HOUR
    never = a_disclosure_policy(deferral_days_max=0)
    assert request_of(a_request(deferred_until=NOW + HOUR), policy=never) is (
        DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS
    )


@pytest.mark.parametrize("approver", [ASKER, ASKER_AGAIN])
def test_the_same_human_does_not_approve_through_another_account(approver: Actor) -> None:
    assert decide_approval(a_disclosure(), approver, NOW) is DisclosureObstacle.SAME_PERSON


def test_one_human_does_not_approve_twice() -> None:
    once = decide_approval(a_disclosure(), FIRST, NOW)
    assert isinstance(once, Disclosure)
    again = Actor("ACC-B2", FIRST.person_key)
    assert decide_approval(once, again, NOW) is DisclosureObstacle.SAME_PERSON
    assert decide_execution(once, ASKER, NOW) is DisclosureObstacle.NOT_APPROVED


def test_a_program_does_nothing() -> None:
    assert decide_approval(a_disclosure(), PROGRAM, NOW) is DisclosureObstacle.NOT_A_PERSON
    assert decide_refusal(a_disclosure(), PROGRAM, "no", NOW) is DisclosureObstacle.NOT_A_PERSON
    assert decide_execution(approved(), PROGRAM, NOW) is DisclosureObstacle.NOT_A_PERSON


def test_deadlines_are_kept_to_the_instant() -> None:
    disclosure, deadline = a_disclosure(), NOW + 72 * HOUR
    assert isinstance(decide_approval(disclosure, FIRST, deadline - timedelta(microseconds=1)), Disclosure)
    assert decide_approval(disclosure, FIRST, deadline) is DisclosureObstacle.EXPIRED
    ready = approved(now=NOW + HOUR)
    assert isinstance(decide_execution(ready, ASKER, NOW + 25 * HOUR - timedelta(seconds=1)), Disclosure)
    assert decide_execution(ready, ASKER, NOW + 25 * HOUR) is DisclosureObstacle.EXPIRED
    assert decide_refusal(ready, ASKER, "late", NOW + 25 * HOUR) is DisclosureObstacle.EXPIRED


def test_a_refusal_ends_it_even_after_approval() -> None:
    refused = decide_refusal(approved(), THIRD, "wrong person", NOW + 2 * HOUR)
    assert isinstance(refused, Disclosure)
    assert refused.state(NOW + 2 * HOUR) is DisclosureState.REFUSED
    assert decide_execution(refused, ASKER, NOW + 2 * HOUR) is DisclosureObstacle.NOT_OPEN
    assert decide_refusal(refused, THIRD, "again", NOW + 2 * HOUR) is DisclosureObstacle.NOT_OPEN


def test_approval_is_not_asked_for_once_it_is_given() -> None:
    assert decide_approval(approved(), THIRD, NOW + 2 * HOUR) is DisclosureObstacle.NOT_OPEN


def test_a_person_does_not_show_in_print() -> None:
    assert "person-A" not in repr(a_disclosure())


@pytest.mark.parametrize("obstacle", list(DisclosureObstacle))
def test_every_obstacle_says_what_to_do(obstacle: DisclosureObstacle) -> None:
    assert all((*obstacle.text.to_json().values(), *obstacle.advice.to_json().values()))


def test_words_are_one_line() -> None:
    assert parse_words("  北京市公安局\n 朝阳分局 ") == "北京市公安局 朝阳分局"
    for bad in ("", " \t", "a\x00b", "\u202eabc", "x" * (WORDS_CHARACTERS_MAX + 1), "\ud800"):
        with pytest.raises(BadInput, match="DISCLOSURE_WORDS"):
            parse_words(bad)


@given(by=st.sampled_from(ACCOUNTS), hours=st.integers(0, 200))
@settings(max_examples=50, deadline=None)
def test_nobody_executes_what_is_not_approved(by: Actor, hours: int) -> None:
    assert isinstance(decide_execution(a_disclosure(), by, NOW + hours * HOUR), DisclosureObstacle)


class DisclosureLife(RuleBasedStateMachine):
    """Whatever people try in whatever order and whenever: four eyes and two more, in time, once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.seen: list[DisclosureState] = []
        self.executions = 0
        self.disclosure = a_disclosure()
        self.required = 2
        self.refusals = False

    @initialize(approvals=st.integers(1, 2), refusals=st.booleans())
    def begin(self, approvals: int, refusals: bool) -> None:
        self.required, self.refusals = approvals, refusals
        self.disclosure = a_disclosure(a_disclosure_policy(approvals_min=approvals))

    @rule(hours=st.sampled_from([0, 0, 1, 2, 23, 24, 70]))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(by=st.sampled_from([*ACCOUNTS, PROGRAM]))
    def approve(self, by: Actor) -> None:
        self.take(decide_approval(self.disclosure, by, self.now))

    @rule(by=st.sampled_from([*ACCOUNTS, PROGRAM]))
    def refuse(self, by: Actor) -> None:
        if self.refusals:
            self.take(decide_refusal(self.disclosure, by, "why", self.now))

    @rule(by=st.sampled_from([*ACCOUNTS, PROGRAM]), again=st.sampled_from([*ACCOUNTS, PROGRAM]))
    def approve_by_two(self, by: Actor, again: Actor) -> None:
        self.approve(by)
        self.approve(again)

    @rule(by=st.sampled_from([*ACCOUNTS, PROGRAM]))
    def execute(self, by: Actor) -> None:
        if self.take(decide_execution(self.disclosure, by, self.now)):
            self.executions += 1

    def take(self, decided: Disclosure | DisclosureObstacle) -> bool:
        if isinstance(decided, DisclosureObstacle):
            return False
        assert decided.version == self.disclosure.version + 1
        self.disclosure = decided
        return True

    @invariant()
    def approvals_are_of_other_people(self) -> None:
        people = [HUMAN_OF[approval.by.account] for approval in self.disclosure.approvals]
        assert len(set(people)) == len(people) <= self.required
        assert HUMAN_OF[self.disclosure.requested_by.account] not in people
        assert all(approval.at < self.disclosure.approve_before for approval in self.disclosure.approvals)

    @invariant()
    def it_happens_once_in_time_and_only_approved(self) -> None:
        assert self.executions <= 1
        assert (self.disclosure.executed_at is not None) == (self.executions == 1)
        if self.disclosure.executed_at is not None:
            assert len(self.disclosure.approvals) == self.required
            assert self.disclosure.execute_before is not None
            assert self.disclosure.executed_at < self.disclosure.execute_before

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        self.seen.append(self.disclosure.state(self.now))
        ended = [state for state in self.seen if not state.is_open]
        assert len(set(ended)) <= 1
        assert self.seen[len(self.seen) - len(ended) :] == ended


TestDisclosureLife = DisclosureLife.TestCase
TestDisclosureLife.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
