"""Decide what follows a failed attempt at a piece of evidence."""

from dataclasses import dataclass
from enum import StrEnum

from shiming.jurisdictions.model import AfterAttempts, Policy, Route


class EvidenceKind(StrEnum):
    """Evidence that a person gives and may have to give again."""

    DOCUMENT = "document"
    CLIP = "clip"
    DIGITS = "digits"


@dataclass(frozen=True, slots=True)
class AttemptsLeft:
    """The same evidence may be given `left` more times; `routes` are offered beside it."""

    left: int
    routes: tuple[Route, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class AttemptsUsedUp:
    """The evidence is not asked for again this way: `then` follows. Never a refusal by itself."""

    then: AfterAttempts
    citation: str


def decide_next_attempt(evidence: EvidenceKind, failed: int, policy: Policy) -> AttemptsLeft | AttemptsUsedUp:
    """Decide after `failed` attempts that did not succeed."""
    limits, after = {
        EvidenceKind.DOCUMENT: (policy.attempts.document, policy.attempts.after_document),
        EvidenceKind.CLIP: (policy.attempts.clip, policy.attempts.after_clip),
        EvidenceKind.DIGITS: (policy.attempts.digits, policy.attempts.after_digits),
    }[evidence]
    left = limits.value - failed
    if left <= 0:
        return AttemptsUsedUp(after.value, after.citation)
    return AttemptsLeft(left, routes_offered(failed, policy), limits.citation)


def routes_offered(failed: int, policy: Policy) -> tuple[Route, ...]:
    """Return the routes that are offered unasked after `failed` attempts; any may be asked for at once."""
    ways = policy.routes
    return tuple(
        route for route in Route if route in ways and ways[route].offer_after_attempts.value <= failed
    )
