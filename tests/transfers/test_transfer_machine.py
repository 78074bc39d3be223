"""Whatever is done with lines in whatever order: the cap holds, no line is lost, no act disappears."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from shiming.infrastructure.database import reading
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.store.tables import cap_counters, lines, numbers_in_use, registrations
from shiming.transfers.connectors.fake import SETTLED
from shiming.transfers.model.change_of_holder import HolderChanged
from shiming.transfers.model.porting import Authorised, PortOut
from shiming.transfers.use_cases.port_out import authorise_port_out, complete_port_out
from tests.transfers.transfer_builders import LATER, TransferDesk, a_transfer_desk

PEOPLE = ("p1.a", "p1.b", "p1.c")
CAP = 5
LINES_MAX = 9  # more than one person may hold, so that the cap is met


class Transfers(RuleBasedStateMachine):
    """Three people hand lines around, port them out, end them, while days go by."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.desk: TransferDesk = a_transfer_desk(Path(self.folder.name))
        self.now, self.count, self.opened = LATER, 0, 0
        self.holders: dict[str, str] = {}
        self.acts: dict[str, list[tuple[int, str]]] = {}

    def teardown(self) -> None:
        self.desk.engine.dispose()
        self.folder.cleanup()

    @rule(target=held, person=st.sampled_from(PEOPLE))
    def register(self, person: str) -> Any:
        if self.opened >= LINES_MAX or list(self.holders.values()).count(person) >= CAP:
            return multiple()
        self.opened += 1
        line_id = self.desk.line(person, self.opened)
        self.holders[line_id] = person
        return line_id

    @rule(line_id=held, giver=st.sampled_from(PEOPLE), receiver=st.sampled_from(PEOPLE))
    def hand_over(self, line_id: str, giver: str, receiver: str) -> None:
        self.count += 1
        tag = f"-{self.count}"
        self.desk.prove(f"SES-G{tag}", giver, at=self.now)
        self.desk.prove(f"SES-R{tag}", receiver, at=self.now)
        command = self.desk.prepare(line_id, giver, receiver, tag)
        for session_id, person in ((f"SES-G{tag}", giver), (f"SES-R{tag}", receiver)):
            self.desk.prove(session_id, person, at=self.now)
        done = self.desk.transfer(command, now=self.now)
        if isinstance(done, HolderChanged):
            assert self.holders[line_id] == giver != receiver
            self.holders[line_id] = receiver

    @rule(line_id=held)
    def port_out(self, line_id: str) -> None:
        self.count += 1
        session_id = f"SES-P-{self.count}"
        self.desk.prove(session_id, self.holders.get(line_id, "p1.a"), at=self.now)
        desk, now = self.desk, self.now
        given = desk.run(
            lambda c: authorise_port_out(
                desk.tools, c, line_id, session_id, standing=SETTLED, policy=desk.policy, now=now
            )
        )
        if isinstance(given, Authorised):
            done = desk.run(
                lambda c: complete_port_out(
                    desk.tools,
                    c,
                    given.port.port_id,
                    given.code,
                    recipient="cn-other",
                    policy=desk.policy,
                    now=now,
                )
            )
            assert isinstance(done, PortOut)
            del self.holders[line_id]

    @rule(line_id=held)
    def end(self, line_id: str) -> None:
        self.desk.desk.terminate(line_id, now=self.now)
        self.holders.pop(line_id, None)

    @rule(days=st.sampled_from([1, 31, 121]))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def every_line_has_one_holder_and_nobody_more_than_the_cap(self) -> None:
        with reading(self.desk.engine) as connection:
            found = {
                row.line_id: row.subject
                for row in connection.execute(lines.select())
                if row.status != LineStatus.TERMINATED.value
            }
            counted = {row.subject: row.active for row in connection.execute(cap_counters.select())}
            in_use = connection.execute(numbers_in_use.select()).all()
        assert found == self.holders
        for person in PEOPLE:
            held = list(found.values()).count(person)
            assert counted.get(person, 0) == held <= CAP
        assert len(in_use) == len(found)

    @invariant()
    def the_history_only_grows(self) -> None:
        now: dict[str, list[tuple[int, str]]] = {}
        with reading(self.desk.engine) as connection:
            for row in connection.execute(registrations.select().order_by(registrations.c.act)):
                now.setdefault(row.line_id, []).append((row.act, row.session_id))
        for line_id, before in self.acts.items():
            assert now[line_id][: len(before)] == before
            assert [number for number, _ in now[line_id]] == list(range(1, len(now[line_id]) + 1))
        self.acts = now


Transfers.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTransfers = Transfers.TestCase
