"""What the routes of enterprise contracts, their lines and links take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.jurisdictions.model import ProductClass, Route
from shiming.registrations.model.enterprise_lines import (
    LINES_CONFIRMED_MAX,
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    LineUse,
    LinkMade,
    LinkSent,
    LinkShown,
)
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.use_cases.actual_user_links import LINKS_AT_ONCE_MAX

Number = Annotated[str, Field(max_length=64, examples=["+8613800138000"])]


class NewContract(BaseModel):
    """For which organisation, and how many lines it wants."""

    model_config = ConfigDict(extra="forbid")
    organisation: Annotated[str, Field(max_length=40, examples=["ORG-0082-0C20-A1G7-7"])]
    lines: Annotated[int, Field(ge=1, le=LINES_CONFIRMED_MAX)]
    terms: Annotated[str | None, Field(max_length=40, description="Version that was accepted.")] = None
    language: Literal["zh", "en"] = "zh"


class TermsNamed(BaseModel):
    """Which terms the handler agreed to, and in which language they were shown."""

    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(min_length=1, max_length=40, examples=["2026-01"])]
    language: Literal["zh", "en"] = "zh"


class ContractShown(BaseModel):
    """A contract and how much of it is used."""

    id: str
    organisation: str
    operator: str
    handler_session: str
    lines_confirmed: int
    lines_entered: int
    terms: str | None
    created_at: datetime

    @classmethod
    def of(cls, contract: EnterpriseContract) -> Self:
        """Return what is shown of it."""
        return cls(
            id=contract.contract_id,
            organisation=contract.organisation,
            operator=contract.operator,
            handler_session=contract.handler_session,
            lines_confirmed=contract.lines_confirmed,
            lines_entered=contract.lines_entered,
            terms=contract.terms.version if contract.terms else None,
            created_at=contract.created_at,
        )


class EnterpriseLineShown(BaseModel):
    """A line of a contract; its user is a reference."""

    number: str
    kind: LineKind
    product_class: ProductClass
    user: str
    state: EnterpriseLineState
    entered_at: datetime
    line: str | None
    session: str | None
    vacated_until: datetime | None

    @classmethod
    def of(cls, line: EnterpriseLine) -> Self:
        """Return what is shown of it."""
        return cls(
            number=line.number,
            kind=line.kind,
            product_class=line.product_class,
            user=line.user_reference,
            state=line.state,
            entered_at=line.entered_at,
            line=line.line_id,
            session=line.session_id,
            vacated_until=line.vacated_until,
        )


class EnterpriseLines(Listing):
    """A page of lines, by number."""

    items: list[EnterpriseLineShown]


class ImportShown(BaseModel):
    """What an import came to: counts, and line, column and reason of the first bad rows."""

    id: str
    contract: str
    file_hash: str
    entered: int
    known: int
    refused: int
    rows: list[dict[str, Any]]
    repeated: bool


class NumbersNamed(BaseModel):
    """Lines to make links for; without numbers the next ones that have none."""

    model_config = ConfigDict(extra="forbid")
    numbers: Annotated[list[Number] | None, Field(max_length=LINKS_AT_ONCE_MAX)] = None


class NumberNamed(BaseModel):
    """One line of the contract."""

    model_config = ConfigDict(extra="forbid")
    number: Annotated[Number, Field(repr=False)]


class CardNamed(NumberNamed):
    """The card of one line."""

    iccid: Annotated[str, Field(max_length=30, examples=["89860112851234567891"])]


class UserNamed(NumberNamed):
    """The verified session of the user of one line."""

    session: Annotated[str, Field(max_length=64, examples=["SES-0082-0C20-A1G7-D"])]


class LinkGiven(BaseModel):
    """A link: on its way to the contact by `notice`, or shown this once: `/v1/actual-user-links/{token}`."""

    number: str
    user: str
    token: Annotated[str | None, Field(repr=False)]
    notice: str | None
    expires_at: datetime

    @classmethod
    def of(cls, link: LinkMade) -> Self:
        """Return what is given out."""
        return cls(
            number=link.number,
            user=link.user_reference,
            token=link.token or None,
            notice=link.notice_id,
            expires_at=link.expires_at,
        )


class LinksGiven(BaseModel):
    """New links."""

    links: list[LinkGiven]


class LinkSentShown(BaseModel):
    """A link that is to be used, and how far its notice came; no notice: it was given to whoever asked."""

    number: str
    user: str
    made_at: datetime
    expires_at: datetime
    session: str | None
    notice: str | None
    state: NoticeState | None
    why: str | None

    @classmethod
    def of(cls, link: LinkSent) -> Self:
        """Return what is shown of it."""
        return cls(
            number=link.number,
            user=link.user_reference,
            made_at=link.made_at,
            expires_at=link.expires_at,
            session=link.session_id,
            notice=link.notice_id,
            state=link.state,
            why=link.failure,
        )


class LinksSent(Listing):
    """A page of links that are to be used."""

    items: list[LinkSentShown]


class ActualUserShown(BaseModel):
    """The registered line and which of its users this one is, counted from 1."""

    line: str
    position: int


class LineUseShown(BaseModel):
    """Somebody's time with a line."""

    position: int
    user: str
    session: str
    holder: Annotated[str, Field(description="Pseudonym of the person.")]
    used_from: datetime
    used_to: datetime | None

    @classmethod
    def of(cls, use: LineUse) -> Self:
        """Return what is shown of it."""
        return cls(
            position=use.position,
            user=use.user_reference,
            session=use.session_id,
            holder=use.subject,
            used_from=use.used_from,
            used_to=use.used_to,
        )


class LineUses(BaseModel):
    """Who used a line, first to last."""

    uses: list[LineUseShown]


class LinkContent(BaseModel):
    """What whoever opens a link sees before anything happens."""

    organisation: str
    number: Annotated[str, Field(description="Masked.")]
    what_happens: dict[str, str]
    expires_at: datetime
    session: str | None

    @classmethod
    def of(cls, shown: LinkShown) -> Self:
        """Return what is shown of it."""
        name, number = shown.organisation_name, shown.number_masked
        return cls(
            organisation=name,
            number=number,
            what_happens={
                "zh": f"{name} 为您登记一个号码（{number}），您将被记录为实际使用人。需核验证件和本人面部；"
                "核验后该号码开通，归属单位。",
                "en": f"{name} has a line for you ({number}); you will be recorded as its actual user. Your "
                "document and face are checked; then the line is opened. It belongs to the organisation.",
            },
            expires_at=shown.expires_at,
            session=shown.session_id,
        )


class LinkYes(BaseModel):
    """The user's yes to this line, and how they prove themselves."""

    model_config = ConfigDict(extra="forbid")
    confirmed: Annotated[bool, Field(description="Yes: this line is opened for me, and no other.")]
    category: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")] = "adult"
    route: Route = Route.STANDARD


class LinkSessionShown(BaseModel):
    """The session that the link opened."""

    session: str
    expires_at: datetime
