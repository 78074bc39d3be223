"""The customer confirms what is opened, by a code read back to the clerk or on their own device.

Both forms lead to one confirmation, which names one number and one line. A code is good once, for what it was
made for; a new one voids it and the confirmation before it. Wrong answers are outcomes, so that they count.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import ContractPolicy
from shiming.registrations.events.contracts import CODE_SHOWN
from shiming.registrations.model.confirmation import (
    CodeIssued,
    ConfirmationShown,
    Confirmed,
    IssuedCode,
    Matter,
    NotConfirmed,
)
from shiming.registrations.model.orders import ConfirmationMethod, LineOrder
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.rules.confirmation import decide_issuing, decide_usable
from shiming.registrations.store import confirmation as store
from shiming.registrations.store.enterprise_lines import find_contract
from shiming.registrations.store.lines import find_by_session
from shiming.registrations.store.orders import change_order, find_order
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.use_cases.confirmation_codes import is_covered, link_hash, shown_code
from shiming.registrations.use_cases.confirmation_steps import answer, confirm, issue, note
from shiming.registrations.use_cases.terms import get_order
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks, inside

ONE_LINE = 1  # one proof of a person opens one
_BY_LINK = "the link's token is the permission: whoever holds the customer's own device"


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
    return issue(tools, connection, _matter_of(order), former, policy=policy, now=now)


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
    return answer(tools, connection, _matter_of(order), code, policy=policy, completed=completed, now=now)


@inside(_BY_LINK)
def show_confirmation(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: ContractPolicy, now: datetime
) -> ConfirmationShown | NotConfirmed:
    """Show on the customer's own device what will be opened, and the code; noted in the ledger."""
    found = _by_link(tools, connection, token, policy, now)
    if isinstance(found, NotConfirmed):
        return found
    matter, issued = found
    note(tools, connection, CODE_SHOWN, matter, now)
    code = shown_code(tools.privacy.keys, matter, issued, token, policy.confirmation_digits.value)
    return ConfirmationShown(matter, code, issued.expires_at)


@inside(_BY_LINK)
def confirm_on_device(
    tools: RegistrationTools, connection: Connection, token: str, *, policy: ContractPolicy, now: datetime
) -> Confirmed | NotConfirmed:
    """Take the customer's yes, given on their own device."""
    found = _by_link(tools, connection, token, policy, now)
    if isinstance(found, NotConfirmed):
        return found
    matter, issued = found
    return confirm(
        tools, connection, matter, issued, method=ConfirmationMethod.OWN_DEVICE, policy=policy, now=now
    )


@inside(_BY_LINK)
def find_contract_party(connection: Connection, matter: Matter) -> str | None:
    """Return the name of the organisation whose contract is asked about; None for a person's line."""
    contract = None if matter.identifier else find_contract(connection, matter.reference)
    organisation = contract and find_organisation(connection, contract.organisation)
    return organisation.name if organisation else None


@inside("whoever gives an order another number takes its confirmation back")
def withdraw_confirmation(connection: Connection, session_id: str) -> None:
    """Forget what was confirmed of an order; its code covers the former number and is void by itself."""
    change_order(
        connection, session_id, confirmed_identifier=None, confirmation_method=None, confirmed_at=None
    )


def _by_link(
    tools: RegistrationTools, connection: Connection, token: str, policy: ContractPolicy, now: datetime
) -> tuple[Matter, IssuedCode] | NotConfirmed:
    """Return what a link is good for now; the order is held before its code, as everywhere."""
    named = store.find_by_link(connection, link_hash(token))
    found = None if named is None else _held(connection, named)
    issued = None if named is None else store.find_code(connection, named.reference, for_update=True)
    if found is None or issued is None or issued.link_hash != link_hash(token):
        return NotConfirmed(decide_usable(None, policy, covers_this=False, completed=False, now=now))
    matter, completed = found
    covered = is_covered(tools.privacy.keys, matter, issued)
    refusals = decide_usable(issued, policy, covers_this=covered, completed=completed, now=now)
    return NotConfirmed(refusals) if refusals else (matter, issued)


def _held(connection: Connection, named: IssuedCode) -> tuple[Matter, bool] | None:
    """Return what a code is about as it is now, held until the transaction ends, and whether it is done."""
    order = find_order(connection, named.reference, for_update=True)
    if order is not None:
        return _matter_of(order), _is_completed(connection, order)
    contract = find_contract(connection, named.reference, for_update=True)
    if contract is None:
        return None
    return Matter(named.reference, contract.operator, contract.handler_session, named.lines), False


def _matter_of(order: LineOrder) -> Matter:
    return Matter(order.session_id, order.operator, order.session_id, ONE_LINE, order.identifier)


def _is_completed(connection: Connection, order: LineOrder) -> bool:
    return find_by_session(connection, order.session_id, order.operator) is not None
