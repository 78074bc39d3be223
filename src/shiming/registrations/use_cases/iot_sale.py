"""One batch of industry cards on its way from the stock to lines: decided, opened, fenced.

What an earlier card of the batch takes - a place, a device, a proof - a later one does not get.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from shiming.registrations.model.iot import CardState, IotCard, IotContract
from shiming.registrations.model.iot_profile import FenceRefused, FunctionProfile
from shiming.registrations.model.lines import Line
from shiming.registrations.model.orders import (
    LineOrder,
)
from shiming.registrations.model.organisation_lines import OrganisationLine, OrganisationStanding
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.model.registration import (
    NamedCap,
    RegistrationPolicy,
    RegistrationRefused,
    SessionUsable,
)
from shiming.registrations.model.sims import SimRefused, SimState
from shiming.registrations.rules.function_fence import FenceAsked, compile_fence
from shiming.registrations.rules.iot_sale import SaleFacts, cap_of_actual_user, sale_refusals
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.store import iot_cards as store
from shiming.registrations.store.cap_counters import CounterKey, lock_counter, take_places
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.store.sims import find_sims
from shiming.registrations.use_cases.iot_contracts import IotRefused
from shiming.registrations.use_cases.iot_orders import line_of, order_of
from shiming.registrations.use_cases.organisation_lines import register_organisation_lines
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.provisioning import request_profile
from shiming.registrations.use_cases.registering import too_busy
from shiming.registrations.use_cases.sims import assign_sim
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imei

FENCE = "fence"  # the source of the profile, as provisioning knows it


class OpenLines(Protocol):
    """Opens lines of an organisation; `use_cases.organisation_lines` does it."""

    def __call__(
        self,
        tools: RegistrationTools,
        connection: Connection,
        order: LineOrder,
        wanted: Sequence[OrganisationLine],
        *,
        standing: OrganisationStanding,
        policy: RegistrationPolicy,
        now: datetime,
    ) -> tuple[Line | RegistrationRefused, ...]:
        """Return one outcome for each line that is wanted, in order."""
        ...


@dataclass(frozen=True, slots=True)
class IotDesk:
    """What a sale of industry cards works with."""

    desk: Desk
    registration: RegistrationPolicy
    open_lines: OpenLines = register_organisation_lines


@dataclass(frozen=True, slots=True)
class WantedCard:
    """One card that is to be sold; `session` is the proof of its actual user, where there is one."""

    iccid: Iccid
    imei: Imei | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class CardSold:
    """The card has a line and a fence. `repeated`: it was sold so before, and nothing changed."""

    card: IotCard
    profile: FunctionProfile | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """A card that the rules let go, before its line is opened."""

    card: IotCard
    profile: FunctionProfile
    session: str | None


@dataclass(slots=True)
class Batch:
    """What is known while a batch is sold; `out` counts the cards of the contract, returned ones too."""

    iot: IotDesk
    connection: Connection
    contract: IotContract
    organisation: Organisation
    handler_session: str
    cards: dict[str, IotCard]
    out: int
    devices: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)

    @property
    def needs_actual_user(self) -> bool:
        """Whether each card of the contract names the person who uses it."""
        return self.iot.desk.policy.products[self.contract.traffic.product].actual_user_required.value


@inside("a step of selling cards, in its transaction")
def read_batch(
    iot: IotDesk,
    connection: Connection,
    contract: IotContract,
    organisation: Organisation,
    wanted: Sequence[WantedCard],
    *,
    handler_session: str,
) -> Batch:
    """Read what the cards of a batch are decided on; the cards are locked in the order of their numbers."""
    iccids = [each.iccid.reveal("lookup") for each in wanted]
    imeis = [each.imei.reveal("lookup") for each in wanted if each.imei is not None]
    sessions = [each.session for each in wanted if each.session is not None]
    return Batch(
        iot,
        connection,
        contract,
        organisation,
        handler_session,
        cards=_cards(connection, iccids),
        out=store.count_under(connection, contract.contract_id).get(CardState.SOLD, 0),
        devices=set(store.find_bound(connection, contract.operator, imeis)),
        sessions=set(store.used_sessions(connection, sessions)),
    )


@inside("a step of selling cards, in its transaction")
def decide_card(batch: Batch, wanted: WantedCard) -> Allowed | CardSold | IotRefused:
    """Decide one card, and count what it takes."""
    desk, contract = batch.iot.desk, batch.contract
    iccid = wanted.iccid.reveal("lookup")
    card = batch.cards.get(iccid)
    if card is not None and card.operator != contract.operator:
        card = None  # another operator's card is not there
    if card is not None and _is_repeat(card, wanted, contract):
        return CardSold(card, None, repeated=True)
    user, refused = _actual_user(batch, wanted)
    imei = None if wanted.imei is None else wanted.imei.reveal("lookup")
    facts = SaleFacts(
        card=card,
        sold_under_contract=batch.out,
        imei=wanted.imei,
        device_bound_to_other_card=imei in batch.devices,
        actual_user=user,
        cards_of_actual_user=_cards_of(batch, user),
    )
    asked = FenceAsked(
        contract.contract_id,
        contract.scene,
        contract.traffic.product,
        contract.terms,
        wanted.imei,
        desk.now,
        desk.policy.content_hash,
    )
    compiled = compile_fence(asked, desk.policy.iot_scenes[contract.scene])
    fence = compiled.refusals if isinstance(compiled, FenceRefused) else ()
    refusals = tuple(dict.fromkeys((*sale_refusals(contract, facts, desk.policy), *fence, *refused)))
    if refusals or card is None or isinstance(compiled, FenceRefused):
        return IotRefused(refusals)
    batch.out += 1
    batch.devices |= {imei} if imei else set()
    batch.sessions |= {wanted.session} if wanted.session else set()
    changed = replace(card, contract=contract.contract_id, imei=wanted.imei, actual_user=user)
    batch.cards[iccid] = replace(changed, state=CardState.SOLD)
    return Allowed(changed, compiled.profile, wanted.session)


@inside("a step of selling cards, in its transaction")
def open_cards(batch: Batch, allowed: Sequence[Allowed]) -> list[CardSold | IotRefused]:
    """Open the lines of one session, let the cards go, and ask the network for their fences."""
    if not allowed:
        return []
    session = allowed[0].session if batch.needs_actual_user else batch.handler_session
    standing = decide_organisation_standing(batch.organisation, batch.iot.desk.policy, now=batch.iot.desk.now)
    outcomes = batch.iot.open_lines(
        batch.iot.desk.tools,
        batch.connection,
        order_of(
            batch.connection,
            batch.contract,
            batch.organisation,
            session or "",
            now=batch.iot.desk.now,
        ),
        [line_of(each.card) for each in allowed],
        standing=OrganisationStanding(
            batch.contract.organisation, batch.contract.cards_max, standing.refusals
        ),
        policy=batch.iot.registration,
        now=batch.iot.desk.now,
    )
    return [_settle(batch, each, outcome) for each, outcome in zip(allowed, outcomes, strict=True)]


@inside("shared by selling and taking back")
def counter_of_user(contract: IotContract, desk: Desk, user: str | None) -> CounterKey | None:
    """Return where the cards of an actual user are counted; None: nowhere."""
    cap = cap_of_actual_user(contract, desk.policy)
    name = desk.policy.products[contract.traffic.product].cap_of_person
    if user is None or cap is None or name is None:
        return None
    return CounterKey(user, NamedCap(name.value, cap).scope_of(contract.operator), name.value)


def _cards(connection: Connection, iccids: Sequence[str]) -> dict[str, IotCard]:
    """Return the cards; one that went into another line meanwhile is in our stock no more."""
    cards = store.find_cards(connection, iccids, for_update=True)
    elsewhere = {
        iccid for iccid, sim in find_sims(connection, iccids).items() if sim.state is not SimState.STOCK
    }
    return {
        iccid: replace(card, state=CardState.RETURNED)
        if iccid in elsewhere and card.state is CardState.STOCK
        else card
        for iccid, card in cards.items()
    }


def _is_repeat(card: IotCard, wanted: WantedCard, contract: IotContract) -> bool:
    same = (card.contract, card.imei) == (contract.contract_id, wanted.imei)
    return card.state is CardState.SOLD and card.line_id is not None and same


def _actual_user(batch: Batch, wanted: WantedCard) -> tuple[str | None, tuple[Refusal, ...]]:
    """Return the person of the session that came with the card, or why it proves nobody."""
    if not batch.needs_actual_user or wanted.session is None:
        return None, ()
    desk, policy = batch.iot.desk, batch.iot.registration
    usable = decide_session_usable(
        find_proven_session(batch.connection, wanted.session),
        operator=batch.contract.operator,
        policy=policy,
        sandbox=desk.tools.sandbox,
        now=desk.now,
    )
    if isinstance(usable, SessionUsable) and wanted.session not in batch.sessions:
        return usable.subject, ()
    return None, () if isinstance(usable, SessionUsable) else usable.refusals


def _cards_of(batch: Batch, user: str | None) -> int:
    """Count what the actual user has; the counter is held, so that the count stays right."""
    key = counter_of_user(batch.contract, batch.iot.desk, user)
    return 0 if key is None else lock_counter(batch.connection, key).active


def _count_for_user(batch: Batch, user: str | None) -> None:
    desk = batch.iot.desk
    key = counter_of_user(batch.contract, desk, user)
    cap = cap_of_actual_user(batch.contract, desk.policy)
    if key is not None and cap is not None:
        most = cap.lines_per_holder_max.value
        day = desk.now.astimezone(ZoneInfo(batch.iot.registration.time_zone)).date().isoformat()
        take_places(batch.connection, key, 1, cap=most, now=desk.now, day=day)


def _settle(batch: Batch, allowed: Allowed, outcome: Line | RegistrationRefused) -> CardSold | IotRefused:
    if isinstance(outcome, RegistrationRefused):
        batch.out -= 1
        return IotRefused(outcome.refusals)
    _count_for_user(batch, allowed.card.actual_user)
    card = replace(allowed.card, state=CardState.SOLD, line_id=outcome.line_id)
    now = batch.iot.desk.now
    store.sell(batch.connection, card, actual_session=allowed.session, now=now)
    tools, policy = batch.iot.desk.tools, batch.iot.desk.policy
    put_in = assign_sim(tools, batch.connection, outcome.line_id, card.iccid, now=now, policy=policy)
    if isinstance(put_in, SimRefused):  # another line took the card since we looked
        raise too_busy()
    profile = allowed.profile.to_json()
    request_profile(batch.connection, outcome.line_id, profile, until=None, source=FENCE, now=now)
    return CardSold(card, allowed.profile)
