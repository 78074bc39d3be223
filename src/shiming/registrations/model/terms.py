"""Terms of service: named clauses in both languages, by version; and how publishing and accepting end."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shiming.jurisdictions.model import Channel
from shiming.registrations.model.orders import TermsAcceptance
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

#: The clause that forbids to pass the line on; the law asks for it by its content, we by this name.
TRANSFER_CLAUSE = "transfer_and_resale"
KIND = "terms_of_service"


@dataclass(frozen=True, slots=True)
class Clause:
    """One named part of the terms."""

    name: str
    text: Text


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator's customers agree to, from a day on."""

    operator: str
    version: str
    effective_from: date
    title: Text
    clauses: tuple[Clause, ...]

    def clause(self, name: str) -> Clause | None:
        """Return the clause of this name."""
        return next((clause for clause in self.clauses if clause.name == name), None)

    def content(self) -> dict[str, Any]:
        """Return what the hash is taken over: everything that the customer is shown, in its order."""
        return {
            "kind": KIND,
            "operator": self.operator,
            "version": self.version,
            "effective_from": self.effective_from.isoformat(),
            "title": self.title.to_json(),
            "clauses": [{"name": clause.name, **clause.text.to_json()} for clause in self.clauses],
        }


@dataclass(frozen=True, slots=True)
class PublishedTerms:
    """Terms as they were published; they never change and are never deleted."""

    terms: Terms
    content_hash: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """What became of one clause between two versions: `before` or `after` is None where it was not there."""

    name: str
    before: Text | None
    after: Text | None


@dataclass(frozen=True, slots=True)
class AcceptTerms:
    """The command: the person of this session accepted these terms, as they were shown."""

    session_id: str
    version: str
    content_hash: str
    language: str  # zh or en: the one that was shown
    channel: Channel | None = None  # None: the order's


@dataclass(frozen=True, slots=True)
class TermsPublished:
    """The terms stand. `repeated`: they stood already, word for word."""

    published: PublishedTerms
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class TermsAccepted:
    """The order carries the acceptance. `repeated`: it did already."""

    acceptance: TermsAcceptance
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class TermsRefused:
    """Nothing was published or accepted, for all these reasons."""

    refusals: tuple[Refusal, ...]
