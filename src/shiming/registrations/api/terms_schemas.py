"""What the routes about terms of service take and give."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.http.page import Listing
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.terms import ClauseChange, PublishedTerms
from shiming.registrations.model.terms_document import VersionName
from shiming.vocabulary.errors import Text

HASH = r"^sha256:[0-9a-f]{64}$"


class Acceptance(BaseModel):
    """Which version the customer accepted, by its name and its hash, and in which language it was shown."""

    model_config = ConfigDict(extra="forbid")
    version: VersionName
    content_hash: Annotated[str, Field(pattern=HASH, description="As GET /v1/terms gave it.")]
    language: Literal["zh", "en"]
    channel: Annotated[Channel | None, Field(description="Where; the order's if not given.")] = None


class AcceptanceShown(BaseModel):
    """An acceptance as the order carries it."""

    session: str
    version: str
    content_hash: str
    language: str
    channel: Channel
    accepted_at: datetime


class BothLanguages(BaseModel):
    """A text in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> "BothLanguages":
        """Return a text as it is shown."""
        return cls(zh=text.zh, en=text.en)


class ClauseShown(BothLanguages):
    """A named clause."""

    name: str


class TermsListed(BaseModel):
    """A version without its text."""

    operator: str
    version: str
    content_hash: str
    effective_from: date
    published_at: datetime
    title: BothLanguages


class TermsShown(TermsListed):
    """A version with its text."""

    clauses: list[ClauseShown]


class TermsList(Listing):
    """A page of versions, the one that takes effect last first."""

    items: list[TermsListed]


class ClauseChangeShown(BaseModel):
    """What became of one clause; null where it was not there."""

    name: str
    before: BothLanguages | None
    after: BothLanguages | None


class TermsChanges(BaseModel):
    """What changed between two versions."""

    operator: str
    before: str
    after: str
    changes: list[ClauseChangeShown]


def listed(published: PublishedTerms) -> TermsListed:
    """Return a version without its text."""
    terms = published.terms
    return TermsListed(
        operator=terms.operator,
        version=terms.version,
        content_hash=published.content_hash,
        effective_from=terms.effective_from,
        published_at=published.published_at,
        title=BothLanguages.of(terms.title),
    )


def shown(published: PublishedTerms) -> TermsShown:
    """Return a version with its text."""
    clauses = [
        ClauseShown(name=clause.name, zh=clause.text.zh, en=clause.text.en)
        for clause in published.terms.clauses
    ]
    return TermsShown(**listed(published).model_dump(), clauses=clauses)


def change_shown(change: ClauseChange) -> ClauseChangeShown:
    """Return one change."""
    before, after = (
        None if text is None else BothLanguages.of(text) for text in (change.before, change.after)
    )
    return ClauseChangeShown(name=change.name, before=before, after=after)
