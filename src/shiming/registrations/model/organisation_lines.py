"""Lines that an organisation opens with one proof of its handler: what is known, and what is wanted."""

from dataclasses import dataclass

from shiming.registrations.model.lines import LineIdentifier, SimForm
from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class OrganisationStanding:
    """What the rules about organisations say of one that opens lines; decided before, by their own rules."""

    organisation: str  # ORG-...
    lines_confirmed: int  # lines that its handler confirmed with this session, those open already included
    refusals: tuple[Refusal, ...] = ()  # every reason why it may open none now


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One line that is wanted; everything else is as the order of the session says."""

    identifier: LineIdentifier
    iccid: str | None = None
    imsi: str | None = None
    sim_form: SimForm | None = None
