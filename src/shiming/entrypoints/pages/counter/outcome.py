"""A decision in plain words: the outcome, each reason with its rule, and what can be done next."""

from dataclasses import dataclass
from typing import Any

from shiming.entrypoints.pages.counter.journey import VERIFIED, Standing
from shiming.entrypoints.pages.counter.offers import term
from shiming.identity_proofing.model.session import EvidenceKind
from shiming.jurisdictions.model import Policy
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

_CAPTURES = {
    EvidenceKind.DOCUMENT.value: "document",
    EvidenceKind.CLIP.value: "person",
    EvidenceKind.DIGITS.value: "person",
}


@dataclass(frozen=True, slots=True)
class ReasonShown:
    """One reason: what happened, what to do, and where the rule is written."""

    code: str
    text: Text
    advice: Text
    citation: Text


@dataclass(frozen=True, slots=True)
class OutcomeShown:
    """A decision as the result page shows it. `again`: the page of the step to repeat."""

    outcome: str
    level: str | None
    reasons: tuple[ReasonShown, ...]
    by_whom: str | None
    again: str | None
    left: int
    other_routes: tuple[Text, ...]

    @property
    def verified(self) -> bool:
        """Whether the person is proven."""
        return self.outcome == VERIFIED


def outcome_of(standing: Standing) -> OutcomeShown:
    """Return the decision of a journey in words."""
    decision = standing.decision or {}
    policy = standing.policy
    return OutcomeShown(
        outcome=decision["outcome"],
        level=decision.get("level"),
        reasons=tuple(_reason(each, policy) for each in decision["reasons"]),
        by_whom=decision.get("by_whom"),
        again=_CAPTURES.get(decision.get("what") or ""),
        left=int(decision.get("left") or 0),
        other_routes=tuple(term(f"Route.{route}") for route in decision.get("routes", ())),
    )


def refusals_shown(refusals: tuple[Refusal, ...], policy: Policy) -> tuple[ReasonShown, ...]:
    """Return refusals as a clerk reads them."""
    return tuple(
        ReasonShown(
            each.code.value, each.words.clerk, each.words.next_step, citation_of(each.citation, policy)
        )
        for each in refusals
    )


def citation_of(citation: str, policy: Policy) -> Text:
    """Return the provision in words; as it is where the pack names no such article."""
    try:
        return Text(zh=policy.cite(citation, "zh"), en=policy.cite(citation, "en"))
    except KeyError:
        return Text(zh=citation, en=citation)


def _reason(reason: dict[str, Any], policy: Policy) -> ReasonShown:
    return ReasonShown(
        reason["code"],
        Text(**reason["text"]),
        Text(**reason["advice"]),
        citation_of(reason["citation"], policy),
    )
