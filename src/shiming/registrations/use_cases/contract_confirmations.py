"""The handler of an organisation confirms how many lines a contract has: the total, and none beyond it."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import ContractPolicy
from shiming.registrations.model.confirmation import (
    CodeIssued,
    Confirmed,
    ContractConfirmation,
    Matter,
    NotConfirmed,
)
from shiming.registrations.model.enterprise_lines import EnterpriseContract
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.rules.confirmation import decide_issuing, decide_lines
from shiming.registrations.store import confirmation as store
from shiming.registrations.store.enterprise_lines import find_contract
from shiming.registrations.use_cases.confirmation_steps import answer, issue
from shiming.registrations.use_cases.enterprise_import import contract_unknown
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.permissions import asks


@asks(MayRecordAcceptance)
def issue_contract_code(
    tools: RegistrationTools,
    connection: Connection,
    contract_id: str,
    lines: int,
    *,
    policy: ContractPolicy,
    now: datetime,
) -> CodeIssued | NotConfirmed:
    """Make a code for so many lines of a contract; BadInput when there is no such contract."""
    contract = _held(connection, contract_id)
    former = store.find_code(connection, contract_id, for_update=True)
    refusals = (
        *decide_issuing(former, policy, identifier_chosen=True, completed=False, now=now),
        *decide_lines(lines, contract.lines_entered, policy),
    )
    if refusals:
        return NotConfirmed(refusals)
    return issue(tools, connection, _matter(contract, lines), former, policy=policy, now=now)


@asks(MayRecordAcceptance)
def confirm_contract_lines(
    tools: RegistrationTools,
    connection: Connection,
    contract_id: str,
    lines: int,
    code: str,
    *,
    policy: ContractPolicy,
    now: datetime,
) -> Confirmed | NotConfirmed:
    """Take the code that the handler read back: the contract then has so many lines at most."""
    contract = _held(connection, contract_id)
    matter = _matter(contract, lines)
    return answer(tools, connection, matter, code, policy=policy, completed=False, now=now)


@asks(MayRecordAcceptance)
def find_contract_confirmation(connection: Connection, contract_id: str) -> ContractConfirmation | None:
    """Return how many lines of a contract its handler confirmed by a code, and how."""
    return store.find_contract_confirmation(connection, contract_id)


def _held(connection: Connection, contract_id: str) -> EnterpriseContract:
    contract = find_contract(connection, contract_id, for_update=True)
    if contract is None:
        raise contract_unknown()
    return contract


def _matter(contract: EnterpriseContract, lines: int) -> Matter:
    return Matter(contract.contract_id, contract.operator, contract.handler_session, lines)
