"""Decide whether new terms are announced in time, and which step a campaign can take."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shiming.jurisdictions.model import TransferPolicy
from shiming.transfers.errors.terms_upgrade import TermsUpgradeRefusal as Code
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.model.terms_upgrade import CampaignState, CampaignStep
from shiming.vocabulary.refusals import Refusal

STEPS: Mapping[tuple[CampaignState, CampaignStep], CampaignState] = {
    (CampaignState.DRAFT, CampaignStep.START): CampaignState.RUNNING,
    (CampaignState.DRAFT, CampaignStep.CANCEL): CampaignState.CANCELLED,
    (CampaignState.RUNNING, CampaignStep.FINISH): CampaignState.DONE,
    (CampaignState.RUNNING, CampaignStep.CANCEL): CampaignState.CANCELLED,
}


def decide_announcement(
    policy: TransferPolicy, *, notify_by: datetime, takes_effect_at: datetime, now: datetime
) -> TransferAllowed | TransferRefused:
    """Say whether holders hear of the terms long enough before they take effect."""
    days = policy.terms_notice_days
    reasons = []
    if notify_by <= now:
        reasons.append(Refusal(Code.TERMS_NOTICE_DATE_PAST, days.citation))
    if takes_effect_at - notify_by < timedelta(days=days.value):
        reasons.append(Refusal(Code.TERMS_NOTICE_TOO_SHORT, days.citation))
    return TransferRefused(tuple(reasons)) if reasons else TransferAllowed()


def decide_campaign_step(
    state: CampaignState, step: CampaignStep, policy: TransferPolicy
) -> CampaignState | TransferRefused:
    """Return where a step leads."""
    following = STEPS.get((state, step))
    if following is None:
        citation = policy.terms_notice_days.citation
        return TransferRefused((Refusal(Code.TERMS_CAMPAIGN_STATE, citation),))
    return following
