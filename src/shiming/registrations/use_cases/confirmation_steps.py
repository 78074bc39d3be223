"""What confirming consists of, whatever is confirmed: make a code, take an answer, settle it, write it down.

The caller holds what is confirmed (the order or the contract) before its code, and decides what it is.
"""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import ContractPolicy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.contracts import ConfirmationRefusal
from shiming.registrations.events.contracts import (
    CODE_ISSUED,
    CONFIRMATION_GIVEN,
    CONFIRMATION_REFUSED,
)
from shiming.registrations.model.confirmation import (
    CodeIssued,
    Confirmed,
    ContractConfirmation,
    IssuedCode,
    Matter,
    NotConfirmed,
)
from shiming.registrations.model.orders import ConfirmationMethod
from shiming.registrations.rules.confirmation import Answer, decide_answer, decide_lines
from shiming.registrations.store import confirmation as store
from shiming.registrations.store.enterprise_lines import change_contract, find_contract
from shiming.registrations.store.orders import change_order
from shiming.registrations.use_cases.confirmation_codes import (
    TOKEN_BYTES,
    code_hash,
    code_of,
    covers,
    is_covered,
    is_right,
    link_hash,
    new_token,
)
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import inside
from shiming.vocabulary.refusals import Refusal

_WHY = "shared by confirming a line and confirming the lines of a contract"


@inside(_WHY)
def issue(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    former: IssuedCode | None,
    *,
    policy: ContractPolicy,
    now: datetime,
) -> CodeIssued:
    """Make a code and its link; what is kept are hashes."""
    keys = tools.privacy.keys
    token = new_token(tools.privacy.random_bytes(TOKEN_BYTES))
    code = code_of(keys, matter, token, policy.confirmation_digits.value)
    issue = 1 if former is None else former.issued + 1
    issued = IssuedCode(
        reference=matter.reference,
        operator=matter.operator,
        lines=matter.lines,
        session_id=matter.session_id,
        covers=covers(keys, matter),
        code_hash=code_hash(keys, matter, code, issue),
        link_hash=link_hash(token),
        issued_at=now,
        expires_at=now + timedelta(minutes=policy.confirmation_minutes.value),
        issued=issue,
    )
    store.put_code(connection, issued)
    note(tools, connection, CODE_ISSUED, matter, now, issued=issue)
    return CodeIssued(matter, issued.expires_at, policy.confirmation_attempts_max.value, token, code)


@inside(_WHY)
def answer(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    code: str,
    *,
    policy: ContractPolicy,
    completed: bool,
    now: datetime,
) -> Confirmed | NotConfirmed:
    """Take an answer; a wrong one is counted."""
    keys = tools.privacy.keys
    issued = store.find_code(connection, matter.reference, for_update=True)
    given = Answer(
        covers_this=issued is not None and is_covered(keys, matter, issued),
        right=issued is not None and is_right(keys, matter, issued, code),
    )
    refusals = decide_answer(issued, given, policy, completed=completed, now=now)
    if not refusals and issued is not None:
        return confirm(
            tools, connection, matter, issued, method=ConfirmationMethod.READ_BACK, policy=policy, now=now
        )
    left = None
    if issued is not None and [each.code for each in refusals] == [
        ConfirmationRefusal.CONFIRMATION_CODE_WRONG
    ]:
        store.count_wrong(connection, issued)
        left = policy.confirmation_attempts_max.value - issued.wrong - 1
    codes = ",".join(each.code.value for each in refusals)
    note(tools, connection, CONFIRMATION_REFUSED, matter, now, codes=codes)
    return NotConfirmed(refusals, left)


@inside(_WHY)
def confirm(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    issued: IssuedCode,
    *,
    method: ConfirmationMethod,
    policy: ContractPolicy,
    now: datetime,
) -> Confirmed | NotConfirmed:
    """Settle a right answer: the code is used up, and what it was about is confirmed."""
    if matter.identifier is None:
        refusals = decide_lines(matter.lines, _entered(connection, matter), policy)
        if refusals:
            return NotConfirmed(refusals)
    if not store.use_code(connection, issued, now):
        used = Refusal(ConfirmationRefusal.CONFIRMATION_CODE_USED, policy.confirmation_minutes.citation)
        return NotConfirmed((used,))
    if matter.identifier is None:
        _settle_contract(connection, matter, method, now)
    else:
        change_order(
            connection,
            matter.reference,
            confirmed_identifier=matter.identifier.reveal("store"),
            confirmation_method=method.value,
            confirmed_at=now,
        )
    facts = note(tools, connection, CONFIRMATION_GIVEN, matter, now, method=method.value)
    emit(connection, Event(CONFIRMATION_GIVEN, matter.reference, matter.operator, now, facts))
    return Confirmed(matter, method, now)


@inside(_WHY)
def note(
    tools: RegistrationTools,
    connection: Connection,
    kind: str,
    matter: Matter,
    now: datetime,
    **more: Fact,
) -> dict[str, Fact]:
    """Write the leaf; return its facts."""
    facts: dict[str, Fact] = {"session": matter.session_id, "lines": matter.lines, **more}
    if matter.reference != matter.session_id:
        facts["contract"] = matter.reference
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=matter.operator)
    return facts


def _entered(connection: Connection, matter: Matter) -> int:
    contract = find_contract(connection, matter.reference, for_update=True)
    return 0 if contract is None else contract.lines_entered


def _settle_contract(
    connection: Connection, matter: Matter, method: ConfirmationMethod, now: datetime
) -> None:
    confirmation = ContractConfirmation(matter.reference, matter.session_id, matter.lines, method, now)
    store.put_contract_confirmation(connection, matter.operator, confirmation)
    change_contract(connection, matter.reference, lines_confirmed=matter.lines)
