"""The handler of an organisation confirms how many lines a contract has, over HTTP.

POST /v1/enterprise-contracts/{contract}/confirmation-code   a code for the handler's own device
POST /v1/enterprise-contracts/{contract}/confirmation        the code that the handler read back
GET  /v1/enterprise-contracts/{contract}/confirmation        what was confirmed last by a code
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.confirmations import (
    LINK_PATH,
    CodeReadBack,
    ConfirmationGiven,
    given,
    not_confirmed,
)
from shiming.registrations.api.contract_platform import (
    ContractPlatform,
    contract_platform,
    contract_policy,
)
from shiming.registrations.model.confirmation import NotConfirmed
from shiming.registrations.model.enterprise_lines import LINES_CONFIRMED_MAX
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases import contract_confirmations
from shiming.registrations.use_cases.enterprise_import import contract_unknown
from shiming.registrations.use_cases.enterprise_lines import find_contract
from shiming.vocabulary.errors import BadInput, Text

router = APIRouter(prefix="/v1/enterprise-contracts/{contract}", tags=["enterprise lines"])

ContractId = Annotated[
    str, Path(description="Reference of the contract.", max_length=40, examples=["ENT-0082-0C20-A1G7-D"])
]
Recording = Annotated[Asking, asked(MayRecordAcceptance)]
Lines = Annotated[int, Field(ge=1, le=LINES_CONFIRMED_MAX, description="In all, present ones included.")]


class LinesToConfirm(BaseModel):
    """How many lines the contract shall have."""

    model_config = ConfigDict(extra="forbid")
    lines: Lines


class LinesReadBack(CodeReadBack):
    """The code that the handler read back, and the count that it was made for."""

    lines: Lines


class ContractCodeSent(BaseModel):
    """A code is on its way. `link` is for the handler's own device."""

    contract: str
    lines: int
    expires_at: datetime
    attempts: int
    link: str


@router.post("/confirmation-code", status_code=201, responses=problem_responses(404, 409))
def issue(
    request: Request, contract: ContractId, wanted: LinesToConfirm, asking: Recording
) -> ContractCodeSent:
    """Make a code for so many lines; the one before is void. The answer does not hold it."""
    platform = contract_platform(request)
    reference = _find(platform, contract, asking)
    outcome = transact(
        platform.engine,
        lambda connection: contract_confirmations.issue_contract_code(
            platform.registrations,
            connection,
            reference,
            wanted.lines,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    if isinstance(outcome, NotConfirmed):
        raise not_confirmed(outcome)
    return ContractCodeSent(
        contract=reference,
        lines=wanted.lines,
        expires_at=outcome.expires_at,
        attempts=outcome.attempts,
        link=f"{platform.settings.public_url}{LINK_PATH}/{outcome.link_token}",
    )


@router.post("/confirmation", responses=problem_responses(404, 409))
def confirm(
    request: Request, contract: ContractId, wanted: LinesReadBack, asking: Recording
) -> ConfirmationGiven:
    """Take the code that the handler read back: the contract has so many lines at most."""
    platform = contract_platform(request)
    reference = _find(platform, contract, asking)
    outcome = transact(
        platform.engine,
        lambda connection: contract_confirmations.confirm_contract_lines(
            platform.registrations,
            connection,
            reference,
            wanted.lines,
            wanted.code,
            policy=contract_policy(platform),
            now=platform.clock.now(),
        ),
    )
    return given(outcome)


@router.get("/confirmation", responses=problem_responses(404))
def read(request: Request, contract: ContractId, asking: Recording) -> ConfirmationGiven:
    """Return what the handler confirmed last by a code."""
    platform = contract_platform(request)
    reference = _find(platform, contract, asking)
    with reading(platform.engine) as connection:
        found = contract_confirmations.find_contract_confirmation(connection, reference)
    if found is None:
        raise BadInput(
            "CONFIRMATION_UNKNOWN",
            Text(zh="该合同没有用确认码确认过。", en="Nothing of this contract was confirmed by a code."),
            Text(zh="请向经办人发送确认码。", en="Send the handler a confirmation code."),
        )
    return ConfirmationGiven(lines=found.lines, method=found.method, confirmed_at=found.confirmed_at)


def _find(platform: ContractPlatform, contract: str, asking: Asking) -> str:
    """Return the reference of a contract that the caller may record for."""
    asking.allow(MayRecordAcceptance(asking.caller.operator or ""))
    with reading(platform.engine) as connection:
        found = find_contract(connection, contract.upper())
    if found is None or not asking.may(MayRecordAcceptance(found.operator)):
        raise contract_unknown()
    return found.contract_id
