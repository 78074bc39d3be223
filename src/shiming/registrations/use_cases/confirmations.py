"""The customer confirms what is opened, by a code read back to the clerk or on their own device.

Both forms lead to one confirmation, which names one number and one line. A code is good once, for what it was
made for; a new one voids it and the confirmation before it. Wrong answers are outcomes, so that they count.
"""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import ContractPolicy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.errors.contracts import ConfirmationRefusal
from shiming.registrations.events.contracts import (
    CODE_ISSUED,
    CODE_SHOWN,
    CONFIRMATION_GIVEN,
    CONFIRMATION_REFUSED,
)
from shiming.registrations.model.confirmation import (
    CodeIssued,
    ConfirmationShown,
    Confirmed,
    ContractConfirmation,
    IssuedCode,
    Matter,
    NotConfirmed,
)
from shiming.registrations.model.orders import ConfirmationMethod, LineOrder
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.rules.confirmation import Answer, decide_answer, decide_issuing, decide_usable
from shiming.registrations.store import confirmation as store
from shiming.registrations.store.lines import find_by_session
from shiming.registrations.store.orders import change_order, find_order
from shiming.registrations.use_cases.confirmation_codes import (
    TOKEN_BYTES,
    code_hash,
    code_of,
    covers,
    is_covered,
    is_right,
    link_hash,
    new_token,
    shown_code,
)
from shiming.registrations.use_cases.terms import get_order
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

ONE_LINE = 1  # one proof of a person opens one


@asks(MayRecordAcceptance)
def issue_code(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    *,
    operator: str,
    policy: ContractPolicy,
    now: datetime,
) -> CodeIssued | NotConfirmed:
    """Make a code for the number that an order names; BadInput when there is no such order."""
    order = get_order(connection, session_id, operator)
    former = store.find_code(connection, session_id, for_update=True)
    refusals = decide_issuing(
        former,
        policy,
        identifier_chosen=order.identifier is not None,
        completed=_is_completed(connection, order),
        now=now,
    )
    if refusals:
        return NotConfirmed(refusals)
    withdraw_confirmation(connection, session_id)
    return _issue(tools, connection, _matter_of(order), former, policy=policy, now=now)


@asks(MayRecordAcceptance)
def confirm_line(
    tools: RegistrationTools,
    connection: Connection,
    session_id: str,
    code: str,
    *,
    operator: str,
    policy: ContractPolicy,
    now: datetime,
) -> Confirmed | NotConfirmed:
    """Take the code that the customer read back. A refusal is a value: the attempt must be counted."""
    order = get_order(connection, session_id, operator)
    completed = _is_completed(connection, order)
    return _answer(tools, connection, _matter_of(order), code, policy=policy, completed=completed, now=now)


@asks(MayRecordAcceptance)
def issue_contract_code(
    tools: RegistrationTools, connection: Connection, matter: Matter, *, policy: ContractPolicy, now: datetime
) -> CodeIssued | NotConfirmed:
    """Make a code for the count of lines that an organisation's handler confirms for a contract."""
    former = store.find_code(connection, matter.reference, for_update=True)
    refusals = decide_issuing(former, policy, identifier_chosen=True, completed=False, now=now)
    if refusals:
        return NotConfirmed(refusals)
    return _issue(tools, connection, matter, former, policy=policy, now=now)


@asks(MayRecordAcceptance)
def confirm_contract_lines(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    code: str,
    *,
    policy: ContractPolicy,
    now: datetime,
) -> Confirmed | NotConfirmed:
    """Take the code that the handler read back: so many lines under this contract, and no more."""
    return _answer(tools, connection, matter, code, policy=policy, completed=False, now=now)


@asks(MayRecordAcceptance)
def find_contract_confirmation(connection: Connection, contract: str) -> ContractConfirmation | None:
    """Return how many lines of a contract its handler confirmed."""
    return store.find_contract_confirmation(connection, contract)


@inside("the link's token is the permission: whoever holds the customer's own device")
def show_confirmation(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: ContractPolicy, now: datetime
) -> ConfirmationShown | NotConfirmed:
    """Show on the customer's own device what will be opened, and the code; noted in the ledger."""
    found = _by_link(tools, connection, token, policy, now)
    if isinstance(found, NotConfirmed):
        return found
    matter, issued = found
    _note(tools, connection, CODE_SHOWN, matter, now)
    code = shown_code(tools.privacy.keys, matter, issued, token, policy.confirmation_digits.value)
    return ConfirmationShown(matter, code, issued.expires_at)


@inside("the link's token is the permission: whoever holds the customer's own device")
def confirm_on_device(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: ContractPolicy, now: datetime
) -> Confirmed | NotConfirmed:
    """Take the customer's yes, given on their own device."""
    found = _by_link(tools, connection, token, policy, now)
    if isinstance(found, NotConfirmed):
        return found
    matter, issued = found
    return _confirm(
        tools, connection, matter, issued, method=ConfirmationMethod.OWN_DEVICE, policy=policy, now=now
    )


