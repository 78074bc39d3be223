"""What the routes about terms, confirmations and receipts share."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Protocol

from fastapi import Path, Request
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import ContractPolicy, Policy
from shiming.registrations.permissions.terms import MayRecordAcceptance
from shiming.registrations.use_cases.notices import NoticeTools
from shiming.registrations.use_cases.terms import find_operator_of_order, unknown_order
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z][A-Za-z0-9-]{3,63}$", examples=["SES-0082-0C20-A1G7-D"])]


class ContractPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    registrations: RegistrationTools
    notices: NoticeTools
    default_pack: str
    settings: Settings

    def today(self) -> date:
        """Return the day of the rules."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...


def contract_platform(request: Request) -> ContractPlatform:
    """Return the wired program."""
    platform: ContractPlatform = request.app.state.platform
    return platform


def contract_policy(platform: ContractPlatform) -> ContractPolicy:
    """Return today's rules about terms and confirmations."""
    return platform.policy(platform.default_pack, platform.today()).contracts


def operator_of_order(platform: ContractPlatform, asking: Asking, session_id: str) -> str:
    """Return the operator of an order that the caller may record for; another operator's is not found."""
    asking.allow(MayRecordAcceptance(asking.caller.operator or ""))
    with reading(platform.engine) as connection:
        operator = find_operator_of_order(connection, session_id)
    if operator is None or not asking.may(MayRecordAcceptance(operator)):
        raise unknown_order()
    return operator


def refused(code: str, text: Text, refusals: Iterable[Refusal], **details: Any) -> Refused:
    """Return the problem of a refusal with all its reasons."""
    reasons = [refusal.to_json() for refusal in refusals]
    advice = Text(zh="请按 details.reasons 逐项处理。", en="Follow each of details.reasons.")
    return Refused(code, text, advice, {"reasons": reasons, **details})
