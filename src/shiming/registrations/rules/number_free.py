"""Decide whether a number can be given out: it belongs to the plan, and nobody holds it."""

from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.lines import LineIdentifier
from shiming.registrations.model.registration import NumberFree, NumberRefused, RegistrationPolicy
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal


def decide_number_free(
    number: LineIdentifier, held_by: str | None, policy: RegistrationPolicy
) -> NumberFree | NumberRefused:
    """May this number be given out? `held_by` is the line that uses it now."""
    if isinstance(number, Msisdn) and policy.number_regions and number.region not in policy.number_regions:
        return NumberRefused(Refusal(RefusalCode.NUMBER_INVALID, policy.number_citation))
    if held_by is not None:
        return NumberRefused(Refusal(RefusalCode.NUMBER_TAKEN, policy.number_citation))
    return NumberFree()
