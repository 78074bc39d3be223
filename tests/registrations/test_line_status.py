"""Stops on real databases: what is written, what follows, and what many at once may do."""

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopActor, StopLevel, StopReason
from shiming.privacy.model import LedgerVerified
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.stops import LineConfirmed, StopLifted, StopRefused, StopSet
from shiming.registrations.store.stops import change_status
from shiming.registrations.store.tables import cap_counters
from shiming.registrations.use_cases.stops import line_status
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.registrations.stock_builders import StockDesk, a_stock_desk, codes_of, the_rules

DAY = timedelta(days=1)
STOPPED = {StopLevel.ONE_WAY: LineStatus.ONE_WAY_STOPPED, StopLevel.TWO_WAY: LineStatus.TWO_WAY_STOPPED}


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[StockDesk]:
    desk = a_stock_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def leaves(desk: StockDesk, kind: str) -> list[dict[str, object]]:
    with reading(desk.engine) as connection:
        texts = connection.execute(sa.select(ledger_leaves.c.leaf)).scalars()
        found = [json.loads(text) for text in texts]
    return [leaf["facts"] for leaf in found if leaf["kind"] == kind]


def test_a_line_waits_for_the_network_and_is_confirmed_once(desk: StockDesk) -> None:
    line = desk.line(confirmed=False)
    assert desk.standing(line).line.status is LineStatus.PENDING
    assert desk.confirm(line) == LineConfirmed(line, LineStatus.PENDING, LineStatus.ACTIVE)
    assert desk.confirm(line) == LineConfirmed(line, LineStatus.ACTIVE, LineStatus.ACTIVE, repeated=True)
    (event,) = desk.events("line.status_changed")
    assert json.loads(event["facts"]) == {"line": line, "from": "pending", "to": "active", "reasons": ""}
    assert len(leaves(desk, "line.confirmed")) == 1


def test_stops_add_up_and_what_is_lifted_leaves_the_rest(desk: StockDesk) -> None:
    line = desk.line()
    one = desk.stop(line, StopReason.DISPUTE)
    assert isinstance(one, StopSet)
    assert one.after is LineStatus.ONE_WAY_STOPPED
    two = desk.stop(line, StopReason.FRAUD, StopActor.COMPLIANCE)
    assert isinstance(two, StopSet)
    assert (two.before, two.after) == (LineStatus.ONE_WAY_STOPPED, LineStatus.TWO_WAY_STOPPED)
    lifted = desk.lift(line, StopReason.FRAUD, StopActor.COMPLIANCE)
    assert isinstance(lifted, StopLifted)
    assert lifted.after is LineStatus.ONE_WAY_STOPPED
    assert lifted.stops[0].lifted_by is StopActor.COMPLIANCE
    standing = desk.standing(line)
    assert [stop.reason for stop in standing.open_stops] == [StopReason.DISPUTE]
    assert len(standing.stops) == 2
    assert codes_of(desk.lift(line, StopReason.FRAUD, StopActor.COMPLIANCE)) == ["STOP_NOT_SET"]


def test_the_same_reference_again_changes_nothing_and_tells_nobody(desk: StockDesk) -> None:
    line = desk.line()
    first, again = desk.stop(line), desk.stop(line)
    assert isinstance(again, StopSet)
    assert isinstance(first, StopSet)
    assert (again.repeated, again.stop) == (True, first.stop)
    assert len(desk.events("line.stop_set")) == 1
    assert len(leaves(desk, "line.stop_set")) == 1
    other = desk.stop(line, reference="CASE-2")
    assert isinstance(other, StopSet)
    assert other.stop.stop_id != first.stop.stop_id
    one = desk.lift(line, reference="CASE-2")
    assert isinstance(one, StopLifted)
    assert one.after is LineStatus.TWO_WAY_STOPPED
    both = desk.lift(line)
    assert isinstance(both, StopLifted)
    assert both.after is LineStatus.ACTIVE


