"""Whether terms may be published and an acceptance counts, and what changed between two versions."""

from collections.abc import Iterable, Iterator
from datetime import date

from shiming.jurisdictions.model import ContractPolicy
from shiming.registrations.errors.contracts import TermsRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.terms import (
    TRANSFER_CLAUSE,
    AcceptTerms,
    ClauseChange,
    PublishedTerms,
    Terms,
)
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode, Refusal


def decide_publishing(
    terms: Terms, published: Iterable[PublishedTerms], policy: ContractPolicy, *, today: date
) -> tuple[Refusal, ...]:
    """Return every reason against publishing; `published` are the operator's versions so far."""
    citation = policy.transfer_clause_required.citation
    earlier = tuple(published)
    refusals = []
    if policy.transfer_clause_required.value and terms.clause(TRANSFER_CLAUSE) is None:
        refusals.append(TermsRefusal.TRANSFER_CLAUSE_MISSING)
    if any(each.terms.version == terms.version for each in earlier):
        refusals.append(TermsRefusal.TERMS_VERSION_PUBLISHED)
    elif any(each.terms.effective_from == terms.effective_from for each in earlier):
        refusals.append(TermsRefusal.TERMS_DATE_TAKEN)
    if terms.effective_from < today:
        refusals.append(TermsRefusal.TERMS_EFFECTIVE_IN_PAST)
    return tuple(Refusal(code, citation) for code in refusals)


def terms_in_force(published: Iterable[PublishedTerms], *, today: date) -> PublishedTerms | None:
    """Return the version that took effect last; one for a later day waits."""
    effective = [each for each in published if each.terms.effective_from <= today]
    return max(effective, key=lambda each: each.terms.effective_from, default=None)


def decide_acceptance(
    wanted: AcceptTerms,
    named: PublishedTerms | None,
    current: PublishedTerms | None,
    policy: ContractPolicy,
    *,
    completed: bool,
) -> tuple[Refusal, ...]:
    """Return every reason why an acceptance does not count; `named` is the version that it names."""
    refusals = []
    if completed:
        refusals.append(TermsRefusal.ORDER_COMPLETED)
    if current is None:
        refusals.append(TermsRefusal.TERMS_NOT_PUBLISHED)
    if named is None:
        refusals.append(TermsRefusal.TERMS_VERSION_UNKNOWN)
    else:
        if named != current:
            refusals.append(TermsRefusal.TERMS_VERSION_NOT_CURRENT)
        if named.content_hash != wanted.content_hash:
            refusals.append(TermsRefusal.TERMS_CONTENT_DIFFERS)
    return tuple(Refusal(code, policy.transfer_clause_required.citation) for code in refusals)


def decide_still_agreed(agreed: TermsAcceptance | None, in_force: str | None) -> Iterator[ReasonCode]:
    """Yield why a line cannot be opened under what was agreed; `in_force`: hash of the terms of today."""
    if agreed is None:
        yield OrderRefusal.TERMS_NOT_ACCEPTED
    elif in_force is not None and agreed.content_hash != in_force:  # newer ones took effect since
        yield TermsRefusal.TERMS_VERSION_NOT_CURRENT


def changes_between(before: Terms, after: Terms) -> tuple[ClauseChange, ...]:
    """Return what changed, in the order of the later version; what fell away comes last."""
    names = [clause.name for clause in after.clauses]
    names += [clause.name for clause in before.clauses if clause.name not in names]
    changes = []
    for name in names:
        was, now = _text_of(before, name), _text_of(after, name)
        if was != now:
            changes.append(ClauseChange(name, was, now))
    return tuple(changes)


def _text_of(terms: Terms, name: str) -> Text | None:
    clause = terms.clause(name)
    return None if clause is None else clause.text
