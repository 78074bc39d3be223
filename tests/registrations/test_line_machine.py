"""Whatever is registered and terminated, in whatever order: three promises hold on a real database."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shiming.infrastructure.database import reading
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use
from tests.registrations.builders import a_desk, a_number, a_registration_policy

CAP = 2
people = st.sampled_from(["p1.ann", "p1.bo"])
operators = st.sampled_from(["cn-mobile", "cn-unicom"])
numbers = st.integers(0, 5)


class LineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desk = a_desk(Path(self.folder.name), a_registration_policy(CAP))
        self.active: dict[str, tuple[str, str, int]] = {}  # line -> person, operator, number
        self.sessions = 0

    @rule(person=people, operator=operators, number=numbers)
    def register(self, person: str, operator: str, number: int) -> None:
        self.sessions += 1
        session_id = f"SES-{self.sessions}"
        outcome = self.desk.register_for(person, session_id, a_number(number), operator=operator)
        held = sum((holder, at) == (person, operator) for holder, at, _ in self.active.values())
        taken = number in {taken for _, _, taken in self.active.values()}
        expected = {RefusalCode.NUMBER_TAKEN: taken, RefusalCode.CAP_REACHED: held >= CAP}
        if isinstance(outcome, LineRegistered):
            assert not any(expected.values())
            self.active[outcome.receipt["line"]["id"]] = (person, operator, number)
        else:
            codes = {refusal.code for refusal in outcome.refusals}
            assert codes == {code for code, expected_now in expected.items() if expected_now}

    @rule(which=st.integers(0, 7))
    def terminate(self, which: int) -> None:
        if not self.active:
            return
        line = sorted(self.active)[which % len(self.active)]
        del self.active[line]
        self.desk.terminate(line)

    @invariant()
    def counters_equal_rows_and_never_pass_the_cap(self) -> None:
        with reading(self.desk.engine) as connection:
            counters = {
                (row.subject, row.cap_scope): row.active for row in connection.execute(cap_counters.select())
            }
            in_use = sa.select(lines.c.subject, lines.c.cap_scope, sa.func.count().label("n"))
            rows = in_use.where(lines.c.status != "terminated").group_by(lines.c.subject, lines.c.cap_scope)
            counted = {(row.subject, row.cap_scope): row.n for row in connection.execute(rows)}
            taken = sorted(connection.execute(sa.select(numbers_in_use.c.line_id)).scalars())
        assert {key: active for key, active in counters.items() if active} == counted
        assert all(active <= CAP for active in counters.values())
        assert sum(counted.values()) == len(self.active)
        assert taken == sorted(self.active)

    def teardown(self) -> None:
        assert isinstance(verify_ledger(self.desk.engine, self.desk.vault.keys), LedgerVerified)
        self.desk.engine.dispose()
        self.folder.cleanup()


TestLineMachine = LineMachine.TestCase
TestLineMachine.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
