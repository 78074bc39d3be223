"""Disclosure of one person's evidence outside the operator: asked for, agreed to by others, done once.

Every step is a leaf of the ledger and an event in the same transaction. What the ledger holds of a request
is its hash; recipient and legal basis stand in the row.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import DisclosurePolicy
from shiming.privacy.model import AccessRequest, EvidenceContent
from shiming.privacy.permissions import (
    MayApproveDisclosure,
    MayExecuteDisclosure,
    MayReadDisclosure,
    MayRequestDisclosure,
)
from shiming.privacy.rules.case_reference import parse_case_reference
from shiming.privacy.rules.disclosure import (
    Actor,
    Disclosure,
    DisclosureObstacle,
    DisclosureRequest,
    parse_words,
)
from shiming.privacy.rules.disclosure_steps import (
    decide_approval,
    decide_execution,
    decide_refusal,
    decide_request,
    visible_from,
)
from shiming.privacy.store import disclosures as store
from shiming.privacy.store.evidence import find_evidence
from shiming.privacy.use_cases.access_log import Place, look
from shiming.privacy.use_cases.copies import Copy, Marking, make_copy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.permissions import asks, inside

LISTED_MAX = 100  # a page
EXPIRED_A_BATCH_MAX = 100  # one transaction of bounded length


@dataclass(frozen=True, slots=True)
class DisclosureUnknown:
    """There is no such disclosure, or it is another operator's."""

    disclosure_id: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What was disclosed: exactly the listed evidence, in the order of the request."""

    disclosure: Disclosure
    copies: tuple[Copy, ...] = field(repr=False)


Outcome = Disclosure | DisclosureObstacle | DisclosureUnknown


@asks(MayRequestDisclosure)
def request_disclosure(
    tools: PrivacyTools,
    connection: Connection,
    request: DisclosureRequest,
    *,
    by: Actor,
    policy: DisclosurePolicy,
    now: datetime,
) -> Disclosure | DisclosureObstacle:
    """Ask for evidence of one person to be disclosed; the subject's evidence is listed piece by piece."""
    request = replace(
        request,
        recipient=parse_words(request.recipient),
        legal_basis=parse_words(request.legal_basis),
        case_reference=parse_case_reference(request.case_reference),
    )
    found = (find_evidence(connection, evidence_id) for evidence_id in request.evidence_ids)
    kept = {ref.evidence_id: ref for ref in found if ref and ref.operator == request.operator}
    decided = decide_request(request, kept, policy, disclosure_id=tools.new_reference("DSC"), by=by, now=now)
    if isinstance(decided, Disclosure):
        store.insert_disclosure(connection, decided)
        _tell(
            tools,
            connection,
            "requested",
            decided,
            account=by.account,
            now=now,
            request_sha256=_hash_of(decided),
        )
    return decided


@asks(MayApproveDisclosure)
def approve_disclosure(
    tools: PrivacyTools,
    connection: Connection,
    disclosure_id: str,
    *,
    by: Actor,
    now: datetime,
    operator: str | None = None,
) -> Outcome:
    """Agree to a disclosure; the last agreement that is needed opens it for execution."""

    def step(disclosure: Disclosure) -> Disclosure | DisclosureObstacle:
        return decide_approval(disclosure, by, now)

    return _take(
        tools,
        connection,
        disclosure_id,
        operator=operator,
        step=step,
        what="approved",
        account=by.account,
        now=now,
    )


@asks(MayApproveDisclosure)
def refuse_disclosure(
    tools: PrivacyTools,
    connection: Connection,
    disclosure_id: str,
    *,
    by: Actor,
    why: str,
    now: datetime,
    operator: str | None = None,
) -> Outcome:
    """End a disclosure for good; one person is enough."""
    words = parse_words(why)

    def step(disclosure: Disclosure) -> Disclosure | DisclosureObstacle:
        return decide_refusal(disclosure, by, words, now)

    return _take(
        tools,
        connection,
        disclosure_id,
        operator=operator,
        step=step,
        what="refused",
        account=by.account,
        now=now,
    )


@asks(MayExecuteDisclosure)
def execute_disclosure(
    tools: PrivacyTools,
    connection: Connection,
    disclosure_id: str,
    *,
    by: Actor,
    operator_name: str,
    on: date,
    now: datetime,
    operator: str | None = None,
) -> Disclosed | DisclosureObstacle | DisclosureUnknown:
    """Return the copies, once; hand them over only after the transaction is committed.

    The row is held from the decision on, so of two executions at once one finds the disclosure executed.
    When a copy cannot be made nothing was disclosed: the exception rolls everything back.
    """
    before = _find(connection, disclosure_id, operator, for_change=True)
    if before is None:
        return DisclosureUnknown(disclosure_id)
    after = decide_execution(before, by, now)
    if not isinstance(after, Disclosure):
        return after
    request = after.request
    refs = [find_evidence(connection, evidence_id) for evidence_id in request.evidence_ids]
    if any(ref is None or ref.erased_at is not None for ref in refs):
        return DisclosureObstacle.EVIDENCE_ERASED
    if not store.save_step(connection, before, after):
        return DisclosureObstacle.ALREADY_EXECUTED
    marking = Marking(operator_name, on, request.recipient)
    copies = tuple(
        _copy(tools, connection, evidence_id, disclosure=after, by=by, marking=marking, now=now)
        for evidence_id in request.evidence_ids
    )
    _tell(
        tools,
        connection,
        "executed",
        after,
        account=by.account,
        now=now,
        copies_sha256=hashlib.sha256(
            b"".join(hashlib.sha256(c.content).digest() for c in copies)
        ).hexdigest(),
        visible_from=visible_from(after, now).isoformat(),
    )
    return Disclosed(after, copies)


