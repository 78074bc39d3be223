"""The pretended authority's strict comparison: all attributes that were sent agree, or the answer is no."""

from collections.abc import Callable
from pathlib import Path

from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.sandbox_authority.population import LONG_TERM, CardStatus, PersonRecord
from shiming.vocabulary.person_name import normal_form

#: Says whether the portrait that was sent (JPEG) shows the person of the portrait on record, one to one.
Comparer = Callable[[bytes, Path], bool]


def verify_attributes(
    record: PersonRecord,
    *,
    name: str | None,
    birth_date: str | None,
    valid_to: str | None,
    portrait: bytes | None,
    compare: Comparer,
    on: str,
) -> AuthorityAnswer:
    """Answer about one person.

    (1) the card is not reported lost  (2) nor expired on the day  (3) every attribute sent is the one on
    record  (4) so is the face, when a portrait was sent
    """
    known_until = str(record.valid_to) if record.valid_to else None
    if record.status is CardStatus.LOST:
        return AuthorityAnswer.CARD_LOST
    expired = known_until not in {None, LONG_TERM} and str(known_until) < on
    if record.status is CardStatus.EXPIRED or expired:
        return AuthorityAnswer.CARD_EXPIRED
    agrees = (
        name is None or normal_form(name) == normal_form(record.name),
        birth_date is None or record.birth_date is None or birth_date == record.birth_date.isoformat(),
        valid_to is None or known_until is None or valid_to == known_until,
        portrait is None or (record.portrait is not None and compare(portrait, record.portrait)),
    )
    return AuthorityAnswer.MATCH if all(agrees) else AuthorityAnswer.MISMATCH
