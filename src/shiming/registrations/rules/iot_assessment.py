"""Decide whether a company's security assessment carries a contract for industry cards."""

from datetime import datetime, timedelta

from shiming.jurisdictions.model import IotPolicy
from shiming.registrations.errors.iot import IotContractRefusal
from shiming.registrations.model.iot import Assessment, AssessmentResult
from shiming.vocabulary.refusals import Refusal


def assessment_refusals(
    latest: Assessment | None, policy: IotPolicy, *, now: datetime
) -> tuple[Refusal, ...]:
    """Say why the latest assessment does not hold; nothing when it does, or when none is required."""
    required = policy.assessment_required
    if not required.value:
        return ()
    if latest is None or latest.assessed_at > now:
        return (Refusal(IotContractRefusal.IOT_ASSESSMENT_MISSING, required.citation),)
    refusals = []
    if latest.result is not AssessmentResult.PASSED:
        refusals.append(Refusal(IotContractRefusal.IOT_ASSESSMENT_FAILED, required.citation))
    if now >= latest.assessed_at + timedelta(days=policy.assessment_days.value):
        refusals.append(Refusal(IotContractRefusal.IOT_ASSESSMENT_EXPIRED, policy.assessment_days.citation))
    return tuple(refusals)
