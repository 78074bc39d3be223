"""What the routes of reports about industry cards take and give."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from shiming.registrations.api.iot_schemas import CARDS_AT_ONCE_MAX, Body, IccidText, Reference
from shiming.registrations.model.iot import (
    CardState,
)
from shiming.registrations.model.iot_reports import (
    RESALE_MATERIALS,
    RESALE_REASON,
    RESALE_REMEDY,
    ResaleCase,
    ResaleState,
)
from shiming.registrations.rules.iot_reconciliation import Discrepancy


class DeviceSold(Body):
    """A device that a maker sold; `buyer`: a proven session, an organisation, or nothing: awaited."""

    device_serial: Annotated[str, Field(min_length=1, max_length=80)]
    iccid: IccidText
    buyer: Annotated[str, Field(max_length=64)] = ""


class DevicesSold(Body):
    """Devices reported at once."""

    devices: Annotated[list[DeviceSold], Field(min_length=1, max_length=CARDS_AT_ONCE_MAX)]


class DeviceOutcome(BaseModel):
    """What became of one report: new, known, or why it was passed over."""

    device_serial: str
    outcome: str
    text: dict[str, str] | None = None


class DeviceOutcomes(BaseModel):
    """One outcome for each device, in order."""

    devices: list[DeviceOutcome]


class StockStated(Body):
    """What a maker declares of a day."""

    on: date
    sold: Annotated[int, Field(ge=0)]
    stock: Annotated[int, Field(ge=0)]


class CountsShown(BaseModel):
    """Cards of a contract; sold and stock as declared where a maker declares, the rest from the records."""

    delivered: int
    returned: int
    sold: int
    stock: int
    registered: int
    awaiting: int


class DifferenceShown(BaseModel):
    """One equation that does not hold."""

    what: Discrepancy
    expected: int
    found: int


class ContractReconciledShown(BaseModel):
    """Cards of a contract and what does not agree; `stated`: the day of the maker's declaration."""

    contract: str
    counts: CountsShown
    stated: date | None
    differences: list[DifferenceShown]


class SoldWithoutLine(BaseModel):
    """A sold card whose line is not there or has ended."""

    contract: str
    line: str | None


class ReconciledShown(BaseModel):
    """All cards of an operator, the contracts that differ, and sold cards without a line."""

    operator: str
    agrees: bool
    cards: dict[CardState, int]
    contracts: int
    differing: list[ContractReconciledShown]
    sold_without_line: list[SoldWithoutLine]


class NewResaleReport(Body):
    """Cards of a contract are said to be resold; `evidence` refers to what was handed in."""

    contract: Annotated[str, Field(max_length=40)]
    evidence: Reference
    iccid: IccidText | None = None


class ResaleAppeal(Body):
    """The objection of the company; a reference of what was handed in."""

    appeal: Reference


class ResaleShown(BaseModel):
    """A case, and what the company is told: why, where to turn, what to bring."""

    id: str
    contract: str
    organisation: str
    evidence: str
    state: ResaleState
    reported_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    liable: str | None
    appeal: str | None
    reason: dict[str, str] = RESALE_REASON.to_json()
    remedy: dict[str, str] = RESALE_REMEDY.to_json()
    materials: dict[str, str] = RESALE_MATERIALS.to_json()

    @classmethod
    def of(cls, case: ResaleCase) -> Self:
        """Return what is shown of it."""
        return cls(
            id=case.case_id,
            contract=case.contract,
            organisation=case.organisation,
            evidence=case.evidence,
            state=case.state,
            reported_at=case.reported_at,
            decided_at=case.decided_at,
            decided_by=case.decided_by,
            liable=case.liable,
            appeal=case.appeal,
        )
