"""Hold the evidence of a disputed case, whatever its retention says, until the dispute is decided.

An erasure that a person asked for and staff granted is not stopped by it: that is decided by people.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.privacy.model import EvidenceRef
from shiming.privacy.store import evidence as store
from shiming.privacy.store import evidence_pins
from shiming.privacy.use_cases.vault import LISTED_MAX
from shiming.vocabulary.permissions import inside


@inside("a dispute seals the evidence of its case, in its own transaction and with its own leaf")
def pin_case(
    connection: Connection, *, case_reference: str, pinned_for: str, now: datetime
) -> tuple[EvidenceRef, ...]:
    """Let no evidence of a case end while the dispute is open; return what is kept and readable."""
    evidence_pins.pin(connection, case_reference, pinned_for, now)
    found = store.list_evidence(connection, subject=None, case_reference=case_reference, limit=LISTED_MAX)
    return tuple(ref for ref in found if ref.erased_at is None)


@inside("the decision of a dispute")
def unpin_cases(connection: Connection, *, pinned_for: str) -> int:
    """Let the cases of a dispute end by their retention again; return how many."""
    return evidence_pins.unpin(connection, pinned_for)