def test_every_change_is_told_with_reasons_and_without_the_number(desk: StockDesk) -> None:
    line = desk.line(7)
    desk.stop(line, StopReason.LOST_SIM)
    desk.stop(line, StopReason.DISPUTE)
    told = [json.loads(event["facts"]) for event in desk.events("line.status_changed")]
    assert {"line": line, "from": "active", "to": "two_way_stopped", "reasons": "lost_sim"} in told
    assert len(told) == 2  # confirmed, stopped; the second stop changed no status
    assert len(desk.events("line.stop_set")) == 2
    facts = leaves(desk, "line.stop_set")
    assert {fact["reasons"] for fact in facts} == {"lost_sim", "dispute,lost_sim"}
    everything = str(desk.events("line.status_changed", "line.stop_set")) + str(facts)
    assert a_number(7).reveal("test")[1:] not in everything
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_a_pending_line_that_is_stopped_is_confirmed_into_the_stop(desk: StockDesk) -> None:
    line = desk.line(confirmed=False)
    stopped = desk.stop(line, StopReason.UNREGISTERED, StopActor.SYSTEM)
    assert isinstance(stopped, StopSet)
    assert stopped.after is LineStatus.PENDING
    confirmed = desk.confirm(line)
    assert isinstance(confirmed, LineConfirmed)
    assert confirmed.after is LineStatus.ONE_WAY_STOPPED


@pytest.mark.parametrize("before", ["pending", "active", "stopped"])
def test_a_line_ends_from_any_state_once_and_for_good(desk: StockDesk, before: str) -> None:
    line = desk.line(person="p1.one", confirmed=before != "pending")
    if before == "stopped":
        desk.stop(line, StopReason.FRAUD, StopActor.SYSTEM)
    desk.terminate(line, NOW + DAY)
    desk.terminate(line, NOW + 2 * DAY)
    standing = desk.standing(line)
    assert standing.line.status is LineStatus.TERMINATED
    assert standing.open_stops == ()
    with reading(desk.engine) as connection:
        assert connection.execute(sa.select(cap_counters.c.active)).scalars().all() == [0]
    told = [json.loads(event["facts"]) for event in desk.events("line.status_changed")]
    assert [each["to"] for each in told].count("terminated") == 1
    assert codes_of(desk.stop(line, now=NOW + DAY)) == ["LINE_TERMINATED"]
    assert codes_of(desk.lift(line, now=NOW + DAY)) == ["LINE_TERMINATED"]
    assert codes_of(desk.confirm(line)) == ["LINE_TERMINATED"]


def test_a_refusal_writes_nothing(desk: StockDesk) -> None:
    line = desk.line()
    assert codes_of(desk.stop(line, StopReason.FRAUD, StopActor.CLERK)) == ["STOP_ROLE"]
    assert codes_of(desk.stop(line, at=NOW + DAY)) == ["STOP_IN_FUTURE"]
    assert desk.standing(line).stops == ()
    assert desk.events("line.stop_set") == []


def test_a_stop_may_hold_since_before_it_is_written(desk: StockDesk) -> None:
    line = desk.line()
    late = desk.stop(line, now=NOW + DAY, at=NOW + timedelta(hours=1))
    assert isinstance(late, StopSet)
    assert late.stop.set_at == NOW + timedelta(hours=1)
    hasty = desk.stop(line, reference="CASE-2", now=NOW + DAY, at=NOW + DAY + timedelta(seconds=5))
    assert isinstance(hasty, StopSet)
    assert hasty.stop.set_at == NOW + DAY  # their clock runs before ours


def test_what_is_not_there_is_said(desk: StockDesk) -> None:
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        desk.stop("REG-nothing")
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        desk.confirm("REG-nothing")
    with reading(desk.engine) as connection:
        assert line_status(connection, "REG-nothing") is None


def test_a_status_is_changed_only_from_what_was_seen(desk: StockDesk) -> None:
    seen = desk.standing(desk.line()).line
    stale = replace(seen, status=LineStatus.PENDING)
    assert not transact(desk.engine, lambda connection: change_status(connection, stale, LineStatus.ACTIVE))
    assert transact(
        desk.engine, lambda connection: change_status(connection, seen, LineStatus.ONE_WAY_STOPPED)
    )


