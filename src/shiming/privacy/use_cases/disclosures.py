"""Disclosure of one person's evidence outside the operator: asked for, agreed to by others, done once.

Every step is a leaf of the ledger and an event in the same transaction. What the ledger holds of a request
is its hash; recipient and legal basis stand in the row.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import DisclosurePolicy
from shiming.privacy.permissions import (
    MayApproveDisclosure,
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
    decide_refusal,
    decide_request,
)
from shiming.privacy.store import disclosures as store
from shiming.privacy.store.evidence import find_evidence
from shiming.privacy.use_cases.access_log import Place
from shiming.privacy.use_cases.disclosure_record import (
    Expecting,
    anything,
    find_of_operator,
    hash_of_request,
    tell,
)
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.permissions import asks, inside

LISTED_MAX = 100  # a page
EXPIRED_A_BATCH_MAX = 100  # one transaction of bounded length


@dataclass(frozen=True, slots=True)
class DisclosureUnknown:
    """There is no such disclosure, or it is another operator's."""

    disclosure_id: str


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
        tell(
            tools,
            connection,
            "requested",
            decided,
            account=by.account,
            now=now,
            request_sha256=hash_of_request(decided),
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
    expecting: Expecting = anything,
) -> Outcome:
    """Agree to a disclosure; the last agreement that is needed opens it for execution."""

    def step(disclosure: Disclosure) -> Disclosure | DisclosureObstacle:
        return decide_approval(disclosure, by, now)

    return _take(
        tools,
        connection,
        disclosure_id,
        operator=operator,
        expecting=expecting,
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
    expecting: Expecting = anything,
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
        expecting=expecting,
        step=step,
        what="refused",
        account=by.account,
        now=now,
    )


@asks(MayReadDisclosure)
def find_disclosure(
    connection: Connection, disclosure_id: str, *, operator: str | None = None
) -> Disclosure | None:
    """Return one disclosure; another operator's is not found."""
    return find_of_operator(connection, disclosure_id, operator)


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
        tell(tools, connection, "expired", disclosure, account="system", now=now)
    return tuple(disclosure.disclosure_id for disclosure in expired)


def _take(
    tools: PrivacyTools,
    connection: Connection,
    disclosure_id: str,
    *,
    operator: str | None,
    expecting: Expecting,
    step: Callable[[Disclosure], Disclosure | DisclosureObstacle],
    what: str,
    account: str,
    now: datetime,
) -> Outcome:
    before = find_of_operator(connection, disclosure_id, operator, for_change=True)
    if before is None:
        return DisclosureUnknown(disclosure_id)
    expecting(before)
    after = step(before)
    if isinstance(after, Disclosure):
        if not store.save_step(connection, before, after):
            return DisclosureObstacle.NOT_OPEN
        tell(tools, connection, what, after, account=account, now=now)
    return after
