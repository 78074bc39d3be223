"""What the routes of orders and reviews take and give: a description of its own, apart from the model."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.ordering import ADDRESS_CHARACTERS_MAX, ReviewDecision
from shiming.registrations.model.orders import ConfirmationMethod, RepresentativeRole

SESSION_PATTERN = r"^[A-Za-z][A-Za-z0-9-]{3,63}$"
_TYPED_MAX = 70  # the longest identifier with separators


class OrderChange(BaseModel):
    """What is set or set anew; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    identifier: Annotated[
        str | None,
        Field(max_length=_TYPED_MAX, description="E.164, or the account.", examples=["+8613800138000"]),
    ] = None
    iccid: Annotated[str | None, Field(max_length=_TYPED_MAX, examples=["89860112851234567891"])] = None
    imsi: Annotated[str | None, Field(max_length=_TYPED_MAX, examples=["460001234567890"])] = None
    sim_form: SimForm | None = None
    install_address: Annotated[
        str | None,
        Field(max_length=ADDRESS_CHARACTERS_MAX, description="Goes to the vault; shown nowhere again."),
    ] = None


class OrderWanted(OrderChange):
    """What is asked for with the proof of one session."""

    session: Annotated[str, Field(pattern=SESSION_PATTERN, examples=["SES-0082-0C20-A1G7-D"])]
    operator: Annotated[str, Field(max_length=32, examples=["north-mobile"])]
    kind: LineKind
    product_class: ProductClass
    channel: Channel
    entry: EntryKind = EntryKind.OPEN
    organisation: Annotated[str | None, Field(max_length=40, description="The holder, ORG-...")] = None
    contract: Annotated[str | None, Field(max_length=40)] = None


class OrderShown(BaseModel):
    """An order as it stands; people are pseudonyms, the address a reference."""

    session: str
    operator: str
    entry: EntryKind
    kind: LineKind
    product_class: ProductClass
    channel: Channel
    holder_kind: HolderKind
    organisation: str | None
    contract: str | None
    category: str | None
    identifier: str | None
    iccid: str | None
    imsi: str | None
    sim_form: SimForm | None
    install_address: str | None
    representative: RepresentativeRole | None
    terms_version: str | None
    confirmed: ConfirmationMethod | None
    place_kept_until: datetime | None
    review: str | None
    created_at: datetime


class OrderAbandoned(BaseModel):
    """The order is given up."""

    session: str
    abandoned: bool = True


class PlaceShown(BaseModel):
    """One place under the cap is kept; `until` null: such lines are not counted."""

    session: str
    until: datetime | None
    remaining: int | None


class ReviewShown(BaseModel):
    """An enhanced review; who asked and who decided stay out, the ledger has them."""

    id: str
    session: str
    operator: str
    asked_at: datetime
    decided_at: datetime | None
    decision: ReviewDecision | None
    why: str | None


class Reviews(Listing):
    """A page of reviews, oldest first."""

    items: list[ReviewShown]


class ReviewDecided(BaseModel):
    """How a review ends, and why, as a code."""

    model_config = ConfigDict(extra="forbid")
    decision: ReviewDecision
    why: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$", examples=["family_lines_shown"])]


class HolderOverCap(BaseModel):
    """A holder with more lines than the cap of today; to be verified again, not cut."""

    subject: str
    cap: str
    scope: str
    lines: int


class HoldersOverCap(Listing):
    """A page of holders above a cap."""

    items: list[HolderOverCap]
