"""What the routes of organisations take and give."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shiming.infrastructure.http.page import Listing
from shiming.registrations.model.organisations import NAME_CHARACTERS_MAX, Organisation, OrganisationState
from shiming.registrations.use_cases.organisations import OrganisationFile


class NewOrganisation(BaseModel):
    """An organisation as the public register has it."""

    model_config = ConfigDict(extra="forbid")
    operator: Annotated[str | None, Field(max_length=32, examples=["cn-mobile"])] = None
    code: Annotated[str, Field(max_length=40, description="Code of the public register.")]
    name: Annotated[str, Field(max_length=NAME_CHARACTERS_MAX, description="Registered name.")]


class PersonNamed(BaseModel):
    """A person's name, for the vault; it is never given back."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX, repr=False)]


class HandlerNamed(BaseModel):
    """The session in which the handler was proven."""

    model_config = ConfigDict(extra="forbid")
    session: Annotated[str, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D"])]


class ResponsiblePerson(BaseModel):
    """Who answers for the lines: the session in which they were proven, or a name for the vault."""

    model_config = ConfigDict(extra="forbid")
    session: Annotated[str | None, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D"])] = None
    name: Annotated[str | None, Field(min_length=1, max_length=NAME_CHARACTERS_MAX, repr=False)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.session is None) == (self.name is None):
            msg = "give a session or a name, and not both"
            raise ValueError(msg)
        return self


class Suspension(BaseModel):
    """Why an organisation is suspended, as a code."""

    model_config = ConfigDict(extra="forbid")
    why: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$", examples=["resale_report"])]


class OrganisationListed(BaseModel):
    """An organisation in a list."""

    id: str
    operator: str
    code: str
    name: str
    state: OrganisationState
    created_at: datetime

    @classmethod
    def of(cls, organisation: Organisation) -> Self:
        """Return what is shown of it."""
        return cls(
            id=organisation.organisation_id,
            operator=organisation.operator,
            code=organisation.code,
            name=organisation.name,
            state=organisation.state,
            created_at=organisation.created_at,
        )


class OrganisationShown(BaseModel):
    """An organisation and how it stands; people are references."""

    id: str
    operator: str
    code: str
    name: str
    state: OrganisationState
    created_at: datetime
    handler_session: str | None
    power_of_attorney_until: datetime | None
    recorded: list[str]
    missing: list[dict[str, Any]]
    refusals: list[dict[str, Any]]
    suspended_why: str | None

    @classmethod
    def of(cls, file: OrganisationFile) -> Self:
        """Return what is shown of it."""
        organisation, standing = file.organisation, file.standing
        papers = {
            "licence": organisation.licence_evidence,
            "legal_representative": organisation.legal_representative_evidence,
            "handler": organisation.handler_session,
            "power_of_attorney": organisation.power_of_attorney_evidence,
            "responsible_person": organisation.responsible_evidence or organisation.responsible_session,
        }
        return cls(
            id=organisation.organisation_id,
            operator=organisation.operator,
            code=organisation.code,
            name=organisation.name,
            state=standing.state,
            created_at=organisation.created_at,
            handler_session=organisation.handler_session,
            power_of_attorney_until=organisation.power_of_attorney_until,
            recorded=[name for name, reference in papers.items() if reference],
            missing=[refusal.to_json() for refusal in standing.missing],
            refusals=[refusal.to_json() for refusal in standing.refusals],
            suspended_why=organisation.suspended_why,
        )


class Organisations(Listing):
    """A page of organisations."""

    items: list[OrganisationListed]
