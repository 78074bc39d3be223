"""Acting for somebody else: what is known of the one who acts, and how naming them can end."""

from dataclasses import dataclass

from shiming.registrations.model.orders import Representative
from shiming.registrations.model.registration import ProvenSession
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class RepresentationFacts:
    """Who acts for the holder of one order, as it stood at one moment."""

    operator: str
    order: str  # the holder's session, which the order is known by
    category: str | None  # of the holder, as proven; None: an organisation
    holder: str | None  # pseudonym of the holder
    representative: Representative | None = None
    session: ProvenSession | None = None  # the representative's own
    session_category: str | None = None
    identity_recorded: bool = False  # the representative's document stands in the vault
    authority_recorded: bool = False  # the document that entitles them, likewise, for this order
    principals: int = 0  # other people whom this proxy acts for within the days of the policy


@dataclass(frozen=True, slots=True)
class RepresentativeNamed:
    """The order has a representative. `repeated`: it had this one already."""

    order: str
    representative: Representative
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class RepresentationRefused:
    """The representative was not taken, for all these reasons."""

    refusals: tuple[Refusal, ...]
