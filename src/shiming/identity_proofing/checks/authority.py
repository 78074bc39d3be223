"""What the national identity authority says of the claimed person."""

from shiming.identity_proofing.checks.finding import Finding, conclude, failed, unavailable
from shiming.identity_proofing.model.decision import CheckResult
from shiming.identity_proofing.model.evidence import (
    AuthorityAnswer,
    AuthorityEvidence,
    Evidence,
    PortraitAnswer,
)
from shiming.jurisdictions.model import CheckName, Policy

_REFUSALS = {
    AuthorityAnswer.MISMATCH: "AUTHORITY_MISMATCH",
    AuthorityAnswer.UNKNOWN_PERSON: "AUTHORITY_MISMATCH",
    AuthorityAnswer.CARD_EXPIRED: "CARD_EXPIRED",
    AuthorityAnswer.CARD_LOST: "CARD_LOST",
}
_SILENCE = {
    AuthorityAnswer.UNREACHABLE: "AUTHORITY_UNREACHABLE",
    AuthorityAnswer.NOT_ASKED: "AUTHORITY_NOT_ASKED",
}


def check_authority(evidence: Evidence, policy: Policy) -> CheckResult:
    """Judge the authority's answer about number, name and document.

    (1) a match passes  (2) a mismatch, an expired or a lost card refuses  (3) silence is no answer: people
    look, or the program asks again later, as the policy says - it never passes
    """
    rules, answer = policy.authority, _answer(evidence.authority)
    findings: list[Finding] = []
    if answer in _REFUSALS:
        findings.append(failed(_REFUSALS[answer], rules.attributes.citation))
    elif answer in _SILENCE:
        findings.append(unavailable(_SILENCE[answer], rules.unreachable_outcome.citation))
    return conclude(
        CheckName.AUTHORITY.value,
        findings,
        measurements={
            "answer": answer.value,
            "portrait": (
                evidence.authority.portrait if evidence.authority else PortraitAnswer.NOT_COMPARED
            ).value,
            "detail": evidence.authority.detail if evidence.authority else "",
        },
    )


def _answer(authority: AuthorityEvidence | None) -> AuthorityAnswer:
    return authority.answer if authority else AuthorityAnswer.NOT_ASKED
