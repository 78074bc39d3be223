"""Scenarios about those who act for the holder of an order: proxies of adults, guardians of minors."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy
from shiming.registrations.model.orders import Relation, Representative, RepresentativeRole
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.model.representation import RepresentationFacts
from shiming.registrations.rules.representation import decide_representation

_NOON = time(12, tzinfo=UTC)
_HERE, _ELSEWHERE = "here", "elsewhere"
_ORDER, _HOLDER, _SOMEBODY = "SES-HOLDER", "holder", "somebody"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class Acting(_Part):
    """Who acts, and how they were proven."""

    role: Literal["proxy", "guardian"] = "proxy"
    category: str = "adult"
    proven: bool = True
    proven_minutes_ago: int = 5
    proven_for_another_operator: bool = False
    session_served_another_order: bool = False
    is_the_holder: bool = False
    document_recorded: bool = True
    authority_document: bool = True
    relation: Relation | None = None
    acts_for_others: int = 0  # other people within the days of the pack


class Given(_Part):
    """The facts: who holds, and who acts, if anybody does."""

    on: date = Field(alias="date")
    category: str = "adult"
    holder_proven: bool = True
    acting: Acting | None = None


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    now = datetime.combine(given.on, _NOON)
    refusals = decide_representation(_facts(given, now), policy, now=now)
    if refusals:
        return refused(refusals)
    if given.acting is None:
        return accepted(acts="nobody")
    guardian = given.acting.role == "guardian"
    allowed = policy.documents[given.category].guardian_required if guardian else policy.proxies.both_proven
    return accepted(acts=given.acting.role, cites=[allowed.citation])


def _facts(given: Given, now: datetime) -> RepresentationFacts:
    facts = RepresentationFacts(
        operator=_HERE,
        order=_ORDER,
        category=given.category,
        holder=_HOLDER if given.holder_proven else None,
    )
    acting = given.acting
    if acting is None:
        return facts
    evidence = "EVD" if acting.authority_document else None
    role = RepresentativeRole(acting.role)
    return RepresentationFacts(
        operator=facts.operator,
        order=facts.order,
        category=facts.category,
        holder=facts.holder,
        representative=Representative(role, "SES", _SOMEBODY, evidence, acting.relation),
        session=_session(acting, now),
        session_category=acting.category,
        identity_recorded=acting.document_recorded,
        authority_recorded=acting.authority_document,
        principals=acting.acts_for_others,
    )


def _session(acting: Acting, now: datetime) -> ProvenSession:
    return ProvenSession(
        session_id="SES",
        outcome=VERIFIED if acting.proven else "NotVerified",
        level=None,
        subject=_HOLDER if acting.is_the_holder else _SOMEBODY,
        decided_at=now - timedelta(minutes=acting.proven_minutes_ago),
        challenge_origin=DRAWN,
        receipt_hash=None,
        operator=_ELSEWHERE if acting.proven_for_another_operator else _HERE,
        consumed_by="SES-OTHER" if acting.session_served_another_order else None,
    )
