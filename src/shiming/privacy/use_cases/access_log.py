"""Who looked: every look at evidence in clear leaves a row that the person can see.

A look is one piece, by one account, for one purpose, in one case. The row, the leaf of the ledger and the
look are one transaction: no record, no look.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import RetentionPolicy
from shiming.jurisdictions.rules.retention_end import retention_end
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceRef,
    EvidenceUnknown,
)
from shiming.privacy.permissions import MayListEvidence, MayReadAccessLog
from shiming.privacy.rules.access import Access, AccessKind
from shiming.privacy.rules.case_reference import parse_case_reference
from shiming.privacy.rules.disclosure import Disclosure
from shiming.privacy.store import access_log as store
from shiming.privacy.store.evidence import find_evidence
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import read_evidence
from shiming.vocabulary.permissions import asks, inside

LISTED_MAX = 100  # a page of the access log
DELETED_A_BATCH_MAX = 1000  # one transaction of bounded length
Place = tuple[datetime, str]  # of a row in a list that is ordered by instant and reference


@inside("copies and disclosures look through this; it is the only door to content")
def look(
    tools: PrivacyTools,
    connection: Connection,
    evidence_id: str,
    request: AccessRequest,
    *,
    now: datetime,
    disclosure: Disclosure | None = None,
    visible_from: datetime | None = None,
) -> EvidenceContent | EvidenceErased | EvidenceUnknown:
    """Return one piece in clear, with the look on record; use it only after the transaction is committed.

    The person sees the look from `visible_from` on, at once when it is None.
    """
    parse_case_reference(request.case_reference)
    found = read_evidence(tools, connection, evidence_id, request, now=now)
    if isinstance(found, EvidenceContent):
        access = Access(
            access_id=tools.new_reference("ACS"),
            operator=found.ref.operator,
            subject=found.ref.subject,
            at=now,
            actor=request.actor,
            what=AccessKind.READ if disclosure is None else AccessKind.DISCLOSED,
            purpose=request.purpose,
            case_reference=request.case_reference,
            evidence_id=evidence_id,
            evidence_kind=found.ref.kind,
            visible_from=visible_from or now,
            disclosure_id=disclosure.disclosure_id if disclosure else None,
            recipient=disclosure.request.recipient if disclosure else None,
        )
        store.insert_access(connection, access)
    return found


@asks(MayListEvidence)
def find_metadata(
    connection: Connection, evidence_id: str, *, operator: str | None = None
) -> EvidenceRef | None:
    """Return what is known of one piece without opening it; another operator's is not found."""
    ref = find_evidence(connection, evidence_id)
    return None if ref is None or operator not in {None, ref.operator} else ref


@asks(MayReadAccessLog)
def list_accesses(
    connection: Connection,
    subject: str,
    now: datetime,
    *,
    limit: int = LISTED_MAX,
    operator: str | None = None,
    after: Place | None = None,
) -> tuple[Access, ...]:
    """Return who looked at what is kept of a person, newest first: what the person may see by now.

    A deferred disclosure is left out until its date, without a trace.
    """
    return store.list_visible(connection, subject, now, limit=limit, operator=operator, after=after)


@inside("a job, after the retention of the access log")
def forget_accesses(connection: Connection, retention: RetentionPolicy, now: datetime) -> int:
    """Remove a batch of rows whose retention has ended; call again until it returns 0."""
    oldest = store.find_oldest(connection)
    if oldest is None or retention_end(retention.access_log, oldest.date()) > now.date():
        return 0
    kept = _first_day_kept(retention, oldest, now)
    return store.delete_before(connection, kept, limit=DELETED_A_BATCH_MAX)


def _first_day_kept(retention: RetentionPolicy, oldest: datetime, now: datetime) -> datetime:
    """Return the first instant whose retention has not ended, found by halving between two instants."""
    over, kept = oldest, now
    while (kept - over).total_seconds() > 1:
        middle = over + (kept - over) / 2
        if retention_end(retention.access_log, middle.date()) > now.date():
            kept = middle
        else:
            over = middle
    return kept
