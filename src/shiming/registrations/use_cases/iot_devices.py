"""What the network sees of bound cards: another device or another place stops the line."""

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Binding, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.errors.iot import IotSaleRefusal
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import CardState, IotCard
from shiming.registrations.model.iot_profile import FenceRefused
from shiming.registrations.model.stops import StopSet
from shiming.registrations.permissions.iot import MayManageIot, MayReportIot
from shiming.registrations.rules.function_fence import FenceAsked, compile_fence
from shiming.registrations.store import iot_cards as store
from shiming.registrations.use_cases.iot_cards import card_unknown
from shiming.registrations.use_cases.iot_contracts import IotRefused, get_contract, tell
from shiming.registrations.use_cases.iot_sale import FENCE
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.provisioning import request_profile
from shiming.registrations.use_cases.stops import set_stop
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid, Imei


class Seen(StrEnum):
    """What a sighting of a card means."""

    INSIDE = "inside"  # as it was agreed
    BROKEN = "broken"  # the line is stopped
    NOT_BOUND = "not_bound"  # nothing was agreed about it


@dataclass(frozen=True, slots=True)
class Sighting:
    """A card was seen in a device, or outside its area."""

    iccid: Iccid
    imei: Imei | None = None
    outside_area: bool = False


@asks(MayReportIot)
def see_card(desk: Desk, connection: Connection, sighting: Sighting) -> Seen:
    """Compare a sighting with what the card is bound to; stop its line when the fence is broken.

    Seen again while it is stopped changes nothing.
    """
    clear = sighting.iccid.reveal("lookup")
    card = store.find_cards(connection, [clear]).get(clear)
    if card is None:
        raise card_unknown()
    broken = _broken(connection, card, sighting)
    if broken is None:
        return Seen.NOT_BOUND
    if not broken or card.line_id is None:
        return Seen.INSIDE
    case = f"FENCE-{uuid.uuid5(uuid.NAMESPACE_OID, f'{card.line_id}:{broken}')}"
    stopped = set_stop(
        desk.tools,
        connection,
        card.line_id,
        reason=StopReason.FENCE_BROKEN,
        actor=StopActor.SYSTEM,
        reference=case,
        now=desk.now,
        policy=desk.policy,
    )
    if isinstance(stopped, StopSet) and not stopped.repeated:
        facts: dict[str, Fact] = {"contract": card.contract, "what": broken, "stop": stopped.stop.stop_id}
        tell(desk, connection, events.IOT_FENCE_BROKEN, card.line_id, operator=card.operator, facts=facts)
    return Seen.BROKEN


@asks(MayManageIot)
def change_device(desk: Desk, connection: Connection, iccid: Iccid, imei: Imei) -> IotCard | IotRefused:
    """Bind a sold card to another device, because the one it was in is broken or replaced. Twice is once.

    A line that was stopped because it was seen elsewhere stays so until compliance lifts that.
    """
    clear = iccid.reveal("lookup")
    card = store.find_cards(connection, [clear], for_update=True).get(clear)
    if card is None or card.contract is None or card.line_id is None:
        raise card_unknown()
    if card.imei == imei:
        return card
    contract = get_contract(connection, card.contract)
    scene = desk.policy.iot_scenes[contract.scene]
    device = imei.reveal("lookup")
    bound = store.find_bound(connection, card.operator, [device])
    if card.state is not CardState.SOLD or contract.terms.binding is not Binding.IMEI or bound:
        code = IotSaleRefusal.IOT_DEVICE_BOUND if bound else IotSaleRefusal.IOT_CARD_NOT_BOUND
        return IotRefused((Refusal(code, scene.bindings.citation),))
    asked = FenceAsked(
        contract.contract_id,
        contract.scene,
        contract.traffic.product,
        contract.terms,
        imei,
        desk.now,
        desk.policy.content_hash,
    )
    compiled = compile_fence(asked, scene)
    if isinstance(compiled, FenceRefused):  # the rules of today are narrower than those it was signed under
        return IotRefused(compiled.refusals)
    store.bind(connection, clear, device)
    profile = compiled.profile.to_json()
    request_profile(connection, card.line_id, profile, until=None, source=FENCE, now=desk.now)
    facts: dict[str, Fact] = {"contract": card.contract}
    tell(desk, connection, events.IOT_DEVICE_CHANGED, card.line_id, operator=card.operator, facts=facts)
    return replace(card, imei=imei)


def _broken(connection: Connection, card: IotCard, sighting: Sighting) -> str | None:
    """Say what is broken; empty: nothing; None: the card is bound to nothing of the kind."""
    if card.state is not CardState.SOLD or card.contract is None:
        return None
    binding = get_contract(connection, card.contract).terms.binding
    if binding is Binding.IMEI and sighting.imei is not None:
        return "" if sighting.imei == card.imei else Binding.IMEI.value
    if binding is Binding.AREA:
        return Binding.AREA.value if sighting.outside_area else ""
    return None
