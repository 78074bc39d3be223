"""How a check concludes: the worst of its findings, with all reasons and the figures it looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shiming.identity_proofing.model.decision import CheckOutcome, CheckResult, Figure
from shiming.identity_proofing.model.reasons import reason
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import Cited

_WORST_FIRST = (CheckOutcome.FAILED, CheckOutcome.ABSENT, CheckOutcome.UNCLEAR, CheckOutcome.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that speaks against passing. `retry`: giving that evidence again may settle it."""

    outcome: CheckOutcome
    code: str
    citation: str
    retry: EvidenceKind | None = None


def failed(code: str, citation: str) -> Finding:
    """Find that the evidence contradicts the claim."""
    return Finding(CheckOutcome.FAILED, code, citation)


def unclear(code: str, citation: str, retry: EvidenceKind | None = None) -> Finding:
    """Find that the evidence does not settle it."""
    return Finding(CheckOutcome.UNCLEAR, code, citation, retry)


def unavailable(code: str, citation: str) -> Finding:
    """Find that it could not be measured."""
    return Finding(CheckOutcome.UNAVAILABLE, code, citation)


def absent(code: str, citation: str, retry: EvidenceKind | None = None) -> Finding:
    """Find that nothing was given."""
    return Finding(CheckOutcome.ABSENT, code, citation, retry)


def conclude(
    check: str,
    findings: Sequence[Finding],
    *,
    measurements: Mapping[str, Figure] | None = None,
    thresholds: Mapping[str, Cited[float] | Cited[int]] | None = None,
) -> CheckResult:
    """Return the result of a check: passed if nothing was found, otherwise its worst finding."""
    outcome = next(
        (worst for worst in _WORST_FIRST if any(f.outcome is worst for f in findings)), CheckOutcome.PASSED
    )
    retry = next((f.retry for f in findings if f.retry), None)
    return CheckResult(
        check=check,
        outcome=outcome,
        reasons=tuple(dict.fromkeys(reason(f.code, f.citation) for f in findings)),
        measurements=dict(measurements or {}),
        thresholds={name: cited.value for name, cited in (thresholds or {}).items()},
        retry=retry.value if retry and outcome is not CheckOutcome.FAILED else None,
        rule=f"checks.{check}",
    )
