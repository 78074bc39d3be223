"""What the routes of industry cards take and give; cards and devices are masked where they are shown."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.jurisdictions.model import Binding, Channel
from shiming.registrations.model.iot import (
    CARDS_OF_CONTRACT_MAX,
    DATA_MB_MAX,
    RADIUS_M_MAX,
    WHITELIST_MAX,
    Area,
    Assessment,
    AssessmentResult,
    CardState,
    ContractStatus,
    FenceTerms,
    IotCard,
    IotContract,
    TrafficClass,
)
from shiming.registrations.model.iot_profile import camara_bind_requests
from shiming.registrations.use_cases.iot_devices import Seen

CARDS_AT_ONCE_MAX = 100  # of one request: a second of work; a table takes more
_REFERENCE = r"^[A-Za-z][A-Za-z0-9._:-]{1,63}$"
Reference = Annotated[str, Field(pattern=_REFERENCE, examples=["EVD-0082-0C20-A1G7-D"])]
OrganisationReference = Annotated[str, Field(max_length=40, examples=["ORG-0082-0C20-A1G7-D"])]
IccidText = Annotated[str, Field(max_length=40, examples=["89860112851234567891"])]
ImeiText = Annotated[str, Field(max_length=40, examples=["35-686800-004141-8"])]
Why = Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$", examples=["device_broken"])]


class Body(BaseModel):
    """What is sent; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class PaperKept(BaseModel):
    """The reference of a paper in the vault."""

    evidence: str


class NewAssessment(Body):
    """The security assessment of a company; the assessor is the caller."""

    organisation: OrganisationReference
    result: AssessmentResult
    evidence: Reference
    assessed_at: datetime | None = None


class AssessmentShown(BaseModel):
    """A recorded assessment."""

    id: str
    organisation: str
    result: AssessmentResult
    assessor: str
    evidence: str
    assessed_at: datetime

    @classmethod
    def of(cls, made: Assessment) -> Self:
        """Return what is shown of it."""
        return cls(
            id=made.assessment_id,
            organisation=made.organisation,
            result=made.result,
            assessor=made.assessor,
            evidence=made.evidence,
            assessed_at=made.assessed_at,
        )


class AreaTerms(Body):
    """A circle: degrees, and metres."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    radius_m: Annotated[int, Field(ge=1, le=RADIUS_M_MAX)]


class FenceAsked(Body):
    """What the network lets the cards do; a contract narrows its scene and never widens it."""

    voice: bool = False
    sms: bool = False
    data_mb_per_month: Annotated[int | None, Field(ge=1, le=DATA_MB_MAX)] = None
    apns: Annotated[list[str], Field(max_length=WHITELIST_MAX)] = []
    targets: Annotated[list[str], Field(max_length=WHITELIST_MAX)] = []
    binding: Binding = Binding.NONE
    area: AreaTerms | None = None

    def read(self) -> FenceTerms:
        """Return the terms; raise BadInput."""
        area = self.area and Area.parse(self.area.latitude, self.area.longitude, self.area.radius_m)
        return FenceTerms.parse(
            voice=self.voice,
            sms=self.sms,
            data_mb_per_month=self.data_mb_per_month,
            apns=tuple(self.apns),
            targets=tuple(self.targets),
            binding=self.binding,
            area=area or None,
        )


class NewContract(Body):
    """A contract for industry cards with an organisation."""

    organisation: OrganisationReference
    scene: Annotated[str, Field(max_length=60, examples=["metering"])]
    cards: Annotated[int, Field(ge=1, le=CARDS_OF_CONTRACT_MAX)]
    fence: FenceAsked
    channel: Channel
    resale_clause: bool
    sells_devices: bool = False


class ContractShown(BaseModel):
    """A contract for industry cards."""

    id: str
    operator: str
    organisation: str
    scene: str
    traffic: TrafficClass
    cards: int
    fence: dict[str, Any]
    channel: Channel
    resale_clause: bool
    sells_devices: bool
    assessment: str | None
    status: ContractStatus
    signed_at: datetime

    @classmethod
    def of(cls, contract: IotContract) -> Self:
        """Return what is shown of it."""
        terms = contract.terms
        fence = {
            "voice": terms.voice,
            "sms": terms.sms,
            "data_mb_per_month": terms.data_mb_per_month,
            "apns": list(terms.apns),
            "targets": list(terms.targets),
            "binding": terms.binding.value,
            "area": terms.area and terms.area.to_json(),
        }
        return cls(
            id=contract.contract_id,
            operator=contract.operator,
            organisation=contract.organisation,
            scene=contract.scene,
            traffic=contract.traffic,
            cards=contract.cards_max,
            fence=fence,
            channel=contract.channel,
            resale_clause=contract.resale_clause,
            sells_devices=contract.sells_devices,
            assessment=contract.assessment,
            status=contract.status,
            signed_at=contract.signed_at,
        )


class Contracts(Listing):
    """A page of contracts, by reference."""

    items: list[ContractShown]


class CardWanted(Body):
    """One card, its device where the contract binds to one, and the session of its actual user."""

    iccid: IccidText
    imei: ImeiText | None = None
    session: Annotated[str | None, Field(max_length=64)] = None


class CardsWanted(Body):
    """Cards to be sold at once; `handler_session`: a fresh proof of the handler."""

    cards: Annotated[list[CardWanted], Field(min_length=1, max_length=CARDS_AT_ONCE_MAX)]
    handler_session: Annotated[str | None, Field(max_length=64)] = None


class CardOutcome(BaseModel):
    """What became of one card: sold, or every reason why not."""

    iccid: str
    line: str | None = None
    repeated: bool = False
    fence: dict[str, Any] | None = None
    reasons: list[dict[str, Any]] = []


class CardOutcomes(BaseModel):
    """One outcome for each card, in order."""

    sold: int
    refused: int
    cards: list[CardOutcome]


class CardNamed(Body):
    """A card; POST keeps it out of addresses."""

    iccid: IccidText


class CardReturned(CardNamed):
    """A card that comes back, and why, as a code."""

    why: Why


class DeviceChanged(CardNamed):
    """A card and the device that it is in from now on."""

    imei: ImeiText


class CardShown(BaseModel):
    """Where a card is; its actual user is a pseudonym."""

    iccid: str
    imsi: str
    number: str
    operator: str
    state: CardState
    contract: str | None
    imei: str | None
    line: str | None
    actual_user: str | None
    camara_bind: list[dict[str, Any]] = []

    @classmethod
    def of(cls, card: IotCard, contract: IotContract | None = None) -> Self:
        """Return what is shown of it, with the bind requests of CAMARA for a card that is out."""
        out = contract is not None and card.state is CardState.SOLD
        binds = camara_bind_requests(contract.terms.binding, card.number) if contract and out else ()
        return cls(
            iccid=card.iccid.masked(),
            imsi=card.imsi.masked(),
            number=card.number.masked(),
            operator=card.operator,
            state=card.state,
            contract=card.contract,
            imei=None if card.imei is None else card.imei.masked(),
            line=card.line_id,
            actual_user=card.actual_user,
            camara_bind=list(binds),
        )


class CardSeen(CardNamed):
    """A card seen by the network in a device, or outside its area."""

    imei: ImeiText | None = None
    outside_area: bool = False


class SeenShown(BaseModel):
    """What the sighting means; `broken`: the line is stopped."""

    seen: Seen
