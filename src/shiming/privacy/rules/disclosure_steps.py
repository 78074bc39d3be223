"""Decide the steps of a disclosure: one person asks, two others agree in time, it happens once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shiming.jurisdictions.model import DisclosurePolicy
from shiming.privacy.model import EvidenceRef
from shiming.privacy.rules.disclosure import (
    Actor,
    Approval,
    Disclosure,
    DisclosureObstacle,
    DisclosureRequest,
    DisclosureState,
)

ITEMS_MAX = 20  # a case has six kinds of evidence; more is not one person's case
BYTES_MAX = 150_000_000  # in memory while it is handed over; three clips of the largest size a policy takes


def decide_request(
    request: DisclosureRequest,
    kept: Mapping[str, EvidenceRef],
    policy: DisclosurePolicy,
    *,
    disclosure_id: str,
    by: Actor,
    now: datetime,
) -> Disclosure | DisclosureObstacle:
    """May this be asked for? `kept` is what the vault knows of the listed evidence."""
    obstacle = _obstacle_to_request(request, kept, policy, by, now)
    if obstacle is not None:
        return obstacle
    return Disclosure(
        disclosure_id=disclosure_id,
        request=request,
        requested_by=by,
        requested_at=now,
        approvals_required=policy.approvals_min.value,
        approve_before=now + timedelta(hours=policy.approval_hours_max.value),
        execution_hours=policy.execution_hours_max.value,
    )


def decide_approval(disclosure: Disclosure, by: Actor, now: datetime) -> Disclosure | DisclosureObstacle:
    """May this person approve? Neither the requester nor who approved already, through no account."""
    state = disclosure.state(now)
    if state is not DisclosureState.REQUESTED:
        return _ended(state)
    if not by.person_key:
        return DisclosureObstacle.NOT_A_PERSON
    if any(by.is_same_person(other) for other in _people_of(disclosure)):
        return DisclosureObstacle.SAME_PERSON
    approvals = (*disclosure.approvals, Approval(by, now))
    last = len(approvals) >= disclosure.approvals_required
    return replace(
        disclosure,
        approvals=approvals,
        execute_before=now + timedelta(hours=disclosure.execution_hours) if last else None,
        version=disclosure.version + 1,
    )


def decide_refusal(
    disclosure: Disclosure, by: Actor, why: str, now: datetime
) -> Disclosure | DisclosureObstacle:
    """May this person end it? One is enough, also after it was approved; the requester withdraws so."""
    state = disclosure.state(now)
    if not state.is_open:
        return _ended(state)
    if not by.person_key:
        return DisclosureObstacle.NOT_A_PERSON
    return replace(
        disclosure,
        refused_by=by.account,
        refused_at=now,
        refused_why=why,
        version=disclosure.version + 1,
    )


def decide_execution(disclosure: Disclosure, by: Actor, now: datetime) -> Disclosure | DisclosureObstacle:
    """May it happen now? Once, before its deadline, after enough others agreed."""
    state = disclosure.state(now)
    if state is DisclosureState.REQUESTED:
        return DisclosureObstacle.NOT_APPROVED
    if state is not DisclosureState.APPROVED:
        return _ended(state)
    if not by.person_key:
        return DisclosureObstacle.NOT_A_PERSON
    return replace(disclosure, executed_by=by.account, executed_at=now, version=disclosure.version + 1)


def visible_from(disclosure: Disclosure, executed_at: datetime) -> datetime:
    """Return when the person may see that it happened."""
    deferred = disclosure.request.deferred_until
    return executed_at if deferred is None else max(executed_at, deferred)


def _obstacle_to_request(
    request: DisclosureRequest,
    kept: Mapping[str, EvidenceRef],
    policy: DisclosurePolicy,
    by: Actor,
    now: datetime,
) -> DisclosureObstacle | None:
    ids, latest = request.evidence_ids, now + timedelta(days=policy.deferral_days_max.value)
    deferred = request.deferred_until
    stands_in_the_way = {
        DisclosureObstacle.NOT_A_PERSON: not by.person_key,
        DisclosureObstacle.PURPOSE_NOT_ALLOWED: request.purpose.value
        not in {purpose.value for purpose in policy.purposes.value},
        DisclosureObstacle.NOTHING_LISTED: not ids,
        DisclosureObstacle.TOO_MUCH_LISTED: len(ids) > ITEMS_MAX
        or len(set(ids)) < len(ids)
        or sum(ref.bytes_stored for ref in kept.values()) > BYTES_MAX,
        DisclosureObstacle.NOT_OF_THE_SUBJECT: not all(
            _belongs(kept.get(each), request.subject) for each in ids
        ),
        DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS: deferred is not None and not now < deferred <= latest,
    }
    return next((obstacle for obstacle, stands in stands_in_the_way.items() if stands), None)


def _belongs(ref: EvidenceRef | None, subject: str) -> bool:
    return ref is not None and ref.subject == subject and ref.erased_at is None


def _people_of(disclosure: Disclosure) -> tuple[Actor, ...]:
    return disclosure.requested_by, *(approval.by for approval in disclosure.approvals)


def _ended(state: DisclosureState) -> DisclosureObstacle:
    return {
        DisclosureState.EXECUTED: DisclosureObstacle.ALREADY_EXECUTED,
        DisclosureState.EXPIRED: DisclosureObstacle.EXPIRED,
    }.get(state, DisclosureObstacle.NOT_OPEN)
