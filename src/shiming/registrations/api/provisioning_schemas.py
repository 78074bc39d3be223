"""What the routes of provisioning take and give."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from shiming.infrastructure.http.page import Listing
from shiming.infrastructure.webhooks.destinations import URL_CHARACTERS_MAX
from shiming.registrations.model.provisioning import OrderAction, OrderState

OPERATOR = r"^[a-z0-9][a-z0-9-]{1,39}$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BssWanted(_Body):
    """Where an operator's BSS is (https), and the bearer token that we show it."""

    operator: Annotated[str, Field(pattern=OPERATOR, examples=["cn-mobile"])]
    url: Annotated[
        str, Field(min_length=1, max_length=URL_CHARACTERS_MAX, examples=["https://bss.example.com/tmf-api"])
    ]
    token: Annotated[SecretStr, Field(min_length=1, max_length=2000)]


class Bss(BaseModel):
    """An operator's BSS without its secrets, and where it calls back."""

    operator: str
    url: str
    added_at: datetime
    callback_url: str


class BssList(Listing):
    """A page of BSS by operator."""

    items: list[Bss]


class CallbackSecret(BaseModel):
    """A secret, shown this once; the former one holds for a day."""

    secret: str


class ServiceOrderShown(BaseModel):
    """An order to the network. `wanted` is the whole state that it asks for."""

    id: str
    operator: str
    line: str | None
    service: str
    sequence: int
    action: OrderAction
    state: OrderState
    wanted: dict[str, Any]
    attempts: int
    bss_order: str | None
    reason: str | None
    confirmation: str | None
    created_at: datetime
    changed_at: datetime


class ServiceOrders(Listing):
    """A page of orders, oldest first."""

    items: list[ServiceOrderShown]


class ConfirmationByHand(_Body):
    """On the ground of which ticket a person says that the network did it."""

    reference: Annotated[str, Field(min_length=1, max_length=64, examples=["TICKET-4711"])]


class NetworkState(BaseModel):
    """What the network confirmed last about a line, beside what the registry wants."""

    line: str
    registry_status: str
    network: dict[str, Any] | None


class CallbackTaken(BaseModel):
    """Where the order stands now."""

    order: str
    state: OrderState
