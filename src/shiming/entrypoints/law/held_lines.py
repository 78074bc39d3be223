"""What the scenarios about lines that somebody holds have in common: a line, its holder, who is proven."""

from datetime import UTC, date, datetime, time, timedelta

from pydantic import BaseModel, ConfigDict

from shiming.jurisdictions.model import Channel, EntryKind, Policy, ProductClass, StopReason
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.holding import HeldLine
from shiming.registrations.model.lines import Line, LineKind, LineStatus, SimForm
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.model.registration import (
    CapReached,
    HolderCounter,
    PoolNumber,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.rules.entry import decide_entry
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.velocity import day_of, decide_velocity
from shiming.transfers.model.account_standing import AccountStanding, Arrears, LockIn, StandingSource
from shiming.transfers.model.change_of_holder import Proof
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal

HOLDER, OTHER = "holder", "another"
NUMBER = Msisdn("+8613800138000")
_OPERATOR, _SESSION = "operator", "SES"
_KINDS = {ProductClass.FIXED: LineKind.FIXED, ProductClass.INTERNET: LineKind.INTERNET}


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Facts(BaseModel):
    """Facts about a line that somebody holds; what a scenario does not say is in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)

    date: date
    product: ProductClass = ProductClass.VOICE
    status: LineStatus = LineStatus.ACTIVE
    stops: tuple[StopReason, ...] = ()
    days_held: int = 365
    holder_proven: bool = True
    proven_person: str = HOLDER
    identity_recorded: bool = True
    terms_accepted: bool = True
    line_confirmed: bool = True
    arrears: Arrears = Arrears.SETTLED
    contract: LockIn = LockIn.NONE
    port_pending: bool = False
    barred: bool = False

    @property
    def now(self) -> datetime:
        """Noon of the day."""
        return datetime.combine(self.date, time(12), tzinfo=UTC)

    def held(self, subject: str = HOLDER) -> HeldLine:
        """Return the line as its holder has it."""
        since = self.now - timedelta(days=self.days_held)
        line = Line(
            line_id="REG",
            number=NUMBER,
            operator=_OPERATOR,
            product_class=self.product.value,
            cap_scope="",
            subject=subject,
            session_id="SES-FIRST",
            status=self.status,
            registered_at=since,
            kind=_KINDS.get(self.product, LineKind.MOBILE),
        )
        return HeldLine(line, since, 1, frozenset(self.stops))

    def standing(self) -> AccountStanding:
        """Return what billing says."""
        return AccountStanding(self.arrears, self.contract, StandingSource.BILLING)


def proof(policy: Policy, *, proven: bool, person: str) -> Proof:
    """Return a fresh proof of a person, or one that does not hold."""
    if proven:
        return SessionUsable(person, None, None, rehearsal=False)
    citation = policy.time_limits.session_minutes.citation
    return SessionNotUsable((Refusal(RefusalCode.SESSION_NOT_VERIFIED, citation),))


def order(facts: Facts, entry: EntryKind, *, card: bool = True, address: bool = True) -> LineOrder:
    """Return what the session asks for."""
    held, now = facts.held(), facts.now
    return LineOrder(
        session_id=_SESSION,
        operator=_OPERATOR,
        entry=entry,
        kind=held.line.kind,
        product_class=facts.product,
        channel=Channel.SHOP,
        created_at=now,
        identifier=held.line.number,
        iccid="89860112851234567891" if card else None,
        sim_form=SimForm.PHYSICAL if card else None,
        install_address="EVD-ADDRESS" if address else None,
        terms=TermsAcceptance("1", "sha256:0", now, Channel.SHOP) if facts.terms_accepted else None,
        confirmation=LineConfirmation(held.line.number, ConfirmationMethod.READ_BACK, now)
        if facts.line_confirmed
        else None,
    )


def lacking(facts: Facts, wanted: LineOrder, policy: Policy) -> tuple[Refusal, ...]:
    """Return what the entry demands and is not there."""
    return decide_entry(
        wanted,
        NUMBER,
        policy,
        identity_recorded=facts.identity_recorded,
        pool=PoolNumber(),
        now=facts.now,
    )


def no_room(
    facts: Facts, policy: Policy, *, lines: int, today: int, hours_since_last: int | None
) -> tuple[Refusal, ...]:
    """Return why a person with so many lines may take no more now."""
    named = policy.products[facts.product].cap_of_person
    if named is None:
        return ()
    cap, now = policy.caps[named.value], facts.now
    counted = decide_line_cap(lines, cap)
    reasons: list[Refusal] = []
    if isinstance(counted, CapReached):
        code = OrderRefusal.REVIEW_REQUIRED if counted.reviewable else RefusalCode.CAP_REACHED
        reasons.append(Refusal(code, counted.citation))
    last = None if hours_since_last is None else now - timedelta(hours=hours_since_last)
    counter = HolderCounter(lines, 0, last, day_of(now, "UTC") if today else None, today)
    return (*reasons, *decide_velocity(counter, cap, now=now, time_zone="UTC"))