@asks(MayReadDisclosure)
def find_disclosure(
    connection: Connection, disclosure_id: str, *, operator: str | None = None
) -> Disclosure | None:
    """Return one disclosure; another operator's is not found."""
    return _find(connection, disclosure_id, operator)


@asks(MayReadDisclosure)
def list_disclosures(
    connection: Connection,
    *,
    operator: str | None = None,
    subject: str | None = None,
    limit: int = LISTED_MAX,
    after: Place | None = None,
) -> tuple[Disclosure, ...]:
    """Return disclosures, newest first."""
    return store.list_disclosures(connection, operator=operator, subject=subject, limit=limit, after=after)


@inside("a job: what has expired is written down and told, nothing depends on it")
def record_expired(tools: PrivacyTools, connection: Connection, *, now: datetime) -> tuple[str, ...]:
    """Write down a batch of disclosures whose deadline has passed; call again until it returns none."""
    expired = store.list_overdue(connection, now, EXPIRED_A_BATCH_MAX)
    for disclosure in expired:
        store.save_step(
            connection, disclosure, replace(disclosure, expired_at=now, version=disclosure.version + 1)
        )
        _tell(tools, connection, "expired", disclosure, account="system", now=now)
    return tuple(disclosure.disclosure_id for disclosure in expired)


def _take(
    tools: PrivacyTools,
    connection: Connection,
    disclosure_id: str,
    *,
    operator: str | None,
    step: Callable[[Disclosure], Disclosure | DisclosureObstacle],
    what: str,
    account: str,
    now: datetime,
) -> Outcome:
    before = _find(connection, disclosure_id, operator, for_change=True)
    if before is None:
        return DisclosureUnknown(disclosure_id)
    after = step(before)
    if isinstance(after, Disclosure):
        if not store.save_step(connection, before, after):
            return DisclosureObstacle.NOT_OPEN
        _tell(tools, connection, what, after, account=account, now=now)
    return after


def _find(
    connection: Connection, disclosure_id: str, operator: str | None, *, for_change: bool = False
) -> Disclosure | None:
    found = store.find_disclosure(connection, disclosure_id, for_change=for_change)
    return None if found is None or operator not in {None, found.request.operator} else found


def _copy(
    tools: PrivacyTools,
    connection: Connection,
    evidence_id: str,
    *,
    disclosure: Disclosure,
    by: Actor,
    marking: Marking,
    now: datetime,
) -> Copy:
    request = AccessRequest(by.account, disclosure.request.purpose, disclosure.request.case_reference)
    found = look(
        tools,
        connection,
        evidence_id,
        request,
        now=now,
        disclosure=disclosure,
        visible_from=visible_from(disclosure, now),
    )
    if not isinstance(found, EvidenceContent):  # erased since the look at its row: everything is rolled back
        obstacle = DisclosureObstacle.EVIDENCE_ERASED
        raise BadInput(obstacle.value, obstacle.text, obstacle.advice)
    return make_copy(found, request, marking)


def _tell(
    tools: PrivacyTools,
    connection: Connection,
    what: str,
    disclosure: Disclosure,
    *,
    account: str,
    now: datetime,
    **facts: Fact,
) -> None:
    request, kind = disclosure.request, f"disclosure.{what}"
    known: dict[str, Fact] = {
        "disclosure": disclosure.disclosure_id,
        "case": request.case_reference,
        "purpose": request.purpose.value,
        "items": len(request.evidence_ids),
        "approvals": len(disclosure.approvals),
    }
    told = {**known, "actor": account, "subject": request.subject, **facts}
    record(connection, tools.keys, kind=kind, facts=told, now=now, operator=request.operator)
    emit(connection, Event(kind, disclosure.disclosure_id, request.operator, now, known))


def _hash_of(disclosure: Disclosure) -> str:
    """Return the hash of all that was asked for: recipient and legal basis cannot be exchanged later."""
    asked = asdict(disclosure.request) | {"purpose": disclosure.request.purpose.value}
    asked["evidence_ids"] = list(disclosure.request.evidence_ids)
    deferred = disclosure.request.deferred_until
    asked["deferred_until"] = deferred and deferred.astimezone(UTC).isoformat()
    return hashlib.sha256(canonical_bytes(asked)).hexdigest()
