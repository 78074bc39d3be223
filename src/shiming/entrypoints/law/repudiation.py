"""Scenarios about the principal of a proxy who says "not mine"."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Policy, StopReason
from shiming.registrations.model.orders import RepresentativeRole
from shiming.registrations.model.registration import DRAWN, VERIFIED, ProvenSession
from shiming.registrations.model.repudiation import (
    CodeGiven,
    Means,
    Repudiation,
    RepudiationFacts,
    RepudiationState,
)
from shiming.registrations.rules.repudiation import decide_repudiation

_NOON = time(12, tzinfo=UTC)
_HERE, _PRINCIPAL = "here", "principal"


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class Given(BaseModel):
    """The facts."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)

    on: date = Field(alias="date")
    registered_by: Literal["proxy", "guardian", "the holder"] = "proxy"
    days_since_registration: int = 1
    line_ended: bool = False
    disputed_before: bool = False
    shown_by: Literal["new proof", "code"] = "new proof"
    proven: bool = True
    proof_minutes_ago: int = 5
    is_the_principal: bool = True
    code_right: bool = True
    wrong_codes_before: int = 0


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return what the rules make of the facts."""
    now = datetime.combine(given.on, _NOON)
    refusals = decide_repudiation(_facts(given, now), policy, now=now)
    if refusals:
        return refused(refusals)
    return accepted(
        line="stopped until the dispute is decided",
        place="taken until the dispute is decided",
        cites=[policy.proxies.repudiation_days.citation, policy.stops[StopReason.DISPUTE].level.citation],
    )


def _facts(given: Given, now: datetime) -> RepudiationFacts:
    by_proof = given.shown_by == "new proof"
    role = None if given.registered_by == "the holder" else RepresentativeRole(given.registered_by)
    former = Repudiation("RPD", "REG", _HERE, _PRINCIPAL, Means.CODE, RepudiationState.OPEN, now)
    return RepudiationFacts(
        operator=_HERE,
        line_id="REG",
        holder=_PRINCIPAL,
        line_ended=given.line_ended,
        registered_at=now - timedelta(days=given.days_since_registration),
        role=role,
        former=former if given.disputed_before else None,
        session=_session(given, now) if by_proof else None,
        session_named=by_proof,
        code=None if by_proof else CodeGiven(given.code_right, given.wrong_codes_before),
    )


def _session(given: Given, now: datetime) -> ProvenSession:
    return ProvenSession(
        session_id="SES",
        outcome=VERIFIED if given.proven else "NotVerified",
        level=None,
        subject=_PRINCIPAL if given.is_the_principal else "somebody",
        decided_at=now - timedelta(minutes=given.proof_minutes_ago),
        challenge_origin=DRAWN,
        receipt_hash=None,
        operator=_HERE,
    )
