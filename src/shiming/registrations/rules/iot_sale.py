"""Decide whether one card of the stock may be sold under a contract."""

from dataclasses import dataclass

from shiming.jurisdictions.model import Binding, CapPolicy, Citation, Policy
from shiming.registrations.errors.iot import FenceRefusal, IotSaleRefusal
from shiming.registrations.model.iot import CardState, ContractStatus, IotCard, IotContract
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Imei


@dataclass(frozen=True, slots=True)
class SaleFacts:
    """What the sale of one card is decided on."""

    card: IotCard | None
    sold_under_contract: int
    imei: Imei | None
    device_bound_to_other_card: bool
    actual_user: str | None  # pseudonym of the person of a verified session; None: nobody is proven
    cards_of_actual_user: int


def sale_refusals(contract: IotContract, facts: SaleFacts, policy: Policy) -> tuple[Refusal, ...]:
    """Say every reason why this card is not sold under this contract; nothing when it may be."""
    bound = policy.iot_scenes[contract.scene].bindings.citation
    stock = policy.iot.resale_allowed.citation
    found: list[tuple[bool, IotSaleRefusal | FenceRefusal, Citation]] = [
        #  (1) the contract is open, and has cards left
        (contract.status is not ContractStatus.ACTIVE, IotSaleRefusal.IOT_CONTRACT_CLOSED, stock),
        (facts.sold_under_contract >= contract.cards_max, IotSaleRefusal.IOT_CARDS_USED_UP, stock),
        #  (2) the card is there
        (facts.card is None, IotSaleRefusal.IOT_CARD_UNKNOWN, stock),
        (
            facts.card is not None and facts.card.state is not CardState.STOCK,
            IotSaleRefusal.IOT_CARD_NOT_IN_STOCK,
            stock,
        ),
        #  (3) one card, one device
        (
            contract.terms.binding is Binding.IMEI and facts.imei is None,
            FenceRefusal.FENCE_IMEI_MISSING,
            bound,
        ),
        (facts.device_bound_to_other_card, IotSaleRefusal.IOT_DEVICE_BOUND, bound),
    ]
    refusals = tuple(Refusal(code, citation) for broken, code, citation in found if broken)
    return (*refusals, *_actual_user(contract, facts, policy))


def cap_of_actual_user(contract: IotContract, policy: Policy) -> CapPolicy | None:
    """Return the cap that counts a contract's cards for their actual user; None: none does."""
    product = policy.products[contract.traffic.product]
    if not product.actual_user_required.value or product.cap_of_person is None:
        return None
    return policy.caps[product.cap_of_person.value]


def _actual_user(contract: IotContract, facts: SaleFacts, policy: Policy) -> tuple[Refusal, ...]:
    """(4) General traffic: the actual user is proven, and has not too many already."""
    required = policy.products[contract.traffic.product].actual_user_required
    if required.value and facts.actual_user is None:
        return (Refusal(IotSaleRefusal.IOT_ACTUAL_USER_MISSING, required.citation),)
    cap = cap_of_actual_user(contract, policy)
    if cap is not None and facts.cards_of_actual_user >= cap.lines_per_holder_max.value:
        return (Refusal(IotSaleRefusal.IOT_ACTUAL_USER_CAP, cap.lines_per_holder_max.citation),)
    return ()