@inside("whoever gives an order another number takes its confirmation back")
def withdraw_confirmation(connection: Connection, session_id: str) -> None:
    """Forget what was confirmed of an order; its code covers the former number and is void by itself."""
    change_order(
        connection, session_id, confirmed_identifier=None, confirmation_method=None, confirmed_at=None
    )


def _issue(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    former: IssuedCode | None,
    *,
    policy: ContractPolicy,
    now: datetime,
) -> CodeIssued:
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
    _note(tools, connection, CODE_ISSUED, matter, now, issued=issue)
    return CodeIssued(matter, issued.expires_at, policy.confirmation_attempts_max.value, token, code)


def _answer(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    code: str,
    *,
    policy: ContractPolicy,
    completed: bool,
    now: datetime,
) -> Confirmed | NotConfirmed:
    keys = tools.privacy.keys
    issued = store.find_code(connection, matter.reference, for_update=True)
    answer = Answer(
        covers_this=issued is not None and is_covered(keys, matter, issued),
        right=issued is not None and is_right(keys, matter, issued, code),
    )
    refusals = decide_answer(issued, answer, policy, completed=completed, now=now)
    if not refusals and issued is not None:
        return _confirm(
            tools, connection, matter, issued, method=ConfirmationMethod.READ_BACK, policy=policy, now=now
        )
    left = None
    if issued is not None and [each.code for each in refusals] == [
        ConfirmationRefusal.CONFIRMATION_CODE_WRONG
    ]:
        store.count_wrong(connection, issued)
        left = policy.confirmation_attempts_max.value - issued.wrong - 1
    codes = ",".join(each.code.value for each in refusals)
    _note(tools, connection, CONFIRMATION_REFUSED, matter, now, codes=codes)
    return NotConfirmed(refusals, left)


def _confirm(
    tools: RegistrationTools,
    connection: Connection,
    matter: Matter,
    issued: IssuedCode,
    *,
    method: ConfirmationMethod,
    policy: ContractPolicy,
    now: datetime,
) -> Confirmed | NotConfirmed:
    if not store.use_code(connection, issued, now):
        used = Refusal(ConfirmationRefusal.CONFIRMATION_CODE_USED, policy.confirmation_minutes.citation)
        return NotConfirmed((used,))
    if matter.identifier is None:
        confirmation = ContractConfirmation(matter.reference, matter.session_id, matter.lines, method, now)
        store.put_contract_confirmation(connection, matter.operator, confirmation)
    else:
        change_order(
            connection,
            matter.reference,
            confirmed_identifier=matter.identifier.reveal("store"),
            confirmation_method=method.value,
            confirmed_at=now,
        )
    facts = _note(tools, connection, CONFIRMATION_GIVEN, matter, now, method=method.value)
    emit(connection, Event(CONFIRMATION_GIVEN, matter.reference, matter.operator, now, facts))
    return Confirmed(matter, method, now)


def _by_link(
    tools: RegistrationTools, connection: Connection, token: str, policy: ContractPolicy, now: datetime
) -> tuple[Matter, IssuedCode] | NotConfirmed:
    """Return what a link is good for now; the order is held before its code, as everywhere."""
    named = store.find_by_link(connection, link_hash(token))
    order = None if named is None else find_order(connection, named.reference, for_update=True)
    issued = None if named is None else store.find_code(connection, named.reference, for_update=True)
    if issued is None or issued.link_hash != link_hash(token):
        return NotConfirmed(decide_usable(None, policy, covers_this=False, completed=False, now=now))
    matter = (
        _matter_of(order)
        if order
        else Matter(issued.reference, issued.operator, issued.session_id, issued.lines)
    )
    completed = order is not None and _is_completed(connection, order)
    covered = is_covered(tools.privacy.keys, matter, issued)
    refusals = decide_usable(issued, policy, covers_this=covered, completed=completed, now=now)
    return NotConfirmed(refusals) if refusals else (matter, issued)


def _matter_of(order: LineOrder) -> Matter:
    return Matter(order.session_id, order.operator, order.session_id, ONE_LINE, order.identifier)


def _is_completed(connection: Connection, order: LineOrder) -> bool:
    return find_by_session(connection, order.session_id, order.operator) is not None


def _note(
    tools: RegistrationTools,
    connection: Connection,
    kind: str,
    matter: Matter,
    now: datetime,
    **more: Fact,
) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"session": matter.session_id, "lines": matter.lines, **more}
    if matter.reference != matter.session_id:
        facts["contract"] = matter.reference
    record(connection, tools.privacy.keys, kind=kind, facts=facts, now=now, operator=matter.operator)
    return facts
