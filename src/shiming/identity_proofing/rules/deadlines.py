"""Days on which a proof stops being good enough: the person comes of age, the document expires.

Only these days are kept of a session, and of a grown person the first is not: of nobody but a minor can a
birthday be told from what is kept.
"""

from dataclasses import dataclass
from datetime import date

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.jurisdictions.model import Policy


@dataclass(frozen=True, slots=True)
class Deadlines:
    """None: there is none, or it could not be read."""

    majority_on: date | None = None
    document_expires_on: date | None = None  # the last day on which it holds


def deadlines_of(identity: ClaimedIdentity, policy: Policy, on: date) -> Deadlines:
    """Return the days that follow from a document, as seen on a day."""
    born = identity.birth_date
    of_age = None if born is None or born > on else birthday(born, policy.handover.age_years.value)
    return Deadlines(
        majority_on=of_age if of_age is not None and of_age > on else None,
        document_expires_on=None if identity.long_term else identity.valid_to,
    )


def birthday(born: date, years: int) -> date:
    """Return the day on which somebody has this age in whole years; 29 February becomes 1 March.

    >>> birthday(date(2008, 2, 29), 18)
    datetime.date(2026, 3, 1)
    """
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
