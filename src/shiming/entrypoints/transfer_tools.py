"""What transfers work with: billing and the donor as the environment names them, and who acts for whom.

SHIMING_BILLING_URL, SHIMING_BILLING_TOKEN    the operator's billing; without them nothing is known
SHIMING_PORTING_URL, SHIMING_PORTING_TOKEN    the clearing house of number portability

In the sandbox, where no URL is set, fakes answer and say so in the log: every bill is paid, and the donor
agrees to the authorisation `REHEARSAL` only.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from shiming.infrastructure.http_client import HttpService, ResilientClient
from shiming.registrations.use_cases.organisations import find_organisation
from shiming.transfers.connectors.fake import SETTLED, FakeBilling, FakeDonor
from shiming.transfers.connectors.over_http import HttpBilling, HttpDonor
from shiming.transfers.connectors.unconfigured import NoBilling, NoDonor
from shiming.transfers.model.porting import DonorAnswer, DonorVerdict
from shiming.transfers.ports.arrears import ArrearsPort
from shiming.transfers.ports.donor import DonorPort
from shiming.transfers.use_cases.tools import TransferTools

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from shiming.entrypoints.wiring import Platform

REHEARSAL = "REHEARSAL"


def transfer_tools(platform: "Platform", environment: Mapping[str, str] = os.environ) -> TransferTools:
    """Return the tools of transfers of an installation."""
    sandbox = platform.settings.sandbox
    return TransferTools(
        registrations=platform.registrations,
        billing=_billing(environment, sandbox=sandbox),
        donor=_donor(environment, sandbox=sandbox),
        is_handler=_is_handler,
        number_regions=platform.registration_policy.number_regions,
        time_zone=platform.registration_policy.time_zone,
    )


def _billing(environment: Mapping[str, str], *, sandbox: bool) -> ArrearsPort:
    client = _client(environment, "SHIMING_BILLING")
    if client is not None:
        return HttpBilling(client)
    return FakeBilling(otherwise=SETTLED) if sandbox else NoBilling()


def _donor(environment: Mapping[str, str], *, sandbox: bool) -> DonorPort:
    client = _client(environment, "SHIMING_PORTING")
    if client is not None:
        return HttpDonor(client)
    return FakeDonor({REHEARSAL: DonorAnswer(DonorVerdict.CONFIRMED, "rehearsal")}) if sandbox else NoDonor()


def _client(environment: Mapping[str, str], name: str) -> ResilientClient | None:
    url = environment.get(f"{name}_URL")
    if not url:
        return None
    return ResilientClient(HttpService(url, token=environment.get(f"{name}_TOKEN") or None))


def _is_handler(connection: "Connection", organisation: str, subject: str, now: datetime) -> bool:
    """Say whether a person handles an organisation by a power of attorney that holds now."""
    found = find_organisation(connection, organisation)
    if found is None or found.handler_subject != subject:
        return False
    begins, until = found.power_of_attorney_from, found.power_of_attorney_until
    return begins is not None and until is not None and begins <= now <= until