def test_many_at_once_leave_the_status_of_the_stops_that_stand(desk: StockDesk) -> None:
    line = desk.line()
    reasons = [StopReason.REQUEST, StopReason.DISPUTE, StopReason.LOST_SIM]

    def work(turn: int) -> StopSet | StopRefused | StopLifted:
        reason = reasons[turn % 3]
        if turn % 2:
            return desk.stop(line, reason, reference=f"CASE-{turn % 4}")
        actor = StopActor.COMPLIANCE if reason is StopReason.DISPUTE else StopActor.CLERK
        return desk.lift(line, reason, actor)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(work, range(24)))
    standing = desk.standing(line)
    levels = [stop.level for stop in standing.open_stops]
    strict = max(levels, key=lambda level: level is StopLevel.TWO_WAY, default=None)
    assert standing.line.status is (STOPPED[strict] if strict else LineStatus.ACTIVE)
    fresh = [outcome for outcome in outcomes if isinstance(outcome, StopSet) and not outcome.repeated]
    assert len(standing.stops) == len(fresh)
    changes = [json.loads(event["facts"]) for event in desk.events("line.status_changed")]
    balance = sum((c["to"] == "two_way_stopped") - (c["from"] == "two_way_stopped") for c in changes)
    assert balance == (standing.line.status is LineStatus.TWO_WAY_STOPPED)


def test_a_line_that_ends_while_it_is_stopped_stays_ended(desk: StockDesk) -> None:
    line = desk.line()
    with ThreadPoolExecutor(3) as pool:
        stops = [pool.submit(desk.stop, line, reference=f"CASE-{turn}") for turn in range(6)]
        ending = pool.submit(desk.terminate, line)
        ending.result()
        outcomes = [stop.result() for stop in stops]
    standing = desk.standing(line)
    assert standing.line.status is LineStatus.TERMINATED
    assert standing.open_stops == ()
    assert all(isinstance(each, StopSet) or codes_of(each) == ["LINE_TERMINATED"] for each in outcomes)


reasons = st.sampled_from(StopReason)
actors = st.sampled_from(StopActor)
references = st.sampled_from(["CASE-1", "CASE-2"])


class StatusMachine(RuleBasedStateMachine):
    """One line, and a model of it: the levels of open stops by reason and reference."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = a_stock_desk(Path(self.folder.name))
        self.line = self.desk.line(confirmed=False)
        self.confirmed = self.ended = False
        self.open: dict[tuple[StopReason, str], StopLevel] = {}

    @rule(reason=reasons, actor=actors, reference=references)
    def stop(self, reason: StopReason, actor: StopActor, reference: str) -> None:
        outcome = self.desk.stop(self.line, reason, actor, reference=reference)
        policy = the_rules().stops[reason]
        allowed = actor in policy.set_by.value and not self.ended
        assert isinstance(outcome, StopSet) == allowed
        if isinstance(outcome, StopSet):
            assert outcome.repeated == ((reason, reference) in self.open)
            self.open[reason, reference] = policy.level.value

    @rule(reason=reasons, actor=actors, reference=st.none() | references)
    def lift(self, reason: StopReason, actor: StopActor, reference: str | None) -> None:
        outcome = self.desk.lift(self.line, reason, actor, reference=reference)
        found = [key for key in self.open if key[0] is reason and reference in {None, key[1]}]
        allowed = bool(found) and actor in the_rules().stops[reason].lifted_by.value
        assert isinstance(outcome, StopLifted) == allowed
        if allowed:
            for key in found:
                del self.open[key]

    @rule()
    def confirm(self) -> None:
        outcome = self.desk.confirm(self.line)
        assert isinstance(outcome, StopRefused) == self.ended
        self.confirmed = True

    @rule(sure=st.integers(0, 5))
    def terminate(self, sure: int) -> None:
        if sure == 0:  # seldom: nothing happens after it
            self.desk.terminate(self.line)
            self.ended = True
            self.open = {}

    @invariant()
    def the_status_is_the_strictest_of_what_stands(self) -> None:
        standing = self.desk.standing(self.line)
        assert {(stop.reason, stop.reference) for stop in standing.open_stops} == set(self.open)
        if self.ended:
            expected = LineStatus.TERMINATED
        elif not self.confirmed:
            expected = LineStatus.PENDING
        elif StopLevel.TWO_WAY in self.open.values():
            expected = LineStatus.TWO_WAY_STOPPED
        else:
            expected = LineStatus.ONE_WAY_STOPPED if self.open else LineStatus.ACTIVE
        assert standing.line.status is expected

    def teardown(self) -> None:
        assert isinstance(verify_ledger(self.desk.engine, self.desk.desk.vault.keys), LedgerVerified)
        self.desk.engine.dispose()
        self.folder.cleanup()


TestStatusMachine = StatusMachine.TestCase
TestStatusMachine.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
