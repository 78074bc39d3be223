"""Decide what follows from a report that a line was sold, rented out or lent."""

from collections.abc import Mapping

from shiming.jurisdictions.model import StopReason, TransferPolicy
from shiming.transfers.errors.private_transfer import PrivateTransferRefusal as Code
from shiming.transfers.model.outcomes import TransferAllowed, TransferRefused
from shiming.transfers.model.private_transfer import CaseState, CaseStep, Sanction, TransferCase
from shiming.vocabulary.refusals import Refusal

#: Where a pack names no other: proven, it is treated as what the dealers of cards do it for.
STOP = StopReason.FRAUD
STEPS: Mapping[tuple[CaseState, CaseStep], CaseState] = {
    (CaseState.OPEN, CaseStep.ASSESS): CaseState.ASSESSED,
    (CaseState.ASSESSED, CaseStep.SANCTION): CaseState.SANCTIONED,
    (CaseState.ASSESSED, CaseStep.DISMISS): CaseState.DISMISSED,
    (CaseState.SANCTIONED, CaseStep.APPEAL): CaseState.APPEALED,
    (CaseState.APPEALED, CaseStep.UPHOLD): CaseState.LIFTED,
    (CaseState.APPEALED, CaseStep.REJECT): CaseState.SANCTIONED,
}


def decide_report(policy: TransferPolicy) -> TransferAllowed | TransferRefused:
    """Say whether there is anything to report under these rules."""
    forbidden = policy.private_transfer_allowed
    if forbidden.value:
        return TransferRefused((Refusal(Code.PRIVATE_TRANSFER_ALLOWED, forbidden.citation),))
    return TransferAllowed()


def decide_case_step(
    case: TransferCase, step: CaseStep, policy: TransferPolicy, *, by: str, holder: str | None
) -> CaseState | TransferRefused:
    """Return where a step leads. `by`: who takes it; `holder`: who holds the line now."""
    citation = policy.private_transfer_allowed.citation
    reasons = []
    following = STEPS.get((case.state, step))
    if following is None:
        reasons.append(Refusal(Code.TRANSFER_CASE_STATE, citation))
    if step in {CaseStep.UPHOLD, CaseStep.REJECT} and by == case.sanctioned_by:
        reasons.append(Refusal(Code.TRANSFER_CASE_OWN_JUDGE, citation))
    if step is CaseStep.SANCTION and holder != case.subject:
        reasons.append(Refusal(Code.TRANSFER_HOLDER_CHANGED, citation))
    if reasons or following is None:
        return TransferRefused(tuple(reasons))
    return following


def decide_sanction(policy: TransferPolicy) -> Sanction:
    """Say how the line of a proven private transfer is stopped."""
    stop = policy.private_transfer_stop
    if stop is None:
        return Sanction(STOP, policy.private_transfer_allowed.citation)
    return Sanction(stop.value, stop.citation)


def explain_sanction(policy: TransferPolicy) -> Refusal:
    """Return the reason that the holder is told, with the remedy as its next step."""
    return Refusal(Code.PRIVATE_TRANSFER, policy.private_transfer_allowed.citation)
