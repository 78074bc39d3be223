"""Lines, numbers and cards of a desk, under the whole rules of a pack."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Policy, StopActor, StopReason
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    BlockAdded,
    NewBlock,
    NumberNotGiven,
    NumberRange,
    NumberReserved,
    NumberState,
)
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.model.sims import SimAssigned, SimRefused, SimReplaced
from shiming.registrations.model.stops import (
    LineConfirmed,
    LineStanding,
    StopLifted,
    StopRefused,
    StopSet,
)
from shiming.registrations.rules.number_pool import state_of
from shiming.registrations.use_cases import number_blocks, numbers, sims, stops
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, Desk, a_desk, a_number

REFERENCE = "CASE-1"


@cache
def the_rules() -> Policy:
    return policy_on(read_pack("cn"), NOW.date())


def an_iccid(index: int) -> str:
    """A valid ICCID: 89, country, issuer, account, Luhn digit."""
    body = f"898601128512{index:07d}"
    digits = [int(digit) for digit in reversed(body)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    return f"{body}{-(doubled + sum(digits[1::2])) % 10}"


def an_imsi(index: int) -> str:
    return f"46000{index:010d}"


def a_range(first: int, last: int) -> NumberRange:
    """The range between two numbers that `a_number` makes."""
    return NumberRange(a_number(first).reveal("test"), a_number(last).reveal("test"))


@dataclass(frozen=True)
class StockDesk:
    """A desk that keeps lines, numbers and cards; lines are registered by proof and number alone."""

    desk: Desk = field(repr=False)  # Hypothesis prints what it was given
    policy: Policy = field(repr=False)

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def line(
        self, index: int = 0, *, person: str | None = None, confirmed: bool = True, at: str = OPERATOR
    ) -> str:
        """Register the number `index`, and let the network confirm it."""
        session = f"SES-{at}-{index}"
        outcome = self.desk.register_for(person or f"p1.{index}", session, a_number(index), operator=at)
        assert isinstance(outcome, LineRegistered), outcome
        line_id: str = outcome.receipt["line"]["id"]
        if confirmed:
            self.confirm(line_id)
        return line_id

    def confirm(self, line_id: str, now: datetime = NOW) -> LineConfirmed | StopRefused:
        return transact(
            self.engine,
            lambda connection: stops.confirm_line(
                self.desk.tools, connection, line_id, now=now, policy=self.policy
            ),
        )

    def stop(
        self,
        line_id: str,
        reason: StopReason = StopReason.REQUEST,
        actor: StopActor = StopActor.HOLDER,
        *,
        reference: str = REFERENCE,
        now: datetime = NOW,
        at: datetime | None = None,
    ) -> StopSet | StopRefused:
        return transact(
            self.engine,
            lambda connection: stops.set_stop(
                self.desk.tools,
                connection,
                line_id,
                reason=reason,
                actor=actor,
                reference=reference,
                at=at,
                now=now,
                policy=self.policy,
            ),
        )

    def lift(
        self,
        line_id: str,
        reason: StopReason = StopReason.REQUEST,
        actor: StopActor = StopActor.CLERK,
        *,
        reference: str | None = None,
        now: datetime = NOW,
    ) -> StopLifted | StopRefused:
        return transact(
            self.engine,
            lambda connection: stops.lift_stop(
                self.desk.tools,
                connection,
                line_id,
                reason=reason,
                actor=actor,
                reference=reference,
                now=now,
                policy=self.policy,
            ),
        )

    def terminate(self, line_id: str, now: datetime = NOW) -> None:
        """End a line under the whole rules, so that its number rests."""
        self.desk.under(replace(self.desk.policy, rules=self.policy)).terminate(line_id, now=now)

    def standing(self, line_id: str) -> LineStanding:
        with reading(self.engine) as connection:
            found = stops.line_status(connection, line_id)
        assert found is not None
        return found

    def add_block(
        self, numbers_in: NumberRange, operator: str = OPERATOR, *, excluded: bool = False
    ) -> BlockAdded | NumberNotGiven:
        new = NewBlock(operator, numbers_in, LineKind.MOBILE, excluded)
        return transact(
            self.engine,
            lambda connection: number_blocks.add_block(
                self.desk.tools, connection, new, now=NOW, policy=self.policy
            ),
        )

    def import_blocks(
        self, text: str | bytes, name: str = "ranges.csv", operator: str | None = None
    ) -> ImportReport:
        return number_blocks.import_blocks(
            self.desk.tools,
            self.engine,
            BytesIO(text.encode() if isinstance(text, str) else text),
            name,
            operator=operator,
            regions=("CN",),
            now=NOW,
            policy=self.policy,
        )

    def reserve(
        self, number: Msisdn, held_for: str = "SES-1", *, operator: str = OPERATOR, now: datetime = NOW
    ) -> NumberReserved | NumberNotGiven:
        return transact(
            self.engine,
            lambda connection: numbers.reserve_number(
                self.desk.tools,
                connection,
                number,
                operator=operator,
                held_for=held_for,
                now=now,
                policy=self.policy,
            ),
        )

    def release(self, number: Msisdn, held_for: str = "SES-1", *, operator: str = OPERATOR) -> bool:
        return transact(
            self.engine,
            lambda connection: numbers.release_number(
                self.desk.tools, connection, number, operator=operator, held_for=held_for, now=NOW
            ),
        )

    def state(self, number: Msisdn, now: datetime = NOW) -> NumberState:
        with reading(self.engine) as connection:
            return state_of(numbers.number_facts(connection, number), now)

    def import_sims(self, *rows: str, operator: str | None = None) -> ImportReport:
        text = "\n".join(("iccid,imsi,form,operator", *rows))
        stream = BytesIO(text.encode())
        return sims.import_sims(self.desk.tools, self.engine, stream, "cards.csv", operator=operator, now=NOW)

    def assign(self, line_id: str, index: int, now: datetime = NOW) -> SimAssigned | SimRefused:
        iccid = Iccid.parse(an_iccid(index))
        return transact(
            self.engine,
            lambda connection: sims.assign_sim(
                self.desk.tools, connection, line_id, iccid, now=now, policy=self.policy
            ),
        )

    def replace(
        self, line_id: str, index: int, now: datetime = NOW
    ) -> SimReplaced | SimAssigned | SimRefused:
        iccid = Iccid.parse(an_iccid(index))
        return transact(
            self.engine,
            lambda connection: sims.replace_sim(
                self.desk.tools, connection, line_id, iccid, now=now, policy=self.policy
            ),
        )

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these types as rows of the outbox, unordered."""
        with reading(self.engine) as connection:
            rows = connection.execute(outbox.select().where(outbox.c.type.in_(kinds)))
            return [dict(row) for row in rows.mappings()]


def a_card(index: int, operator: str = OPERATOR) -> str:
    """A row of the stock."""
    return f"{an_iccid(index)},{an_imsi(index)},physical,{operator}"


def a_stock_desk(folder: Path, url: str | None = None) -> StockDesk:
    return StockDesk(a_desk(folder, url=url), the_rules())


def codes_of(outcome: object) -> list[str]:
    """The codes of a refusal; none for anything else."""
    return [refusal.code.value for refusal in getattr(outcome, "refusals", ())]
