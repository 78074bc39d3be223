"""Coming of age and documents that end: the rules, and the clocks over a real database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopReason
from shiming.registrations.model.holder_clocks import (
    ClockKind,
    ClockState,
    ClockStep,
    Deadlines,
    HandoverCompleted,
    HandoverFacts,
    HandoverRefused,
    HolderClock,
    MayHandOver,
)
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.rules.document_expiry import decide_document_expiry
from shiming.registrations.rules.handover import decide_handover
from shiming.registrations.rules.holder_clocks import clocks_of, decide_clock, decide_handover_completion
from shiming.registrations.store.holder_clocks import clocks_of_line
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.notices import list_notices
from shiming.registrations.store.orders import change_order
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.following import follow_termination
from shiming.registrations.use_cases.handovers import complete_handover
from shiming.registrations.use_cases.holder_clocks import end_clocks, list_clocks, run_clocks, start_clocks
from shiming.registrations.use_cases.stops import line_status
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_session
from tests.registrations.people_builders import PeopleDesk, a_people_desk, codes, days, the_policy

TODAY = NOW.date()
OF_AGE = date(2026, 8, 1)
ENDS = date(2026, 9, 1)
POLICY = the_policy()
HANDOVER, EXPIRY = POLICY.handover, POLICY.document_expiry  # 30 and 90 days; 60 and 90 days


def after(day: date, count: int) -> date:
    return day + timedelta(days=count)


@pytest.mark.parametrize(
    ("today", "state", "step"),
    [
        (after(OF_AGE, -31), ClockState.RUNNING, ClockStep.WAIT),
        (after(OF_AGE, -30), ClockState.RUNNING, ClockStep.REMIND),
        (after(OF_AGE, -30), ClockState.REMINDED, ClockStep.WAIT),
        (after(OF_AGE, 89), ClockState.REMINDED, ClockStep.WAIT),
        (after(OF_AGE, 90), ClockState.REMINDED, ClockStep.STOP),
        (after(OF_AGE, 90), ClockState.RUNNING, ClockStep.STOP),  # nobody looked in time
        (after(OF_AGE, 91), ClockState.STOPPED, ClockStep.WAIT),
        (after(OF_AGE, 91), ClockState.ENDED, ClockStep.WAIT),
    ],
)
def test_a_minor_who_comes_of_age_is_reminded_then_stopped(
    today: date, state: ClockState, step: ClockStep
) -> None:
    assert decide_handover(OF_AGE, state, HANDOVER, today=today) is step
    clock = HolderClock("REG-1", "op", ClockKind.MAJORITY, "p1.x", OF_AGE, state)
    assert decide_clock(clock, POLICY, today=today) is step


@pytest.mark.parametrize(
    ("today", "state", "step"),
    [
        (after(ENDS, -61), ClockState.RUNNING, ClockStep.WAIT),
        (after(ENDS, -60), ClockState.RUNNING, ClockStep.REMIND),
        (after(ENDS, 90), ClockState.REMINDED, ClockStep.WAIT),  # the last day of grace
        (after(ENDS, 91), ClockState.REMINDED, ClockStep.STOP),
        (after(ENDS, 200), ClockState.STOPPED, ClockStep.WAIT),
        (after(ENDS, 200), ClockState.ENDED, ClockStep.WAIT),
    ],
)
def test_the_holder_of_a_document_that_ends_is_reminded_then_stopped(
    today: date, state: ClockState, step: ClockStep
) -> None:
    assert decide_document_expiry(ENDS, state, EXPIRY, today=today) is step
    clock = HolderClock("REG-1", "op", ClockKind.DOCUMENT_EXPIRY, "p1.x", ENDS, state)
    assert decide_clock(clock, POLICY, today=today) is step


@given(st.dates(date(2026, 1, 1), date(2040, 1, 1)), st.integers(-1000, 1000))
def test_nothing_is_stopped_before_its_day_and_grace(due_on: date, offset: int) -> None:
    today = after(due_on, offset)
    running = decide_handover(due_on, ClockState.RUNNING, HANDOVER, today=today)
    assert (running is ClockStep.STOP) == (offset >= HANDOVER.grace_days.value)
    document = decide_document_expiry(due_on, ClockState.RUNNING, EXPIRY, today=today)
    assert (document is ClockStep.STOP) == (offset > EXPIRY.grace_days.value)


@pytest.mark.parametrize(
    ("deadlines", "expected"),
    [
        (Deadlines("minor", OF_AGE, ENDS), {ClockKind.MAJORITY: OF_AGE, ClockKind.DOCUMENT_EXPIRY: ENDS}),
        (Deadlines("adult", None, ENDS), {ClockKind.DOCUMENT_EXPIRY: ENDS}),
        (Deadlines("adult", OF_AGE, None), {}),  # proven as an adult: of age
        (Deadlines("foreigner", None, ENDS), {ClockKind.DOCUMENT_EXPIRY: ENDS}),
        (Deadlines("military", None, ENDS), {}),  # not among the categories of the pack
        (Deadlines(), {}),
    ],
)
def test_which_clocks_a_line_has(deadlines: Deadlines, expected: dict[ClockKind, date]) -> None:
    assert clocks_of(deadlines, POLICY) == expected


MAJORITY = HolderClock("REG-1", "op-one", ClockKind.MAJORITY, "p1.x", OF_AGE, ClockState.STOPPED)
DOCUMENT = HolderClock("REG-1", "op-one", ClockKind.DOCUMENT_EXPIRY, "p1.x", ENDS, ClockState.REMINDED)
GOOD = HandoverFacts(
    operator="op-one",
    line_id="REG-1",
    holder="p1.x",
    line_ended=False,
    clocks=(MAJORITY, DOCUMENT),
    session=a_session("SES-9", subject="p1.x"),
    deadlines=Deadlines("adult", None, after(ENDS, 3650)),
    identity_recorded=True,
)


def decide(facts: HandoverFacts, **options: Any) -> MayHandOver | HandoverRefused:
    return decide_handover_completion(facts, POLICY, now=NOW, today=TODAY, **options)


def of_session(**changes: Any) -> HandoverFacts:
    return replace(GOOD, session=replace(a_session("SES-9", subject="p1.x"), **changes))


def test_a_new_proof_ends_what_it_takes_away_and_starts_the_next_document() -> None:
    renewed = replace(DOCUMENT, due_on=after(ENDS, 3650), state=ClockState.RUNNING)
    assert decide(GOOD) == MayHandOver((MAJORITY,), (renewed,))
    long_term = replace(GOOD, deadlines=Deadlines("adult"))
    assert decide(long_term) == MayHandOver((MAJORITY, DOCUMENT), ())
    still_minor = replace(GOOD, deadlines=Deadlines("minor", OF_AGE, after(ENDS, 10)))
    assert decide(still_minor) == MayHandOver((), (replace(renewed, due_on=after(ENDS, 10)),))
    same_card = replace(GOOD, deadlines=Deadlines("adult", None, ENDS))
    assert decide(same_card) == MayHandOver((MAJORITY,), ())


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(GOOD, clocks=()), ["HANDOVER_NOT_DUE"]),
        (replace(GOOD, clocks=(replace(MAJORITY, state=ClockState.ENDED),)), ["HANDOVER_NOT_DUE"]),
        (replace(GOOD, line_ended=True), ["HANDOVER_LINE_TERMINATED"]),
        (replace(GOOD, session=None), ["HANDOVER_NOT_PROVEN"]),
        (of_session(outcome="NotVerified"), ["HANDOVER_NOT_PROVEN"]),
        (of_session(subject=None), ["HANDOVER_NOT_PROVEN"]),
        (of_session(decided_at=None), ["HANDOVER_NOT_PROVEN"]),
        (of_session(decided_at=NOW - timedelta(hours=1)), ["HANDOVER_PROOF_TOO_OLD"]),
        (of_session(operator="op-two"), ["HANDOVER_OF_OTHER_OPERATOR"]),
        (of_session(challenge_origin="chosen"), ["HANDOVER_REHEARSED"]),
        (of_session(consumed_by="REG-2"), ["HANDOVER_SESSION_USED"]),
        (of_session(subject="p1.parent"), ["HANDOVER_NOT_THE_HOLDER"]),
        (replace(GOOD, identity_recorded=False), ["HANDOVER_NOT_RECORDED"]),
        (
            replace(GOOD, deadlines=Deadlines("minor", OF_AGE, ENDS)),
            ["HOLDER_STILL_MINOR", "DOCUMENT_NOT_RENEWED"],
        ),
        (
            replace(GOOD, clocks=(replace(DOCUMENT, due_on=date(2020, 1, 1)),),
                    deadlines=Deadlines("adult", None, date(2021, 1, 1))),
            ["DOCUMENT_NOT_RENEWED"],  # later than before, and over all the same
        ),
    ],
)  # fmt: skip
def test_why_a_new_proof_does_not_put_a_line_right(facts: HandoverFacts, expected: list[str]) -> None:
    refused = decide(facts)
    assert isinstance(refused, HandoverRefused)
    assert codes(refused) == expected


def test_a_rehearsal_stays_in_the_sandbox() -> None:
    assert isinstance(decide(of_session(challenge_origin="chosen"), sandbox=True), MayHandOver)


# -- over a database -------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[PeopleDesk]:
    desk = a_people_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def a_minors_line(desk: PeopleDesk, *, expires: date | None = None, index: int = 0) -> str:
    session = f"SES-M{index}"
    desk.prove(session, "p1.child", category="minor", majority_on=OF_AGE, document_expires_on=expires)
    line = desk.register(session, index)
    desk.confirm(line)
    return line


def run(desk: PeopleDesk, today: date) -> int:
    now = datetime.combine(today, NOW.timetz())
    return run_clocks(desk.desk.tools, desk.engine, policy=desk.policy, now=now, today=today)


def hand_over(
    desk: PeopleDesk, line: str, session: str, *, at: datetime
) -> HandoverCompleted | HandoverRefused:
    return transact(
        desk.engine,
        lambda connection: complete_handover(
            desk.desk.tools, connection, line, session, policy=desk.policy, now=at, today=at.date()
        ),
    )


def state_of(desk: PeopleDesk, line: str) -> dict[ClockKind, ClockState]:
    with desk.engine.begin() as connection:
        return {clock.kind: clock.state for clock in clocks_of_line(connection, line)}


def standing(desk: PeopleDesk, line: str) -> tuple[LineStatus, set[StopReason]]:
    with reading(desk.engine) as connection:
        found = line_status(connection, line)
    assert found is not None
    return found.line.status, {stop.reason for stop in found.open_stops}


def told(desk: PeopleDesk) -> list[str]:
    with reading(desk.engine) as connection:
        return sorted(notice.template for notice in list_notices(connection, operator=None, limit=50))


def test_a_minor_grows_up_misses_the_day_and_is_restored(desk: PeopleDesk) -> None:
    line = a_minors_line(desk)
    desk.follow(line)  # twice is once
    assert run(desk, TODAY) == 0
    assert (run(desk, after(OF_AGE, -30)), run(desk, after(OF_AGE, -29))) == (1, 0)
    assert told(desk) == ["handover_reminder"]
    assert standing(desk, line) == (LineStatus.ACTIVE, set())
    late = after(OF_AGE, 90)
    assert (run(desk, late), run(desk, late)) == (1, 0)
    assert standing(desk, line) == (LineStatus.ONE_WAY_STOPPED, {StopReason.HANDOVER_MISSED})
    assert told(desk) == ["handover_reminder", "handover_stopped"]
    then = NOW + days(200)
    desk.prove("SES-GROWN", "p1.child", at=then)
    done = hand_over(desk, line, "SES-GROWN", at=then)
    assert isinstance(done, HandoverCompleted)
    assert standing(desk, line) == (LineStatus.ACTIVE, set())
    assert state_of(desk, line) == {ClockKind.MAJORITY: ClockState.ENDED}
    again = hand_over(desk, line, "SES-GROWN", at=then)
    assert isinstance(again, HandoverCompleted)
    assert again.repeated
    assert desk.events(line).count("line.handover_completed") == 1


def test_who_hands_over_before_the_day_of_grace_is_never_stopped(desk: PeopleDesk) -> None:
    line = a_minors_line(desk)
    then = NOW + days(100)
    desk.prove("SES-GROWN", "p1.child", at=then)
    assert isinstance(hand_over(desk, line, "SES-GROWN", at=then), HandoverCompleted)
    assert run(desk, after(OF_AGE, 400)) == 0
    assert standing(desk, line) == (LineStatus.ACTIVE, set())


def test_a_renewed_document_lifts_its_stop_and_starts_the_clock_again(desk: PeopleDesk) -> None:
    line = a_minors_line(desk, expires=ENDS)
    late = after(ENDS, 91)
    assert run(desk, late) == 2  # of age too, and nobody came
    then = datetime.combine(late, NOW.timetz())
    new_card = {"category": "minor", "majority_on": OF_AGE, "document_expires_on": after(ENDS, 1825)}
    desk.prove("SES-NEW", "p1.child", at=then, **new_card)  # type: ignore[arg-type] # mixed keywords
    assert isinstance(hand_over(desk, line, "SES-NEW", at=then), HandoverCompleted)
    assert standing(desk, line) == (LineStatus.ONE_WAY_STOPPED, {StopReason.HANDOVER_MISSED})
    assert state_of(desk, line) == {
        ClockKind.DOCUMENT_EXPIRY: ClockState.RUNNING,
        ClockKind.MAJORITY: ClockState.STOPPED,
    }


def test_another_person_and_a_used_session_do_not_count(desk: PeopleDesk) -> None:
    line, other = a_minors_line(desk), a_minors_line(desk, index=1)
    desk.prove("SES-PARENT", "p1.parent")
    refused = hand_over(desk, line, "SES-PARENT", at=NOW)
    assert codes(refused) == ["HANDOVER_NOT_THE_HOLDER"]
    desk.prove("SES-GROWN", "p1.child")
    assert isinstance(hand_over(desk, line, "SES-GROWN", at=NOW), HandoverCompleted)
    assert codes(hand_over(desk, other, "SES-GROWN", at=NOW)) == ["HANDOVER_SESSION_USED"]
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        hand_over(desk, "REG-NONE", "SES-GROWN", at=NOW)


def test_one_new_proof_for_two_lines_at_once_serves_one(desk: PeopleDesk) -> None:
    three = [a_minors_line(desk, index=index) for index in range(3)]
    desk.prove("SES-GROWN", "p1.child")
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda line: hand_over(desk, line, "SES-GROWN", at=NOW), three))
    refused = [outcome for outcome in outcomes if isinstance(outcome, HandoverRefused)]
    assert [codes(each) for each in refused] == [["HANDOVER_SESSION_USED"]] * 2


def test_two_workers_at_once_remind_once(desk: PeopleDesk) -> None:
    for index in range(3):
        a_minors_line(desk, index=index)
    with ThreadPoolExecutor(4) as pool:
        moved = sum(pool.map(lambda _: run(desk, after(OF_AGE, -10)), range(4)))
    assert moved == 3
    assert told(desk) == ["handover_reminder"] * 3


def test_the_end_of_a_line_ends_its_clocks(desk: PeopleDesk) -> None:
    followed, forgotten = a_minors_line(desk), a_minors_line(desk, index=1)
    for line in (followed, forgotten):
        desk.desk.terminate(line)
    transact(
        desk.engine,
        lambda connection: follow_termination(
            desk.desk.tools, connection, followed, policy=desk.policy, now=NOW
        ),
    )
    assert state_of(desk, followed) == {ClockKind.MAJORITY: ClockState.ENDED}
    assert run(desk, OF_AGE) == 1  # the job meets a line that is gone
    assert state_of(desk, forgotten) == {ClockKind.MAJORITY: ClockState.ENDED}
    assert told(desk) == []


def test_lines_of_organisations_and_lines_that_ended_have_no_clocks(desk: PeopleDesk) -> None:
    desk.prove("SES-O", "p1.handler", document_expires_on=ENDS)
    desk.order("SES-O")
    with desk.engine.begin() as connection:
        change_order(connection, "SES-O", holder_kind="organisation", organisation="ORG-1")
    of_organisation = desk.register("SES-O")
    ended = desk.registered_by_proxy(1)
    desk.desk.terminate(ended)
    desk.follow(ended)
    transact(
        desk.engine,
        lambda connection: follow_termination(
            desk.desk.tools, connection, of_organisation, policy=desk.policy, now=NOW
        ),
    )
    assert state_of(desk, of_organisation) == state_of(desk, ended) == {}


def test_the_next_holder_has_clocks_of_their_own(desk: PeopleDesk) -> None:
    line = a_minors_line(desk, expires=ENDS)
    desk.prove("SES-NEXT", "p1.next", document_expires_on=after(ENDS, 100))
    next_holder = {"subject": "p1.next", "session_id": "SES-NEXT"}
    with desk.engine.begin() as connection:
        connection.execute(lines.update().where(lines.c.line_id == line).values(**next_holder))
        found = find_line(connection, line)
        assert found is not None
        started: list[HolderClock] = []
        for _ in range(2):  # the job may run twice
            end_clocks(desk.desk.tools, connection, line, now=NOW, besides=found.subject)
            started += start_clocks(desk.desk.tools, connection, found, policy=desk.policy, now=NOW)
    assert [clock.kind for clock in started] == [ClockKind.DOCUMENT_EXPIRY]
    with reading(desk.engine) as connection:
        (clock,) = list_clocks(connection, operator=None, limit=10)
    assert (clock.subject, clock.due_on, clock.state) == ("p1.next", after(ENDS, 100), ClockState.RUNNING)


def test_open_clocks_are_listed_by_operator_and_day(desk: PeopleDesk) -> None:
    line = a_minors_line(desk, expires=ENDS)
    with reading(desk.engine) as connection:
        both = list_clocks(connection, operator="cn-mobile", limit=10)
        first = list_clocks(connection, operator=None, due_until=OF_AGE, limit=10)
        rest = list_clocks(connection, operator=None, after=(line, both[0].kind.value), limit=10)
        assert list_clocks(connection, operator="cn-other", limit=10) == ()
    assert [clock.kind for clock in both] == [ClockKind.DOCUMENT_EXPIRY, ClockKind.MAJORITY]
    assert [clock.kind for clock in first] == [ClockKind.MAJORITY]
    assert rest == both[1:]
