"""Carry out a disclosure: marked copies of exactly what was asked for and agreed to, once."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.engine import Connection

from shiming.privacy.model import AccessRequest, EvidenceContent
from shiming.privacy.permissions import MayExecuteDisclosure
from shiming.privacy.rules.disclosure import Actor, Disclosure, DisclosureObstacle
from shiming.privacy.rules.disclosure_steps import decide_execution, visible_from
from shiming.privacy.store import disclosures as store
from shiming.privacy.store.evidence import find_evidence
from shiming.privacy.use_cases.access_log import look
from shiming.privacy.use_cases.copies import Copy, Marking, make_copy
from shiming.privacy.use_cases.disclosure_record import Expecting, anything, find_of_operator, tell
from shiming.privacy.use_cases.disclosures import DisclosureUnknown
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.permissions import asks


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What was disclosed: exactly the listed evidence, in the order of the request."""

    disclosure: Disclosure
    copies: tuple[Copy, ...] = field(repr=False)


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
    expecting: Expecting = anything,
) -> Disclosed | DisclosureObstacle | DisclosureUnknown:
    """Return the copies, once; hand them over only after the transaction is committed.

    The row is held from the decision on, so of two executions at once one finds the disclosure executed.
    When a copy cannot be made nothing was disclosed: the exception rolls everything back.
    """
    before = find_of_operator(connection, disclosure_id, operator, for_change=True)
    if before is None:
        return DisclosureUnknown(disclosure_id)
    expecting(before)
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
    tell(
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
