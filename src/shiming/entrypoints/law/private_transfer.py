"""Scenarios about lines that were sold, rented out, lent or resold."""

from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.private_transfer import CaseState, CaseStep, PrivateTransferKind, TransferCase
from shiming.transfers.rules.private_transfer import (
    decide_case_step,
    decide_report,
    decide_sanction,
    explain_sanction,
)


class Given(BaseModel):
    """The facts of a scenario; without a step it is about the report itself."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", " ")
    )

    date: date
    kind: PrivateTransferKind = PrivateTransferKind.SALE
    case: CaseState = CaseState.OPEN
    step: CaseStep | None = None
    decided_by_who_sanctioned: bool = False
    holder_changed: bool = False


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts; a sanction says its stop, its reason and what it cites."""
    rules = policy.transfers
    if given.step is None:
        report = decide_report(rules)
        return refused(report.refusals) if isinstance(report, TransferRefused) else accepted(case="open")
    opened = datetime.combine(given.date, time(12), tzinfo=UTC)
    case = TransferCase(
        case_id="TRC",
        line_id="REG",
        operator="operator",
        subject="holder",
        kind=given.kind,
        state=given.case,
        version=1,
        reports=1,
        opened_at=opened,
        sanctioned_by="ACC-1",
    )
    by = "ACC-1" if given.decided_by_who_sanctioned else "ACC-2"
    holder = "another" if given.holder_changed else "holder"
    following = decide_case_step(case, given.step, rules, by=by, holder=holder)
    if isinstance(following, TransferRefused):
        return refused(following.refusals)
    if given.step is not CaseStep.SANCTION:
        return accepted(case=following.value)
    why, sanction = explain_sanction(rules), decide_sanction(rules)
    told = {"code": why.code.value, "cites": why.citation}
    return accepted(case=following.value, stop=sanction.stop.value, told=told)
