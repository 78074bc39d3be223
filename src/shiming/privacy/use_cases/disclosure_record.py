"""What every step of a disclosure has in common: it is found for its operator, and written down and told."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.rules.disclosure import Disclosure
from shiming.privacy.store import disclosures as store
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.permissions import inside

#: Looks at the disclosure that a step begins with, held until the end of the transaction; raises to stop it.
Expecting = Callable[[Disclosure], None]


@inside("what a step expects of the disclosure when the caller does not say")
def anything(disclosure: Disclosure) -> None:
    """Expect nothing."""


@inside("the steps and the reading of a disclosure begin with it")
def find_of_operator(
    connection: Connection, disclosure_id: str, operator: str | None, *, for_change: bool = False
) -> Disclosure | None:
    """Return a disclosure; None when there is none or it is another operator's (`operator` None: any)."""
    found = store.find_disclosure(connection, disclosure_id, for_change=for_change)
    return None if found is None or operator not in {None, found.request.operator} else found


@inside("every step of a disclosure is told")
def tell(
    tools: PrivacyTools,
    connection: Connection,
    what: str,
    disclosure: Disclosure,
    *,
    account: str,
    now: datetime,
    **facts: Fact,
) -> None:
    """Write a step into the ledger, and into the outbox without who and about whom."""
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


@inside("the leaf of a request holds it; an auditor repeats it")
def hash_of_request(disclosure: Disclosure) -> str:
    """Return the hash of all that was asked for: recipient and legal basis cannot be exchanged later."""
    asked = asdict(disclosure.request) | {"purpose": disclosure.request.purpose.value}
    asked["evidence_ids"] = list(disclosure.request.evidence_ids)
    deferred = disclosure.request.deferred_until
    asked["deferred_until"] = deferred and deferred.astimezone(UTC).isoformat()
    return hashlib.sha256(canonical_bytes(asked)).hexdigest()
