"""What the routes of registrations take and give: a description of its own, apart from the model."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.registrations.model.lines import LineKind, LineStatus


class NewRegistration(BaseModel):
    """Which number, at which operator, for the person of which proofing session."""

    model_config = ConfigDict(extra="forbid")
    operator: Annotated[
        str, Field(max_length=32, description="Code of the operator.", examples=["cn-mobile"])
    ]
    number: Annotated[
        str,
        Field(
            max_length=70,
            description="E.164, or the account of internet access.",
            examples=["+8613800138000"],
        ),
    ]
    session: Annotated[str, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D"])]


class Termination(BaseModel):
    """Why a line ends, as a code."""

    model_config = ConfigDict(extra="forbid")
    why: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$", examples=["holder_asked"])]


class Registration(BaseModel):
    """A line and its registration; the holder is a pseudonym."""

    id: str
    number: str
    operator: str
    kind: LineKind
    product_class: str
    status: LineStatus
    holder: str
    session: str
    registered_at: datetime
    terminated_at: datetime | None
    terminated_why: str | None


class Registrations(Listing):
    """A page of lines, oldest first."""

    items: list[Registration]
