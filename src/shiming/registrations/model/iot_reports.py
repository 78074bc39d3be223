"""What is reported about industry cards: end users of devices, stock, resale."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shiming.vocabulary.errors import Text


class ResaleState(StrEnum):
    """How far a reported resale has been looked into."""

    OPEN = "open"
    UPHELD = "upheld"  # the seller is liable together with whoever used the cards
    DISMISSED = "dismissed"
    APPEALED = "appealed"  # upheld, and the company objects


@dataclass(frozen=True, slots=True)
class EndUser:
    """Who has a device with a card in it: a proven person, an organisation, or nobody proven yet."""

    contract: str
    device_serial: str
    iccid: str
    buyer: str | None  # pseudonym or ORG-...; None: sold, and the buyer is awaited
    session: str | None  # in which a person was proven


@dataclass(frozen=True, slots=True)
class StockStatement:
    """What a maker declares of its devices on a day."""

    contract: str
    on: date
    sold: int
    stock: int


@dataclass(frozen=True, slots=True)
class ResaleCase:
    """A report that cards of a contract were resold, and what became of it."""

    case_id: str
    operator: str
    organisation: str
    contract: str
    iccid: str | None  # None: cards of the contract, none named
    evidence: str  # reference of what was handed in
    state: ResaleState
    reported_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    liable: str | None = None  # jointly liable with whoever used the cards
    appeal: str | None = None  # reference of the objection
    version: int = 1


#: What a company is told whose contract is suspended: why, where to turn, what to bring.
RESALE_REASON = Text(
    zh="有人举报该合同下的行业卡被转售；核查期间暂停办理新卡。",
    en="Cards of this contract are reported as resold; no new ones are sold while this is looked into.",
)
RESALE_REMEDY = Text(
    zh="可在收到决定后向本企业申诉；核实无误的立即恢复。",
    en="You can appeal to us against the decision; if you are right, everything is restored at once.",
)
RESALE_MATERIALS = Text(
    zh="设备清单、销售去向、终端用户登记记录。",
    en="The list of devices, where they were sold, and the registered end users.",
)
