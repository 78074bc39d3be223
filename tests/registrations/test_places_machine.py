"""Whatever is kept, registered, given up and ended, in any order and over days: the cap is never passed."""

import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.jurisdictions.model import HolderKind, ProductClass
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.ordering import PlaceKept
from shiming.registrations.model.registration import LineRegistered, NamedCap
from shiming.registrations.store.orders import remove_order
from shiming.registrations.store.tables import cap_counters, lines
from shiming.registrations.use_cases import orders, places
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    a_desk,
    a_line_cap_policy,
    a_number,
    a_registration_policy,
    a_session,
    an_order,
    prepare_order,
)

CAP, A_DAY, PLACE_MINUTES = 2, 3, 30
PRODUCTS = {ProductClass.VOICE: LineKind.MOBILE, ProductClass.DATA: LineKind.DATA_CARD}
people = st.sampled_from(["p1.ann", "p1.bo"])


@dataclass
class Waiting:
    """A session with an order that is not registered yet."""

    person: str
    number: int
    kept_until: int | None = None  # minutes


class PlacesMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        named = NamedCap("cards", a_line_cap_policy(CAP, a_day=A_DAY))
        shared = {(product, HolderKind.PERSON): named for product in PRODUCTS}
        policy = replace(a_registration_policy(), caps=shared, session_age_max=timedelta(days=400))
        self.desk = a_desk(Path(self.folder.name), policy)
        self.minutes = 0
        self.waiting: dict[str, Waiting] = {}
        self.active: dict[str, str] = {}  # line -> person
        self.days: list[tuple[str, int]] = []  # person and day of each registration
        self.made = 0

    def kept(self, person: str, *, besides: str) -> int:
        return sum(
            each.person == person and each.kept_until is not None and each.kept_until > self.minutes
            for session_id, each in self.waiting.items()
            if session_id != besides
        )

    def reasons(self, session_id: str) -> set[object]:
        person = self.waiting[session_id].person
        held = sum(holder == person for holder in self.active.values())
        today = (NOW + timedelta(minutes=self.minutes)).toordinal()
        full = held + self.kept(person, besides=session_id) >= CAP
        many = self.days.count((person, today)) >= A_DAY
        found = {RefusalCode.CAP_REACHED: full, OrderRefusal.LINES_OF_DAY_REACHED: many}
        return {code for code, is_so in found.items() if is_so}

    @rule(person=people, product=st.sampled_from(sorted(PRODUCTS)))
    def order(self, person: str, product: ProductClass) -> None:
        if len(self.waiting) >= 4:
            return
        self.made += 1
        session_id = f"SES-{self.made}"
        self.desk.sessions.add(a_session(session_id, subject=person))
        order = replace(
            an_order(session_id, a_number(self.made)), product_class=product, kind=PRODUCTS[product]
        )
        with unit_of_work(self.desk.engine) as connection:
            prepare_order(connection, order)
        self.waiting[session_id] = Waiting(person, self.made)

    @rule(which=st.integers(0, 3))
    def keep_place(self, which: int) -> None:
        session_id = self.pick(which)
        if session_id is None:
            return
        expected = self.reasons(session_id)
        now = NOW + timedelta(minutes=self.minutes)
        outcome = transact(
            self.desk.engine,
            lambda connection: places.keep_place(
                self.desk.tools,
                connection,
                orders.hold_order(connection, session_id, operator=None),
                policy=self.desk.policy,
                now=now,
            ),
        )
        if isinstance(outcome, PlaceKept):
            assert not expected
            self.waiting[session_id].kept_until = self.minutes + PLACE_MINUTES
        else:
            assert {refusal.code for refusal in outcome.refusals} == expected

    @rule(which=st.integers(0, 3))
    def register(self, which: int) -> None:
        session_id = self.pick(which)
        if session_id is None:
            return
        expected, now = self.reasons(session_id), NOW + timedelta(minutes=self.minutes)
        outcome = self.desk.register(session_id, a_number(self.waiting[session_id].number), now=now)
        if isinstance(outcome, LineRegistered):
            assert not expected
            person = self.waiting.pop(session_id).person
            self.active[outcome.receipt["line"]["id"]] = person
            self.days.append((person, now.toordinal()))
        else:
            assert {refusal.code for refusal in outcome.refusals} == expected

    @rule(which=st.integers(0, 3))
    def give_up(self, which: int) -> None:
        session_id = self.pick(which)
        if session_id is None:
            return
        with unit_of_work(self.desk.engine) as connection:
            remove_order(connection, session_id)
        del self.waiting[session_id]

    @rule(which=st.integers(0, 7))
    def end(self, which: int) -> None:
        if self.active:
            line = sorted(self.active)[which % len(self.active)]
            del self.active[line]
            self.desk.terminate(line)

    @rule(minutes=st.sampled_from([1, 29, 31, 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.minutes += minutes

    def pick(self, which: int) -> str | None:
        return sorted(self.waiting)[which % len(self.waiting)] if self.waiting else None

    @invariant()
    def nobody_is_above_the_cap(self) -> None:
        with reading(self.desk.engine) as connection:
            counters = {row.subject: row.active for row in connection.execute(cap_counters.select())}
            held = sa.select(lines.c.subject, sa.func.count().label("many"))
            held = held.where(lines.c.status != "terminated").group_by(lines.c.subject)
            rows = {row.subject: row.many for row in connection.execute(held)}
        assert {subject: active for subject, active in counters.items() if active} == rows
        assert all(active <= CAP for active in counters.values())

    def teardown(self) -> None:
        assert isinstance(verify_ledger(self.desk.engine, self.desk.vault.keys), LedgerVerified)
        self.desk.engine.dispose()
        self.folder.cleanup()


TestPlacesMachine = PlacesMachine.TestCase
TestPlacesMachine.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
