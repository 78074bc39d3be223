"""Scenarios about registering a line: order, holder, cap, velocity, number, and what has to be there."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, Policy, ProductClass
from shiming.registrations.model.lines import LineIdentifier, LineKind, SimForm
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.model.organisation_lines import OrganisationStanding
from shiming.registrations.model.registration import (
    VERIFIED,
    HolderCounter,
    PoolNumber,
    ProvenSession,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    SessionUsable,
)
from shiming.registrations.model.sims import CardStanding
from shiming.registrations.rules.holder import KINDS
from shiming.registrations.rules.registration import decide_registration
from shiming.registrations.rules.velocity import day_of
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.msisdn import Msisdn

_NOON = time(12, tzinfo=UTC)
_SESSION, _OPERATOR, _OTHER_OPERATOR = "SES-scenario", "an-operator", "another-operator"
_PERSON, _ORGANISATION = "p1.scenario", "ORG-scenario"
_EVIDENCE, _CARD = "EVD-scenario", "89860112851234567891"
_NUMBER, _OTHER_NUMBER = Msisdn("+8613800138000"), Msisdn("+8613800138001")
_ACCOUNT = AccessAccount("gz0755123@example.net")


class Confirmed(StrEnum):
    """What the customer confirmed."""

    THIS_LINE = "this line"
    ANOTHER_LINE = "another line"
    NOTHING = "nothing"


class NumberIs(StrEnum):
    """Where the number stands."""

    FREE = "free"
    OF_ANOTHER_OPERATOR = "of another operator"
    EXCLUDED = "excluded"
    RESERVED_FOR_OTHERS = "reserved for others"
    RESTING = "resting"
    IN_USE = "in use"


class Given(BaseModel):
    """The facts of a scenario; without more, everything is there that a pack can ask for."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", " "),
        populate_by_name=True,
    )
    date: date
    product: ProductClass = ProductClass.VOICE
    kind: LineKind | None = None  # none: what the product is made of
    holder: HolderKind = HolderKind.PERSON
    category: str = "adult"
    channel: Channel = Channel.SHOP
    entry: EntryKind = EntryKind.OPEN
    proven: bool = True
    proof_used: bool = False
    minutes_since_proof: int = 0
    order: bool = True
    identity_recorded: bool = True
    terms_accepted: bool = True
    newer_terms_in_force: bool = False  # than those that were accepted
    confirmed: Confirmed = Confirmed.THIS_LINE
    sim_known: bool = True
    sim_of_another_line: bool = False
    install_address: bool = True
    number: NumberIs = NumberIs.FREE
    lines_held: int = 0
    places_kept_by_other_sessions: int = 0
    lines_today: int = 0
    hours_since_last_line: int | None = None
    reviewed: bool = False
    lines_confirmed: int = 1  # by the handler of an organisation

    @property
    def now(self) -> datetime:
        """Return noon of the day."""
        return datetime.combine(self.date, _NOON)


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    rules = RegistrationPolicy.of(policy, number_regions=())
    order = _order(given) if given.order else None
    facts = RegistrationFacts(
        session=_session(given),
        evidence=(_EVIDENCE,),
        identity_recorded=given.identity_recorded,
        number_held_by="REG-another" if given.number is NumberIs.IN_USE else None,
        counter=_counter(given),
        places_kept=given.places_kept_by_other_sessions,
        order=order,
        pool=_pool(given),
        card=CardStanding(line_id="REG-another") if given.sim_of_another_line else CardStanding(),
        terms_in_force="sha256:of newer terms" if given.newer_terms_in_force else None,
        standing=OrganisationStanding(_ORGANISATION, given.lines_confirmed),
        position=given.lines_held + 1 if given.holder is HolderKind.ORGANISATION else 1,
    )
    command = RegisterLine(_OPERATOR, _identifier(given), _SESSION)
    outcome = decide_registration(command, facts, rules, sandbox=False, now=given.now)
    if isinstance(outcome, SessionUsable):
        cap = rules.cap_of(given.product, given.holder)
        return accepted(counted_by=cap.name if cap else "no cap")
    return refused(outcome.refusals)


def _session(given: Given) -> ProvenSession:
    return ProvenSession(
        session_id=_SESSION,
        outcome=VERIFIED if given.proven else "NeedsReview",
        level="proven",
        subject=_PERSON,
        decided_at=given.now - timedelta(minutes=given.minutes_since_proof),
        challenge_origin=None,
        receipt_hash=None,
        consumed_by="REG-another" if given.proof_used else None,
    )


def _kind(given: Given) -> LineKind:
    return given.kind or min(KINDS[given.product])


def _identifier(given: Given) -> LineIdentifier:
    return _ACCOUNT if _kind(given) is LineKind.INTERNET else _NUMBER


def _order(given: Given) -> LineOrder:
    identifier = _identifier(given)
    said = {Confirmed.THIS_LINE: identifier, Confirmed.ANOTHER_LINE: _OTHER_NUMBER}.get(given.confirmed)
    return LineOrder(
        session_id=_SESSION,
        operator=_OPERATOR,
        entry=given.entry,
        kind=_kind(given),
        product_class=given.product,
        channel=given.channel,
        created_at=given.now,
        identifier=identifier,
        holder_kind=given.holder,
        organisation=_ORGANISATION if given.holder is HolderKind.ORGANISATION else None,
        category=given.category,
        iccid=_CARD if given.sim_known else None,
        sim_form=SimForm.PHYSICAL if given.sim_known else None,
        install_address=_EVIDENCE if given.install_address else None,
        terms=TermsAcceptance("1", "", given.now, given.channel) if given.terms_accepted else None,
        confirmation=LineConfirmation(said, ConfirmationMethod.READ_BACK, given.now) if said else None,
        review="REV-scenario" if given.reviewed else None,
    )


def _counter(given: Given) -> HolderCounter:
    since = given.hours_since_last_line
    last = given.now - timedelta(hours=since) if since is not None else None
    return HolderCounter(
        active=given.lines_held,
        last_registered_at=last,
        day=day_of(given.now, "UTC") if given.lines_today else None,
        day_count=given.lines_today,
    )


def _pool(given: Given) -> PoolNumber:
    later = given.now + timedelta(days=1)
    is_held = given.number in {NumberIs.RESERVED_FOR_OTHERS, NumberIs.RESTING}
    return PoolNumber(
        operator=_OTHER_OPERATOR if given.number is NumberIs.OF_ANOTHER_OPERATOR else _OPERATOR,
        kind=_kind(given),
        excluded=given.number is NumberIs.EXCLUDED,
        held_for="SES-another" if is_held else None,
        resting=given.number is NumberIs.RESTING,
        held_until=later if is_held else None,
    )
