"""Organisations: what is recorded of one, and what it may do now.

Its code and its registered name are public and stand in clear. Names of people - legal representative,
responsible person - are only in the vault; here are references to them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.reference_numbers import ReferenceNumber
from shiming.vocabulary.refusals import Refusal

#: References of organisations are read aloud as ORG; the alphabet of references has no letter O of its own.
REFERENCE_KIND = "RG"
NAME_CHARACTERS_MAX = 200  # registered names are far shorter


class OrganisationState(StrEnum):
    """Where an organisation stands."""

    DRAFT = "draft"  # something that the law wants is missing
    COMPLETE = "complete"
    SUSPENDED = "suspended"  # no new lines: a resale report, an order of the regulator
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A legal person or another body that holds lines; `version` counts its changes."""

    organisation_id: str  # ORG-...
    operator: str
    code: str  # of the public register
    name: str  # of the public register
    state: OrganisationState
    created_at: datetime
    licence_evidence: str | None = None
    legal_representative_evidence: str | None = None
    handler_session: str | None = None
    handler_subject: str | None = None
    power_of_attorney_evidence: str | None = None
    power_of_attorney_from: datetime | None = None
    power_of_attorney_until: datetime | None = None
    responsible_evidence: str | None = None  # the name, where the person is named
    responsible_session: str | None = None  # where the person is proven
    suspended_why: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class OrganisationStanding:
    """What an organisation may do now, and every reason why it may not."""

    organisation_id: str
    operator: str
    state: OrganisationState
    missing: tuple[Refusal, ...]  # what has to be brought
    power_of_attorney_until: datetime | None
    expired: Refusal | None  # the authority of the handler has run out
    blocked: Refusal | None  # suspended or closed
    handler_session: str | None = None
    handler_subject: str | None = None
    power_of_attorney_evidence: str | None = None

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every reason why it gets no line now; empty: it may."""
        stops = (each for each in (self.blocked, self.expired) if each is not None)
        return (*stops, *self.missing)


def organisation_reference(random_part: str) -> str:
    """Return the reference of a new organisation from a fresh reference of `REFERENCE_KIND`.

    >>> organisation_reference("RG-0082-0C20-A1G7-7")
    'ORG-0082-0C20-A1G7-7'
    """
    return "O" + random_part


def read_organisation_reference(text: str) -> str:
    """Return a typed reference in its canonical form; raise BadInput."""
    compact = text.strip().upper()
    if compact[:1] not in {"O", "0"}:
        raise BadInput(
            "ORGANISATION_REFERENCE",
            Text(zh="这不是单位编号。", en="This is no reference of an organisation."),
            Text(zh="单位编号以ORG开头。", en="It begins with ORG."),
        )
    return organisation_reference(str(ReferenceNumber.parse(compact[1:], prefix=REFERENCE_KIND)))
