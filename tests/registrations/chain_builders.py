"""Facts of a complete order under a real pack, and what the whole chain of rules decides on them."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from shiming.jurisdictions.model import Policy, ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.model.lines import LineIdentifier, LineKind
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.registration import (
    PoolNumber,
    RegisterLine,
    RegistrationFacts,
    RegistrationPolicy,
    RegistrationRefused,
    SessionUsable,
)
from shiming.registrations.rules.registration import decide_registration
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.refusals import ReasonCode
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number, a_session, an_order

ACCOUNT = AccessAccount.parse("gz0755123@example.net")
ORG = "ORG-0082-0C20-A1G7-D"
LATER = NOW + timedelta(minutes=1)


@cache
def rules() -> Policy:
    return policy_on(read_pack("cn"), NOW.date())


@cache
def policy() -> RegistrationPolicy:
    return RegistrationPolicy.of(rules(), number_regions=("CN",), time_zone="Asia/Shanghai")


def facts(order: LineOrder | None = None, **changes: Any) -> RegistrationFacts:
    order = order or an_order()
    complete = RegistrationFacts(
        session=a_session(),
        evidence=("EVD-1",),
        identity_recorded=True,
        number_held_by=None,
        order=order,
        pool=PoolNumber(operator=OPERATOR, kind=order.kind),
    )
    return replace(complete, **changes)


def decide(
    found: RegistrationFacts,
    identifier: LineIdentifier | None = None,
    *,
    at: RegistrationPolicy | None = None,
    now: datetime = NOW,
) -> SessionUsable | RegistrationRefused:
    ordered = found.order.identifier if found.order else None
    command = RegisterLine(OPERATOR, identifier or ordered or a_number(), "SES-1")
    return decide_registration(command, found, at or policy(), sandbox=False, now=now)


def codes(outcome: object) -> list[ReasonCode]:
    assert isinstance(outcome, RegistrationRefused)
    assert all(refusal.citation for refusal in outcome.refusals)
    return [refusal.code for refusal in outcome.refusals]


def an_internet_order(**changes: Any) -> LineOrder:
    common: dict[str, Any] = {
        "kind": LineKind.INTERNET,
        "product_class": ProductClass.INTERNET,
        "iccid": None,
        "imsi": None,
        "sim_form": None,
        "install_address": "EVD-2",
    }
    return an_order("SES-1", ACCOUNT, **{**common, **changes})
