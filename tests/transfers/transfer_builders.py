"""A desk where lines change hands: real tables, the pack `cn`, billing and a donor that answer as told."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.jurisdictions.model import Channel, EntryKind, Policy, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.privacy.model import IdentityRecord
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.lines import Line, LineKind, LineStatus
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.model.registration import (
    LineRegistered,
    NamedCap,
    ProvenSession,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.store.orders import add_order
from shiming.registrations.use_cases.holding import find_held
from shiming.registrations.use_cases.stops import confirm_line
from shiming.transfers.connectors.fake import SETTLED, FakeBilling, FakeDonor
from shiming.transfers.model.account_standing import AccountStanding, Arrears, LockIn, StandingSource
from shiming.transfers.model.change_of_holder import ChangeHolder, HolderChanged
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.use_cases.change_of_holder import transfer_line
from shiming.transfers.use_cases.tools import TransferTools
from shiming.vocabulary.refusals import Refusal
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    Desk,
    a_desk,
    a_line_cap_policy,
    a_number,
    a_registration_policy,
    a_session,
)

LATER = NOW + timedelta(days=200)  # every period of waiting is over
OPERATOR = "cn-mobile"
GIVER, RECEIVER, OTHER = "p1.giver", "p1.receiver", "p1.other"
NOT_USABLE = SessionNotUsable((Refusal(RefusalCode.SESSION_TOO_OLD, "order25:6"),))
LACKING = (Refusal(RefusalCode.IDENTITY_NOT_RECORDED, "order25:9"),)


@cache
def the_policy() -> Policy:
    """The rules of the pack `cn` on the day of the transfers."""
    return policy_on(read_pack("cn"), LATER.date())


def with_transfers(**changes: Any) -> Policy:
    """The same rules with other values about transfers; None takes a value away."""
    policy = the_policy()
    transfers = policy.transfers
    new = {
        name: None if value is None else getattr(transfers, name).model_copy(update={"value": value})
        for name, value in changes.items()
    }
    return policy.model_copy(update={"transfers": transfers.model_copy(update=new)})


def standing(arrears: Arrears = Arrears.SETTLED, lock_in: LockIn = LockIn.NONE) -> AccountStanding:
    return AccountStanding(arrears, lock_in, StandingSource.BILLING)


def a_line(**changes: Any) -> Line:
    line = Line(
        line_id="REG-1",
        number=a_number(1),
        operator=OPERATOR,
        product_class=ProductClass.VOICE.value,
        cap_scope=f"operator:{OPERATOR}",
        subject=GIVER,
        session_id="SES-FIRST",
        status=LineStatus.ACTIVE,
        registered_at=NOW,
    )
    return replace(line, **changes)


def a_held_line(held_since: datetime = NOW, **changes: Any) -> HeldLine:
    stops, place = changes.pop("stops", frozenset()), changes.pop("place", None)
    return HeldLine(a_line(**changes), held_since, 1, stops, place)


def proof_of(subject: str) -> SessionUsable:
    return SessionUsable(subject, "ial2", "sha256:" + "1" * 64, rehearsal=False)


def an_order_for(line: Line, session_id: str, entry: EntryKind, **changes: Any) -> LineOrder:
    """An order about a line that exists, with everything that a pack can ask for."""
    order = LineOrder(
        session_id=session_id,
        operator=line.operator,
        entry=entry,
        kind=line.kind,
        product_class=ProductClass(line.product_class),
        channel=Channel.SHOP,
        created_at=LATER,
        identifier=line.number,
        category="adult",
        terms=TermsAcceptance("1", "sha256:" + "0" * 64, LATER, Channel.SHOP),
        confirmation=LineConfirmation(line.number, ConfirmationMethod.READ_BACK, LATER),
    )
    return replace(order, **changes)


@dataclass(frozen=True)
class TransferDesk:
    """Registers at `NOW`, transfers at `LATER`."""

    desk: Desk
    tools: TransferTools
    policy: Policy = field(default_factory=the_policy)

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def line(self, person: str = GIVER, index: int = 1, *, active: bool = True) -> str:
        """Register a line of a person; return its reference."""
        registered = self.desk.register_for(person, f"SES-OLD-{index}", a_number(index))
        assert isinstance(registered, LineRegistered), registered
        line_id: str = registered.receipt["line"]["id"]
        if active:
            self.run(
                lambda c: confirm_line(self.tools.registrations, c, line_id, now=NOW, policy=self.policy)
            )
        return line_id

    def prove(self, session_id: str, person: str, *, at: datetime = LATER, **changes: Any) -> ProvenSession:
        """A decided session of a person, with the identity in the vault."""
        session = replace(a_session(session_id, subject=person), decided_at=at, **changes)
        self.desk.sessions.add(session)
        self.keep_identity(session_id, person)
        return session

    def keep_identity(self, session_id: str, person: str) -> None:
        """Put what the law wants recorded of a person into the vault."""
        self.desk.keep_identity(
            a_session(session_id, subject=person),
            IdentityRecord("resident_id", "11010519491231002X", "张三丰", "北京市"),
        )

    def order(self, line_id: str, session_id: str, entry: EntryKind, **changes: Any) -> None:
        with unit_of_work(self.engine) as connection:
            held = find_held(connection, line_id)
            assert held is not None
            add_order(connection, an_order_for(held.line, session_id, entry, **changes))

    def held(self, line_id: str) -> HeldLine:
        with reading(self.engine) as connection:
            held = find_held(connection, line_id)
        assert held is not None
        return held

    def run(self, work: Any) -> Any:
        return transact(self.engine, work)

    def prepare(
        self, line_id: str, giver: str = GIVER, receiver: str = RECEIVER, tag: str = ""
    ) -> ChangeHolder:
        """Prove both and open the receiver's order."""
        self.prove(f"SES-G{tag}", giver)
        self.prove(f"SES-R{tag}", receiver)
        self.order(line_id, f"SES-R{tag}", EntryKind.CHANGE_OF_HOLDER)
        return ChangeHolder(line_id, f"SES-G{tag}", f"SES-R{tag}")

    def transfer(
        self, command: ChangeHolder, *, standing: AccountStanding = SETTLED, now: datetime = LATER
    ) -> HolderChanged | TransferRefused:
        def work(connection: Connection) -> HolderChanged | TransferRefused:
            return transfer_line(
                self.tools, connection, command, standing=standing, policy=self.policy, now=now
            )

        return transact(self.engine, work)

    def under(self, policy: Policy) -> "TransferDesk":
        """The same desk under other rules."""
        return replace(self, policy=policy)


def a_transfer_desk(folder: Path, url: str | None = None, *, policy: Policy | None = None) -> TransferDesk:
    """A desk on the database at `url`; the first registrations need no orders, and no wait between them."""
    registration = a_registration_policy(cap=a_line_cap_policy())
    cap = NamedCap("cards", a_line_cap_policy())
    caps = dict.fromkeys(registration.caps, cap)
    desk = a_desk(folder, replace(registration, caps=caps), url)
    tools = TransferTools(
        desk.tools,
        FakeBilling(otherwise=SETTLED),
        FakeDonor(),
        number_regions=("CN",),
        time_zone="Asia/Shanghai",
    )
    return TransferDesk(desk, tools, policy or the_policy())


def codes(outcome: Any) -> set[str]:
    """The codes of a refusal."""
    assert isinstance(outcome, TransferRefused), outcome
    return {refusal.code.value for refusal in outcome.refusals}


def fixed_line(**changes: Any) -> Line:
    return a_line(kind=LineKind.FIXED, product_class=ProductClass.FIXED.value, **changes)
